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
MOST_AT_ONCE: Final = 100
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


def clear_some(work: Work, slot: str) -> int:
    """Remove some of what stands in a slot that nobody reads, and return how many documents went: 0 when it is empty.

    In a transaction, not by dropping: a builder that was given up for dead and wakes up must remove nothing any more.
    """
    for name in PROJECTED:
        rows = work.rows(f"{name}{slot}")
        ids = [document["_id"] for document in rows.find({}, projection={"_id": 1}, limit=MOST_AT_ONCE)]
        if ids:
            return rows.delete_many({"_id": {"$in": ids}})
    return 0


def make(database: MongoDatabase, slot: str) -> None:
    """Make the collections of a slot, outside any transaction: making one inside holds up others' commits."""
    there = set(database.list_collection_names())
    for name in PROJECTED:
        if f"{name}{slot}" not in there:
            database.create_collection(f"{name}{slot}")
