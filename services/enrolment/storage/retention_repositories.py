"""What is kept for a time only: how much of it is due, and its removal in small parts. Periods and runs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

import msgspec

from services.enrolment.application.erasure_ports import Due
from services.enrolment.application.uploads import CHECKED, COMPLETED, FAILED, HELD, MAPPING, REMOVING
from services.enrolment.domain.employments import employments_at
from services.enrolment.domain.erasures import RETURNED
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.retention import LEAVERS, RELEASES, REPLIES, STRAYS, UPLOADS, Periods, RetentionRun
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.replies import KEPT
from shared.storage.unit_of_work import Reading

PERIODS: Final = "periods"
PART: Final = 500
AT_REST: Final = (MAPPING, CHECKED, HELD, COMPLETED, FAILED)
"""Files with which no worker is busy: they wait for a person, or are done with."""


@dataclass(frozen=True, slots=True)
class Aged:
    """Where a kind of thing lies and which field says since when."""

    collection: str
    since: str
    wanted: Mapping[str, object]
    is_text: bool = False


PLACES: Final[Mapping[str, Aged]] = {
    UPLOADS: Aged("uploads", "uploaded_at", {"state": {"$in": AT_REST}}, is_text=True),
    REPLIES: Aged("idempotency", "expires_at", {}),
    STRAYS: Aged("parked", "at", {"number": None, "raw_headers": {"$ne": []}}),
    RELEASES: Aged("identity_releases", "released_at", {}),
}


class StoredAgeing:
    """One employer's periods, runs and whatever is due."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._kept = reading.rows("retention")

    def periods(self) -> Periods:
        """Return the employer's periods, the defaults where it has set none."""
        found = self._kept.find_one({"_id": PERIODS})
        if found is None:
            return Periods()
        own = value_of(found, Periods)
        return replace(own, days={**Periods().days, **own.days})

    def set_periods(self, periods: Periods) -> Periods:
        """Keep them as their next version and return that."""
        kept = replace(periods, version=periods.version + 1)
        keep_version(self._kept, document_of(kept, PERIODS))
        return kept

    def due(self, kind: str, before: datetime) -> Due:
        """Return what a run would remove."""
        if kind == LEAVERS:
            days = sorted(day for _, day in self._leavers(before.date()))
            return Due(kind, len(days), days[0] if days else None)
        rows, wanted = self._wanted(kind, before)
        since = PLACES[kind].since
        oldest = rows.find(wanted, sort=[(since, 1)], limit=1, projection={since: 1})
        return Due(kind, rows.count(wanted), self._day(kind, oldest[0][since]) if oldest else None)

    def remove(self, kind: str, before: datetime, limit: int) -> int:
        """Remove up to `limit` things of a kind; return how many went."""
        rows, wanted = self._wanted(kind, before)
        found = rows.find(wanted, limit=limit, projection={"_id": 1})
        for document in found:
            if kind == UPLOADS:  # the worker that removes files takes them from here, rows and all
                rows.update_one(document, {"$set": {"state": REMOVING, "done": 0, "leased_until": None}, "$inc": _ONE})
            elif kind == STRAYS:
                rows.update_one(document, {"$set": {"raw_key": None, "raw_value": None, "raw_headers": []}})
            else:
                rows.delete_one(document)
        return len(found)

    def left_before(self, day: date, after: str | None, limit: int) -> list[str]:
        """Return the next people whose last employment ended before `day` and of whose erasure nobody has decided."""
        return [name for name, _ in islice(self._leavers(day, after), limit)]

    def runs(self, state: str | None = None) -> list[RetentionRun]:
        """Return runs, latest first."""
        wanted: dict[str, object] = {"run_id": {"$exists": True}}
        if state is not None:
            wanted["state"] = state
        return [value_of(row, RetentionRun) for row in self._kept.find(wanted, sort=[("_id", -1)], limit=100)]

    def run(self, run_id: str) -> RetentionRun | None:
        """Return one run, or None."""
        found = self._kept.find_one({"_id": run_id, "run_id": run_id})
        return value_of(found, RetentionRun) if found else None

    def keep_run(self, run: RetentionRun) -> RetentionRun:
        """Keep a run as its next version and return that."""
        kept = replace(run, version=run.version + 1)
        keep_version(self._kept, document_of(kept, kept.run_id))
        return kept

    def _wanted(self, kind: str, before: datetime) -> tuple[Any, dict[str, object]]:
        place = PLACES[kind]
        at = before + KEPT if kind == REPLIES else before
        limit: object = msgspec.to_builtins(at) if place.is_text else at
        return self._reading.rows(place.collection), {**place.wanted, place.since: {"$lt": limit}}

    @staticmethod
    def _day(kind: str, since: object) -> date:
        at = since if isinstance(since, datetime) else datetime.fromisoformat(str(since))
        return (at - KEPT if kind == REPLIES else at).date()

    def _leavers(self, day: date, after: str | None = None) -> Iterator[tuple[str, date]]:
        """Yield people with the end of their last employment, where all have ended before `day`.

        The employments of everybody who was merged into them count as theirs; whose erasure was asked for, or refused
        for a reason that the law gives, under any of these ids, is for a person to decide and not for a period.
        """
        rows, decided, others = self._reading.rows("practitioners"), self._decided(), self._merged()
        while part := rows.find({**following(after), "merged_into": None}, sort=[("_id", 1)], limit=PART):
            after = part[-1]["_id"]
            for person in (value_of(row, Practitioner) for row in part):
                everybody = [person, *others.get(person.practitioner_id, ())]
                if any(one.practitioner_id in decided for one in everybody):
                    continue
                ends = [each.ended_on for one in everybody for each in employments_at(one.employments)]
                known = [end for end in ends if end is not None]
                if known and len(known) == len(ends) and max(known) < day:
                    yield person.practitioner_id, max(known)

    def _merged(self) -> dict[str, list[Practitioner]]:
        """Return by id who was merged into somebody, directly or through others."""
        rows = self._reading.rows("practitioners").find({"merged_into": {"$gt": ""}})
        merged = [value_of(row, Practitioner) for row in rows]
        into = {one.practitioner_id: one.merged_into for one in merged}
        found: dict[str, list[Practitioner]] = {}
        for one in merged:
            name = one.merged_into
            while (further := into.get(name or "")) is not None:
                name = further
            found.setdefault(name or "", []).append(one)
        return found

    def _decided(self) -> set[str]:
        """Return the ids of whom the last word on their erasure is any but that they are back."""
        last: dict[str, str] = {}
        for row in self._reading.rows("erasures").find({}, sort=[("_id", 1)], projection={"ids": 1, "state": 1}):
            last.update(dict.fromkeys(row["ids"], row["state"]))
        return {name for name, state in last.items() if state != RETURNED}


_ONE: Final = {"version": 1, "epoch": 1}
