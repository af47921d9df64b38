"""Alarms that stop one feed until a person decides: kept in the home organisation's database, so that a restart obeys.

A fork (the owner's history differs) and a limit (too much is parked) stop the feed. A gap is only shown and tried
again. Must not live here: who may decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from shared.errors import NotFound
from shared.events.positions import POSITIONS, Position
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading, UnitOfWork, Work

ALARMS: Final = "feed_alarms"
FORK: Final = "fork"
LIMIT: Final = "limit"
GAP: Final = "gap"
GRAVITY: Final = (GAP, LIMIT, FORK)
"""From the lightest to the gravest. A graver one is what is kept and told, whichever was raised first."""
OPEN: Final = "open"
RESOLVED: Final = "resolved"
READER: Final = "reader"
"""Who ended an alarm that a decision had been quicker than; who decided stands with the adoption."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Why a feed stands still, and since which number. `hash` is that of the record that differs, where it is one."""

    feed: str
    kind: str
    number: int
    detail: str
    hash: str = ""
    at: datetime | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What stops a feed, None when nothing does, and the records (number, hash) that people have decided about."""

    alarm: Alarm | None = None
    settled: frozenset[tuple[int, str]] = frozenset()


def gravity(alarm: Alarm) -> int:
    """Return how grave an alarm is beside others."""
    return GRAVITY.index(alarm.kind)


def raise_alarm(
    unit: UnitOfWork, organisation: str, alarm: Alarm, *, held_at: Mapping[str, Position] | None = None
) -> bool:
    """Keep the alarm; an open one of the same feed stays as it is, unless this one is graver.

    Args:
        unit: The reading service's databases.
        organisation: The feed's home, in whose database it is kept.
        alarm: What stops the feed.
        held_at: The positions of all who take the feed as its reader holds them. Where a person has set one of them
            back since (`adoption.py`), the decision was quicker than the alarm: none is left open, and False returned.
            Any other decision about a position, as over a parked record, is no answer to the alarm.

    Raises:
        Unavailable: The database does not answer.
    """
    held_at = held_at or {}

    def is_decided() -> bool:
        return any(_was_set_back(unit.reading(taker), held) for taker, held in held_at.items())

    def write(work: Work) -> None:
        rows = work.rows(ALARMS)
        held = rows.find_one({"_id": alarm.feed})
        if held is not None and held["state"] == OPEN and gravity(_alarm(held)) >= gravity(alarm):
            return
        doc = {"_id": alarm.feed, **{name: getattr(alarm, name) for name in ("kind", "number", "detail", "hash")}}
        steps = [] if held is None else held.get("steps", [])
        rows.replace_one({"_id": alarm.feed}, {**doc, "at": work.now, "state": OPEN, "steps": steps}, upsert=True)

    if is_decided():
        return False
    unit.run(organisation, write)
    # Once more, now that the alarm stands: whoever sets a position back after this look finds it, and ends it.
    if not is_decided():
        return True
    end_alarm(unit, organisation, alarm.feed, by=READER, reason="a person set the position back before it was written")
    return False


def end_alarm(unit: UnitOfWork, organisation: str, feed: str, *, by: str, reason: str) -> bool:
    """End the feed's alarm where this organisation's database holds it; return whether there was one."""

    def write(work: Work) -> bool:
        decision = {"state": RESOLVED, "decided_by": by, "decided_reason": reason, "decided_at": work.now}
        return work.rows(ALARMS).update_one({"_id": feed, "state": OPEN}, {"$set": decision}) > 0

    return unit.run(organisation, write)


def open_alarm(unit: UnitOfWork, organisation: str, feed: str) -> Alarm | None:
    """Return the alarm that stops the feed, None when nothing does."""
    return kept(unit, organisation, feed).alarm


def kept(unit: UnitOfWork, organisation: str, feed: str) -> Kept:
    """Return what stops the feed, and which records of it were decided to have no say."""
    doc = unit.reading(organisation).rows(ALARMS).find_one({"_id": feed})
    if doc is None:
        return Kept()
    settled = frozenset((step["number"], step["hash"]) for step in doc.get("steps", ()) if step.get("hash"))
    return Kept(alarm=_alarm(doc) if doc["state"] == OPEN else None, settled=settled)


def open_alarms(reading: Reading) -> tuple[Alarm, ...]:
    """Return every feed that stands still in this organisation's database, by name, and why."""
    found = reading.rows(ALARMS).find({"state": OPEN}, sort=[("_id", 1)])
    return tuple(_alarm(doc) for doc in found)


def resolve(work: Work, feed: str, *, by: str, reason: str) -> None:
    """Let the feed go on; the reader notices within a quarter of a minute. Who decided stays with the feed for ever.

    Of a fork it is decided that what was read first stands: the same record is no alarm again, another one is.

    Raises:
        NotFound: Nothing stops the feed.
    """
    rows = work.rows(ALARMS)
    held = rows.find_one({"_id": feed, "state": OPEN})
    if held is None:
        raise NotFound("nothing stops this feed")
    decision = {"state": RESOLVED, "decided_by": by, "decided_reason": reason, "decided_at": work.now}
    what = {"kind": held["kind"], "number": held["number"], "hash": held.get("hash", "")}
    step = {**what, "by": by, "reason": reason, "at": work.now}
    rows.update_one({"_id": feed}, {"$set": {**decision, "steps": [*held.get("steps", []), step]}})


def resolve_alarm(unit: UnitOfWork, organisation: str, feed: str, *, by: str, reason: str) -> None:
    """`resolve` in a transaction of its own.

    Raises:
        NotFound: Nothing stops the feed.
    """
    unit.run(organisation, lambda work: resolve(work, feed, by=by, reason=reason))


def _was_set_back(where: Reading, held: Position) -> bool:
    stored = where.rows(POSITIONS).find_one({"_id": held.feed})
    return stored is not None and stored["decisions"] > held.decisions and stored["number"] < held.number


def _alarm(doc: Document) -> Alarm:
    said = {"kind": doc["kind"], "number": doc["number"], "detail": doc["detail"], "hash": doc.get("hash", "")}
    return Alarm(feed=doc["_id"], at=doc["at"], **said)
