"""What a feed still owes the broker: how many events it has not acknowledged, and since when the oldest waits.

Reads only, and only the feed's own state: it is known while the broker is away, and whoever numbers and sends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from shared.events.feed import FeedName
from shared.events.ledger import HEAD, MARK, Ledger, head_from
from shared.events.marks import mark_from
from shared.storage.unit_of_work import Reading, UnitOfWork

OLDEST_FIRST: Final = [("_id", 1)]
"""Ids of entries rise with their time, as near as a figure for people needs."""


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """`events` that no broker has acknowledged, and the moment at which the oldest was committed (None without any)."""

    events: int = 0
    oldest_at: datetime | None = None


def outbox_of(unit: UnitOfWork, name: FeedName) -> Outbox:
    """Return what a feed owes the broker just now.

    Raises:
        Unavailable: The database does not answer.
    """
    reading = unit.reading(name.organisation)
    states = {found["_id"]: found for found in reading.rows(name.state).find({"_id": {"$in": [HEAD, MARK]}})}
    head = head_from(states.get(HEAD))
    published = mark_from(states[MARK]).published if MARK in states else 0
    unnumbered = reading.rows(name.pending).find({}, sort=OLDEST_FIRST, limit=1, projection={"_id": 1})
    waiting = head.number - published
    if unnumbered:
        waiting += _unnumbered_events(reading, name)
    oldest = _entry_of(reading, name, published + 1, head.rounds) if published < head.number else None
    if oldest is None and unnumbered:
        oldest = unnumbered[0]["_id"]
    return Outbox(events=max(0, waiting), oldest_at=None if oldest is None else _committed_at(reading, name, oldest))


def _unnumbered_events(reading: Reading, name: FeedName) -> int:
    found = reading.rows(name.pending).aggregate([{"$group": {"_id": None, "events": {"$sum": "$count"}}}])
    return int(found[0]["events"]) if found else 0


def _entry_of(reading: Reading, name: FeedName, number: int, rounds: int) -> str | None:
    """Return the id of the entry that holds event `number`."""
    found = Ledger(reading, name).round_holding(number, rounds)
    if found is None:
        return None
    last = found.first - 1
    for entry_id, count in found.entries:
        last += count
        if number <= last:
            return entry_id
    return None


def _committed_at(reading: Reading, name: FeedName, entry_id: str) -> datetime | None:
    found = reading.rows(name.entries).find_one({"_id": entry_id}, {"time": 1})
    return None if found is None else datetime.fromisoformat(found["time"])
