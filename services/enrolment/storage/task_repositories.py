"""Where each kind of task is found: one collection, one condition with an index, one day since when. No rule here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.enrolment.domain.notices import FAILED
from services.enrolment.domain.tasks import OpenTask
from services.enrolment.storage.keeping import following
from shared.storage.rows import Filter
from shared.storage.unit_of_work import Reading

REFUSED_ROWS_FOR = timedelta(days=14)
"""A completed file's refused rows are a task for two weeks: whether they came again in another file nobody can know."""

FAILED_NOTICE_FOR = timedelta(days=7)
"""A digest that did not go out is a task for a week: its addresses or its server may want looking at."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one kind of task waits. `since` is the field with the day or the instant from which it does."""

    collection: str
    wanted: Callable[[datetime], Filter]
    since: str


def _refused(now: datetime) -> Filter:
    return {"state": "completed", "counts.refused": {"$gt": 0}, "uploaded_at": {"$gte": _text(now - REFUSED_ROWS_FOR)}}


def _failed_notice(now: datetime) -> Filter:
    return {"state": {"$in": list(FAILED)}, "day": {"$gte": (now - FAILED_NOTICE_FOR).date().isoformat()}}


SOURCES: dict[str, Source] = {
    "unreadable_file": Source("uploads", lambda _: {"state": "failed"}, "uploaded_at"),
    "checked_file": Source("uploads", lambda _: {"state": "checked"}, "uploaded_at"),
    "refused_rows": Source("uploads", _refused, "uploaded_at"),
    "unanswered_request": Source("enrolments", lambda _: {"status": "requested"}, "requested_on"),
    "failed_notice": Source("notices", _failed_notice, "day"),
}


class StoredTasks:
    """What waits, kind by kind."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def count(self, kind: str, most: int) -> int:
        """Return how many wait, counted up to `most`."""
        source = SOURCES[kind]
        return self._reading.rows(source.collection).count(source.wanted(self._reading.now), most=most)

    def oldest(self, kind: str) -> date | None:
        """Return since when the oldest waits, None where nothing does."""
        source = SOURCES[kind]
        rows = self._reading.rows(source.collection)
        wanted = source.wanted(self._reading.now)
        found = rows.find_one(wanted, {source.since: 1}, sort=[(source.since, 1)])
        return _day(found[source.since]) if found else None

    def some(self, kind: str, after: str | None, limit: int) -> list[OpenTask]:
        """Return up to `limit` that came after the one about `after`, in order."""
        source = SOURCES[kind]
        wanted = {**source.wanted(self._reading.now), **following(after)}
        rows = self._reading.rows(source.collection)
        found = rows.find(wanted, sort=[("_id", 1)], limit=limit, projection={source.since: 1})
        return [OpenTask(kind, row["_id"], _day(row[source.since])) for row in found]


def _day(kept: str | datetime) -> date:
    """Return the day of what a document keeps: a day, or an instant as text or as the database's own."""
    return kept.date() if isinstance(kept, datetime) else date.fromisoformat(kept[:10])


def _text(moment: datetime) -> str:
    """Return an instant as documents spell it."""
    return moment.isoformat().replace("+00:00", "Z")
