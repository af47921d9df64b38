"""Two places for the board's projections, of which one is read and written at any time: a rebuild fills the other.

Lives here: which of the two it is, and what they are called. One document says it; a swap changes that document, so
that whoever asks afterwards finds the new one whole, and whoever asked before goes on with the old one.
"""

from __future__ import annotations

from typing import Final

from shared.storage.mongo import MongoDatabase
from shared.storage.unit_of_work import Reading, Work

POINTER: Final = "projection"
CURRENT: Final = "current"
FIRST: Final = ""
SECOND: Final = "_rebuilt"
PROJECTED: Final = ("courses", "enrolments", "evaluations", "rollups", "change_rollups")
"""The collections of a projection: everything that is derived from feeds and from nothing else."""


def current_slot(reading: Reading) -> str:
    """Return the ending of the collections that are in use."""
    found = reading.rows(POINTER).find_one({"_id": CURRENT})
    return FIRST if found is None else str(found["slot"])


def idle_slot(reading: Reading) -> str:
    """Return the ending of the collections that nobody reads."""
    return SECOND if current_slot(reading) == FIRST else FIRST


def point_at(work: Work, slot: str) -> None:
    """Let everybody who asks after this commit use the other collections."""
    work.rows(POINTER).replace_one({"_id": CURRENT}, {"_id": CURRENT, "slot": slot, "since": work.now}, upsert=True)


def clear(database: MongoDatabase, slot: str) -> None:
    """Remove what stands in the collections of a slot that nobody reads."""
    for name in PROJECTED:
        database.drop_collection(f"{name}{slot}")


def make(database: MongoDatabase, slot: str) -> None:
    """Make the empty collections of a slot, outside any transaction: making one inside holds up others' commits."""
    for name in PROJECTED:
        database.create_collection(f"{name}{slot}")
