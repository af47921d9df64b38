"""Where each kind of task is found: one collection, one condition with an index, one day since when. No rule here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.enrolment.domain.notices import FAILED
from services.enrolment.domain.tasks import MOST_COUNTED, OpenTask
from services.enrolment.storage.keeping import following
from services.enrolment.storage.repositories import FEW, SERVED
from shared.storage.mongo import Document
from shared.storage.pages import Paged
from shared.storage.rows import Filter
from shared.storage.unit_of_work import Reading

ENROLMENTS = "enrolments"
REFUSED_ROWS_FOR = timedelta(days=14)
"""A completed file's refused rows are a task for two weeks: whether they came again in another file nobody can know."""
FAILED_NOTICE_FOR = timedelta(days=7)
"""A digest that did not go out is a task for a week: its addresses or its server may want looking at."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one kind of task waits.

    `since` and `due` are the fields with the day or instant from which it waits and until which it may; `keep` looks
    at what a condition cannot say, of at most as many as are counted.
    """

    collection: str
    wanted: Callable[[datetime], Filter]
    since: str | None = None
    due: str | None = None
    keep: Callable[[Document], bool] | None = None


def _refused(now: datetime) -> Filter:
    return {"state": "completed", "counts.refused": {"$gt": 0}, "uploaded_at": {"$gte": _text(now - REFUSED_ROWS_FOR)}}


def _failed_notice(now: datetime) -> Filter:
    return {"state": {"$in": list(FAILED)}, "day": {"$gte": (now - FAILED_NOTICE_FOR).date().isoformat()}}


def _lacks_a_receipt(erasure: Document) -> bool:
    return bool(set(erasure["expected"]) - {receipt["by"] for receipt in erasure["receipts"]})


SOURCES: dict[str, Source] = {
    "to_approve": Source(ENROLMENTS, lambda _: {"status": "nominated"}, "requested_on"),
    "offered_seat": Source(ENROLMENTS, lambda _: {"status": "offered"}, "requested_on", "offer_expires_on"),
    "incoming_transfer": Source("incoming_transfers", lambda _: {"state": "open"}, "transferred_on", "accept_by"),
    "held_snapshot": Source("uploads", lambda _: {"state": "held"}, "uploaded_at"),
    "file_to_map": Source("uploads", lambda _: {"state": "mapping"}, "uploaded_at"),
    "unreadable_file": Source("uploads", lambda _: {"state": "failed"}, "uploaded_at"),
    "checked_file": Source("uploads", lambda _: {"state": "checked"}, "uploaded_at"),
    "refused_rows": Source("uploads", _refused, "uploaded_at"),
    "unanswered_request": Source(ENROLMENTS, lambda _: {"status": "requested"}, "requested_on"),
    "lapsed_registration": Source("registrations", lambda _: {"status": "lapsed"}),
    "erasure_to_decide": Source("erasures", lambda _: {"state": "asked"}, "asked_at"),
    "erasure_without_receipts": Source("erasures", lambda _: {"state": "done"}, "erased_on", keep=_lacks_a_receipt),
    "failed_notice": Source("notices", _failed_notice, "day"),
}


class StoredTasks:
    """What waits, kind by kind."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def count(self, kind: str, most: int) -> int:
        """Return how many wait, counted up to `most`."""
        source = SOURCES[kind]
        if source.keep is not None:
            return len(self.some(kind, None, most))
        wanted = source.wanted(self._reading.now)
        if source.collection == ENROLMENTS:
            return self._enrolments().count(wanted, most)
        return self._reading.rows(source.collection).count(wanted, most=most)

    def oldest(self, kind: str) -> date | None:
        """Return since when the oldest waits, None where nothing does or nobody knows."""
        source = SOURCES[kind]
        if source.since is None:
            return None
        if source.keep is not None:
            return min((task.since for task in self.some(kind, None, MOST_COUNTED) if task.since), default=None)
        if source.collection == ENROLMENTS:  # in the order of their ids, which is the order of their days
            return next((task.since for task in self.some(kind, None, 1)), None)
        rows = self._reading.rows(source.collection)
        found = rows.find_one(source.wanted(self._reading.now), {source.since: 1}, sort=[(source.since, 1)])
        return _day(found[source.since]) if found else None

    def some(self, kind: str, after: str | None, limit: int) -> list[OpenTask]:
        """Return up to `limit` that came after the one about `after`, in order."""
        source = SOURCES[kind]
        if source.collection == ENROLMENTS:
            page = self._enrolments().page(source.wanted(self._reading.now), after=after, limit=limit)
            return [_task(kind, source, row) for row in page]
        wanted = {**source.wanted(self._reading.now), **following(after)}
        most = limit if source.keep is None else MOST_COUNTED
        found = self._reading.rows(source.collection).find(wanted, sort=[("_id", 1)], limit=most)
        kept = [row for row in found if source.keep is None or source.keep(row)]
        return [_task(kind, source, row) for row in kept[:limit]]

    def _enrolments(self) -> Paged:
        return Paged(self._reading.rows(ENROLMENTS), SERVED, FEW)


def _task(kind: str, source: Source, row: Document) -> OpenTask:
    since = _day(row[source.since]) if source.since else None
    return OpenTask(kind, row["_id"], since, _day(row.get(source.due)) if source.due else None)


def _day(kept: str | datetime | None) -> date | None:
    """Return the day of what a document keeps: a day, or an instant as text or as the database's own."""
    if kept is None:
        return None
    return kept.date() if isinstance(kept, datetime) else date.fromisoformat(kept[:10])


def _text(moment: datetime) -> str:
    """Return an instant as documents spell it."""
    return moment.isoformat().replace("+00:00", "Z")
