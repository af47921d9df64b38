"""The board's projections as a rebuild sees them: where it builds, how the two are compared, how they are swapped.

Compared is what a document says, not how it came about: a bucket that went up and down again is one that never was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from services.reporting.storage import documents
from services.reporting.storage.repositories import (
    CHANGE_ROLLUPS,
    COURSES,
    ENROLMENTS,
    EVALUATIONS,
    ROLLUPS,
    RebuiltProjections,
)
from services.reporting.storage.slots import (
    MOST_AT_ONCE,
    PROJECTED,
    clear_some,
    current_slot,
    idle_slot,
    make,
    point_at,
)
from shared.events.rebuild_requests import Difference
from shared.storage.dump import in_order
from shared.storage.mongo import Document, MongoDatabase
from shared.storage.unit_of_work import Reading, Work

MOST_LOOKED_AT_AGAIN: Final = 500
Said = Callable[[Document], object]


class MongoRebuilding:
    """The `Rebuilt` of reporting: see `shared/events/rebuilding.py`."""

    def __init__(self) -> None:
        self._open: WeakKeyDictionary[Work, RebuiltProjections] = WeakKeyDictionary()

    def projections(self, work: Work) -> RebuiltProjections:
        """Return the projections that are being built, the same for the same transaction."""
        found = self._open.get(work)
        if found is None:
            found = self._open[work] = RebuiltProjections(work, idle_slot(work))
            work.before_commit(found.write)
        return found

    def begin(self, database: MongoDatabase, reading: Reading) -> None:
        """Have collections to build in."""
        make(database, idle_slot(reading))

    def clear_some(self, work: Work) -> int:
        """Remove some of what an earlier rebuild left, or what was swapped out."""
        return clear_some(work, idle_slot(work))

    def suspects(self, database: MongoDatabase, reading: Reading) -> Mapping[str, Sequence[str]]:
        """Return, per collection, the ids under which the two said different things when each was looked at."""
        running, rebuilt = current_slot(reading), idle_slot(reading)
        return {
            name: tuple(
                _unequal(in_order(database, f"{name}{running}"), in_order(database, f"{name}{rebuilt}"), SAID[name])
            )
            for name in PROJECTED
        }

    def differences(self, work: Work, suspects: Mapping[str, Sequence[str]]) -> tuple[Difference, ...]:
        """Return what differs among the suspects now; of very many only the first are looked at a second time."""
        running, rebuilt = current_slot(work), idle_slot(work)
        found = []
        for name, ids in suspects.items():
            again, rest = ids[:MOST_LOOKED_AT_AGAIN], len(ids) - min(len(ids), MOST_LOOKED_AT_AGAIN)
            before = _by_id(work, f"{name}{running}", again, SAID[name])
            after = _by_id(work, f"{name}{rebuilt}", again, SAID[name])
            missing = len(after.keys() - before.keys())
            extra = len(before.keys() - after.keys())
            other = sum(before[one] != after[one] for one in before.keys() & after.keys()) + rest
            if missing or extra or other:
                found.append(Difference(what=name, missing=missing, extra=extra, other=other))
        return tuple(found)

    def swap(self, work: Work) -> None:
        """Let everybody use what was rebuilt, from this commit on."""
        point_at(work, idle_slot(work))


def _rollup(document: Document) -> object:
    _, counts = documents.bucket_counts(document)
    return None if counts.is_nothing else counts


def _change(document: Document) -> object:
    _, counts = documents.change_counts(document)
    if counts.is_nothing:
        return None
    sums, people = ({name: n for name, n in part.items() if n} for part in (counts.sums, counts.people))
    return counts.paired, sums, people


def _readable(said: Said) -> Said:
    """Return `said` for documents that may be damaged: what cannot be read says that, and equals nothing sound."""

    def tried(document: Document) -> object:
        try:
            return said(document)
        except (KeyError, TypeError, ValueError):
            return ("damaged", str(document["_id"]))

    return tried


_SAID: Final[Mapping[str, Said]] = {
    COURSES: documents.known_course,
    ENROLMENTS: documents.enrolment_facts,
    EVALUATIONS: documents.evaluation_facts,
    ROLLUPS: _rollup,
    CHANGE_ROLLUPS: _change,
}
SAID: Final[Mapping[str, Said]] = {name: _readable(said) for name, said in _SAID.items()}
"""What a document of each collection says; None where it says nothing."""


def _unequal(running: Iterator[Document], rebuilt: Iterator[Document], said: Said) -> Iterator[str]:
    """Yield the ids under which two collections differ; both come in the order of their ids."""
    left, right = next(running, None), next(rebuilt, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left["_id"] < right["_id"]):
            if left is not None and said(left) is not None:
                yield str(left["_id"])
            left = next(running, None)
        elif left is None or right["_id"] < left["_id"]:
            if said(right) is not None:
                yield str(right["_id"])
            right = next(rebuilt, None)
        else:
            if said(left) != said(right):
                yield str(left["_id"])
            left, right = next(running, None), next(rebuilt, None)


def _by_id(work: Work, collection: str, ids: Sequence[str], said: Said) -> dict[str, object]:
    found: dict[str, object] = {}
    for start in range(0, len(ids), MOST_AT_ONCE):
        part = list(ids[start : start + MOST_AT_ONCE])
        for document in work.rows(collection).find({"_id": {"$in": part}}):
            what = said(document)
            if what is not None:
                found[str(document["_id"])] = what
    return found
