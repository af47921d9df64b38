"""Giving up a parked record for good takes two people: one asks with a reason, another confirms.

Lives here: the two steps, each inside its caller's transaction, and the refusal of one person as both. Who may ask at
all is decided by the command line and the API. Every rebuild skips what was discarded.
"""

from __future__ import annotations

from typing import ClassVar

import structlog

from shared.errors import Conflict, Forbidden, NotFound
from shared.events.parking import (
    DECISIONS,
    DISCARD_ASKED,
    DISCARDED,
    PARKED,
    WAITING,
    decide,
    note_step,
    waiting_of_key,
)
from shared.events.positions import POSITIONS
from shared.events.requests import forget_requests
from shared.storage.mongo import Document
from shared.storage.unit_of_work import UnitOfWork, Work

log = structlog.get_logger(__name__)


class SecondPersonNeeded(Forbidden):
    """Whoever asked for a discard cannot confirm it."""

    slug: ClassVar[str] = "second-person-needed"


class NobodyAsked(Conflict):
    """There is no discard to confirm."""

    slug: ClassVar[str] = "nobody-asked"


def ask_discard(work: Work, identifier: str, *, by: str, reason: str) -> None:
    """Ask for a record to be given up; nothing happens to it before another person confirms.

    Asking again replaces what was asked before: the last one who asked is the one who cannot confirm.

    Raises:
        NotFound: Nothing waits under that id.
    """
    note_step(work, _waiting(work, identifier), DISCARD_ASKED, by=by, reason=reason)


def confirm_discard(work: Work, identifier: str, *, by: str, reason: str | None = None) -> None:
    """Give up one parked record for good. Its key is free when nothing else waits under it.

    `reason` is the one that was read, where it must be the one that was given.

    Raises:
        NotFound: Nothing waits under that id.
        NobodyAsked: Nobody asked for it, or for another reason by now.
        SecondPersonNeeded: The one who asked confirms.
    """
    doc = _waiting(work, identifier)
    asked = work.rows(DECISIONS).find_one({"_id": identifier})
    if asked is None or asked["decision"] != DISCARD_ASKED:
        raise NobodyAsked("nobody has asked for this record to be discarded")
    if reason is not None and reason != asked["reason"]:
        raise NobodyAsked("the discard was asked for with another reason: read it again")
    if _is_same(asked["by"], by):
        raise SecondPersonNeeded("whoever asked for the discard cannot confirm it: a second person does")
    decide(work, doc, DISCARDED, by=asked["by"], reason=asked["reason"], second=by)
    if doc["number"] is not None and not waiting_of_key(work, doc["feed"], doc["key"], most=1):
        _free(work, doc["feed"], doc["key"])


def discard(unit: UnitOfWork, organisation: str, identifier: str, *, by: str, confirmed_by: str, reason: str) -> None:
    """Do both steps in one transaction, for whoever has both people's word.

    Raises:
        NotFound: Nothing waits under that id.
        SecondPersonNeeded: The two are one person.
    """

    def write(work: Work) -> None:
        ask_discard(work, identifier, by=by, reason=reason)
        confirm_discard(work, identifier, by=confirmed_by)

    unit.run(organisation, write)
    log.info("parked.discarded", organisation=organisation, parked_id=identifier)


def _waiting(work: Work, identifier: str) -> Document:
    doc = work.rows(PARKED).find_one({"_id": identifier, "state": WAITING})
    if doc is None:
        raise NotFound("nothing waits under this id")
    return doc


def _is_same(one: str, other: str) -> bool:
    """Return whether two names are one person's, however they are written."""
    return one.strip().casefold() == other.strip().casefold()


def _free(work: Work, feed: str, key: str) -> None:
    """Let later events of the key flow again, and forget a replay that has nothing to take any more."""
    rows = work.rows(POSITIONS)
    position = rows.find_one({"_id": feed})
    if position is not None:
        blocked = [other for other in position["blocked"] if other != key]
        rows.update_one({"_id": feed}, {"$set": {"blocked": blocked, "decisions": position["decisions"] + 1}})
    forget_requests(work, feed, key)
