"""A rebuild of a projection as people ask for it and see it: one document per projection, in its owner's database.

    asked -> building -> compared -> swapped -> done        with `is_check`: … -> compared -> checked
                     (any of them)           -> failed, with a code

Lives here: the document, asking, looking, and the claim of whoever builds. A builder holds a token; each of its
transactions is guarded by it, so that one that was given up for dead can commit nothing any more. Building itself is
`rebuilding.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec

from shared.errors import Conflict
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading, Work

REBUILDS: Final = "rebuilds"
ASKED: Final = "asked"
BUILDING: Final = "building"
COMPARED: Final = "compared"
SWAPPED: Final = "swapped"
DONE: Final = "done"
CHECKED: Final = "checked"
FAILED: Final = "failed"
OPEN: Final = frozenset({ASKED, BUILDING, COMPARED, SWAPPED})
MOST_BEGUN: Final = 3
"""How often a rebuild is begun that ends with its process."""


class AlreadyRebuilding(Conflict):
    """A rebuild of this projection is asked for or at work."""

    slug: ClassVar[str] = "already-rebuilding"


class Superseded(Exception):
    """Another builder holds the rebuild now: stop."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How two builds of one collection differ, in counts only.

    `missing` are documents that only the rebuilt one has, `extra` those that only the running one has, `other` those
    that say something else.
    """

    what: str
    missing: int
    extra: int
    other: int


class Rebuild(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is. `taken` of `of` events; `left_out` wait parked and were left out.

    `waits_for` names a feed whose owner's door does not answer just now.
    """

    state: str
    by: str
    is_check: bool
    asked_at: datetime
    begun: int = 0
    token: str | None = None
    beat: int = 0
    taken: int = 0
    of: int = 0
    left_out: int = 0
    differences: tuple[Difference, ...] | None = None
    waits_for: str | None = None
    code: str | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Say whether there is anything to be done."""
        return self.state in OPEN


def ask_rebuild(work: Work, name: str, *, by: str, is_check: bool = False) -> None:
    """Ask whoever holds the reactions to build the projection anew beside the running one.

    Raises:
        AlreadyRebuilding: One is asked for or at work.
    """
    found = rebuild_in(work, name)
    if found is not None and found.is_open:
        raise AlreadyRebuilding(f"a rebuild of {name} is {found.state} already")
    doc = {"_id": name, "state": ASKED, "by": by, "is_check": is_check, "asked_at": work.now}
    doc |= {"token": None, "beat": 0, "begun": 0}
    work.rows(REBUILDS).replace_one({"_id": name}, doc, upsert=True)


def rebuild_in(reading: Reading, name: str) -> Rebuild | None:
    """Return the latest rebuild of a projection, None before the first."""
    doc = reading.rows(REBUILDS).find_one({"_id": name})
    if doc is None:
        return None
    known = {field: doc[field] for field in Rebuild.__struct_fields__ if field in doc}
    return msgspec.convert(known, Rebuild)


def claim(work: Work, name: str, seen: Rebuild, token: str) -> Rebuild | None:
    """Take a rebuild to do, exactly as it was seen; None when somebody else was quicker."""
    state = seen.state if seen.state == SWAPPED else BUILDING
    change: Document = {"state": state, "token": token, "begun": seen.begun + 1, "beat": seen.beat + 1}
    if state == BUILDING:
        change |= {"taken": 0, "of": 0, "left_out": 0, "differences": None}
    guard = {"_id": name, "state": seen.state, "token": seen.token, "beat": seen.beat}
    if work.rows(REBUILDS).update_one(guard, {"$set": change}) == 0:
        return None
    return rebuild_in(work, name)


def note(work: Work, name: str, token: str, change: Mapping[str, Any]) -> None:
    """Write how far it is, and that its builder lives, inside the builder's transaction.

    Raises:
        Superseded: Another builder holds it.
    """
    update: Document = {"$set": dict(change), "$inc": {"beat": 1}} if change else {"$inc": {"beat": 1}}
    if work.rows(REBUILDS).update_one({"_id": name, "token": token}, update) == 0:
        raise Superseded
