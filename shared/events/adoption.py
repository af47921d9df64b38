"""A reader goes on after its owner's history parted: by a person's decision, from the last number both have.

The owner's database came back from a backup and the log had gone too, so that what was read here after that number is
known to nobody but the readers. Nothing of it is undone here: its effects stay, and are listed by number. From that
number on the owner's new history is read. Must not live here: who may decide, and what becomes of the old effects.
"""

from __future__ import annotations

from typing import Final

import msgspec
import structlog

from shared.errors import Conflict, NotFound
from shared.events.envelope import GENESIS
from shared.events.parking import DECISIONS, PARKED, WAITING
from shared.events.positions import POSITIONS
from shared.events.requests import forget_requests
from shared.storage.unit_of_work import UnitOfWork, Work

log = structlog.get_logger(__name__)

ADOPTIONS: Final = "adoptions"


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What one organisation gave up: the numbers `after` + 1 to `read`, whose effects stand, are no longer the owner's.

    `parked` counts what waited of them; it is put aside, not replayed.
    """

    organisation: str
    after: int
    read: int
    parked: int


def adopt(unit: UnitOfWork, organisation: str, feed: str, *, number: int, head: str, by: str, reason: str) -> Adopted:
    """Set one organisation's position back to the last number that is the same in both histories.

    The reader notices within a quarter of a minute where an alarm stands, and at its next start in any case.

    Args:
        unit: The reading service's databases.
        organisation: Who takes the effects.
        feed: The topic.
        number: The last number that both histories have.
        head: The owner's hash of that number.
        by: Who decides.
        reason: Why; kept.

    Raises:
        NotFound: This feed was never read here.
        Conflict: It was read no further than `number`: nothing parted.
    """

    def write(work: Work) -> Adopted:
        held = work.rows(POSITIONS).find_one({"_id": feed})
        if held is None:
            raise NotFound("this feed was never read here")
        if held["number"] <= number:
            raise Conflict(f"this feed was read up to {held['number']} only: there is nothing to give up")
        if number == 0 and head != GENESIS:
            raise Conflict("number 0 has no hash of its own")
        parked = _put_aside(work, feed, number)
        blocked = {doc["key"] for doc in work.rows(PARKED).find({"feed": feed, "state": WAITING})}
        place = {"number": number, "head": head, "next": 0, "place": "", "generation": "", "tally": None}
        kept = [key for key in held["blocked"] if key in blocked]
        for key in (key for key in held["blocked"] if key not in blocked):
            forget_requests(work, feed, key)
        change = {**place, "blocked": kept, "decisions": held["decisions"] + 1}
        work.rows(POSITIONS).update_one({"_id": feed}, {"$set": change})
        note = {"_id": work.new_id(), "feed": feed, "after": number, "read": held["number"], "head": held["head"]}
        work.rows(ADOPTIONS).insert_one({**note, "by": by, "reason": reason, "at": work.now})
        return Adopted(organisation=organisation, after=number, read=held["number"], parked=parked)

    adopted = unit.run(organisation, write)
    log.warning("feed.adopted", feed=feed, organisation=organisation, after=number, read=adopted.read, by=by)
    return adopted


def _put_aside(work: Work, feed: str, number: int) -> int:
    """Rename what was parked or decided about numbers that are given up: new events will have those numbers."""
    count = 0
    aside = f"{feed}~{work.new_id()}"
    for name in (PARKED, DECISIONS):
        for doc in work.rows(name).find({"feed": feed}):
            if doc.get("number") is None or doc["number"] <= number:
                continue
            count += int(name == PARKED and doc["state"] == WAITING)
            moved = {**doc, "_id": doc["_id"].replace(feed, aside, 1), "feed": aside}
            if name == PARKED:
                moved["state"] = "given-up"
            work.rows(name).delete_one({"_id": doc["_id"]})
            work.rows(name).insert_one(moved)
    return count
