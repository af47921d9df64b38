"""One page of a list in order of `_id`, which costs the same however long the list is, on every database.

MongoDB walks an index in its order and stops at the limit. The local profile's database (SecantusDB) reads and sorts
all that a filter matches before it looks at the limit, so a page there costs as much as the list. Therefore a page is
asked for span by span: every 256th document or so (by the last digits of its id, which are random) is a milestone,
found by a small sparse index of its own; between two of them stand about 256 rows, of which an index (equal fields
first, `_id` last) gives those that match. Spans grow while little is found, and never beyond a bound. Rows without
any milestone are one span: the answer is the same, only its price is not.

Where no index has all of a filter's fields, rows are looked through. `page` looks as far as it must; `part` and
`counted`, which answer somebody who waits, stop after `MOST_LOOKED` rows and say how far they looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shared.storage.mongo import Document
from shared.storage.rows import Rows

MILESTONE: Final = "milestone"
MILESTONE_INDEX: Final = [(MILESTONE, 1)]
"""To be made sparse: the index of a list's milestones."""
WHOLE_LIST_INDEX: Final = [("_id", 1), (MILESTONE, 1)]
"""By which a list without any filter is read in spans; the local database has no index on `_id` for ranges."""
WIDEST: Final = 16
"""How many milestones one span may go across: about 4,000 rows."""
AT_ONCE: Final = 128
"""How many milestones are asked for together."""
MOST_LOOKED: Final = 10_000
"""After how many rows looked through one by one a part ends early; at most one span more is read."""
_ENDS_ON: Final = "00"


def milestone_of(identity: str) -> Document:
    """Return what a document of this id says of itself besides: that it is a milestone, or nothing."""
    return {MILESTONE: identity} if identity.endswith(_ENDS_ON) else {}


@dataclass(frozen=True, slots=True)
class Part:
    """What a bounded look found, in order. `reached` is the id to look on from where it ended early, else None."""

    rows: list[Document]
    reached: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many were found; there may be more, beyond the cap or where nobody looked, unless `is_all`."""

    number: int
    is_all: bool


class Paged:
    """A collection whose lists are in order of `_id`.

    `served` are the sets of fields that have an index of their own with `_id` last; a filter on others is asked by
    the largest of these sets within it, and the rest is looked at row by row. `few` are those among the fields of
    which one value stands in few rows: what they match is read at once.
    """

    def __init__(self, rows: Rows, served: Sequence[Sequence[str]] = (), few: Collection[str] = ()) -> None:
        self._rows = rows
        self._served = [frozenset(fields) for fields in served]
        self._few = frozenset(few)

    def page(
        self,
        wanted: Mapping[str, object],
        *,
        after: str | None = None,
        limit: int,
        projection: Mapping[str, object] | None = None,
    ) -> list[Document]:
        """Return up to `limit` documents after that id, in order; `wanted` are equalities."""
        return self._walk(wanted, after, 1, limit, projection).rows

    def page_before(self, wanted: Mapping[str, object], *, before: str, limit: int) -> list[Document]:
        """Return the last `limit` documents before that id, in order."""
        return self._walk(wanted, before, -1, limit).rows[::-1]

    def part(self, wanted: Mapping[str, object], *, after: str | None = None, limit: int) -> Part:
        """Return what `page` returns, or less of it where much would have to be looked through: then how far."""
        return self._walk(wanted, after, 1, limit, most_looked=MOST_LOOKED)

    def part_before(self, wanted: Mapping[str, object], *, before: str, limit: int) -> Part:
        """Return what `page_before` returns, or less of it where much would have to be looked through."""
        found = self._walk(wanted, before, -1, limit, most_looked=MOST_LOOKED)
        return Part(found.rows[::-1], found.reached)

    def count(self, wanted: Mapping[str, object], most: int) -> int:
        """Return how many documents match, counted up to `most`."""
        return len(self.page(wanted, limit=most, projection=_no_more_than(wanted)))

    def counted(self, wanted: Mapping[str, object], most: int) -> Counted:
        """Return how many documents match, counted up to `most` and as far as a part looks."""
        found = self._walk(wanted, None, 1, most + 1, _no_more_than(wanted), most_looked=MOST_LOOKED)
        return Counted(min(len(found.rows), most), found.reached is None and len(found.rows) <= most)

    def _walk(
        self,
        wanted: Mapping[str, object],
        start: str | None,
        direction: int,
        limit: int,
        projection: Mapping[str, object] | None = None,
        most_looked: int | None = None,
    ) -> Part:
        asked = self._asked(wanted)
        rest = {name: value for name, value in wanted.items() if name not in asked}
        spans = [(start, None)] if self._few & set(asked) else self._spans(start, direction)
        found: list[Document] = []
        looked = 0
        for near, far in spans:
            left = limit - len(found)
            part = self._rows.find(
                {**asked, **_ids(near, far, direction)},
                sort=[("_id", direction)],
                limit=0 if rest else left,
                projection=projection,
            )
            found += [row for row in part if all(row.get(name) == value for name, value in rest.items())][:left]
            if len(found) >= limit:
                break
            looked += len(part) if rest else 0
            if most_looked is not None and looked >= most_looked:
                return Part(found, far)
        return Part(found)

    def _asked(self, wanted: Mapping[str, object]) -> Mapping[str, object]:
        """Return the conditions that an index serves: a condition more would keep the local database from using it."""
        within = [fields for fields in self._served if fields <= wanted.keys()]
        best = max(within, key=lambda fields: (bool(fields & self._few), len(fields)), default=frozenset[str]())
        return {name: value for name, value in wanted.items() if name in best}

    def _spans(self, start: str | None, direction: int) -> Iterator[tuple[str | None, str | None]]:
        """Yield the spans from `start` to the end of the list, without a gap: each begins where one ended."""
        milestones = self._milestones(start, direction)
        near, width = start, 1
        while part := list(islice(milestones, width)):
            yield near, part[-1]
            near, width = part[-1], min(WIDEST, width * 2)
        yield near, None

    def _milestones(self, start: str | None, direction: int) -> Iterator[str]:
        beyond = "$gt" if direction > 0 else "$lt"
        while True:
            within = {beyond: start} if start is not None else {"$gt": ""}
            found = self._rows.find(
                {MILESTONE: within}, sort=[(MILESTONE, direction)], limit=AT_ONCE, projection={MILESTONE: 1}
            )
            yield from (row[MILESTONE] for row in found)
            if len(found) < AT_ONCE:
                return
            start = found[-1][MILESTONE]


def _no_more_than(wanted: Mapping[str, object]) -> Document:
    """Return what counting reads of a row: its id and what it is looked at for."""
    return {"_id": 1, **dict.fromkeys(wanted, 1)}


def _ids(near: str | None, far: str | None, direction: int) -> Document:
    """Return the condition on `_id`: forwards (near, far], backwards [far, near)."""
    beyond, until = ("$gt", "$lte") if direction > 0 else ("$lt", "$gte")
    within = {**({beyond: near} if near is not None else {}), **({until: far} if far is not None else {})}
    return {"_id": within} if within else {}
