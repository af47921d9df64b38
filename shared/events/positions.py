"""How far an organisation has taken a feed: one document per (feed, organisation), in that organisation's database.

Lives here: the position, taking it over (ending the predecessor's session, raising the epoch once) and the guarded
step that every transaction of a reader makes. One integer per (feed, organisation) is the whole deduplication, and it
never expires. Must not live here: the log, a reaction, a decision about a record.
"""

from __future__ import annotations

from typing import Final

import msgspec
from bson.binary import Binary
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from shared.errors import Unavailable
from shared.events.envelope import GENESIS
from shared.storage.mongo import Document, server_is_gone
from shared.storage.unit_of_work import UnitOfWork, Work

POSITIONS: Final = "positions"
"""The collection; `_id` is the feed's topic."""


class Fenced(Exception):
    """Another reader has taken this position over: leave, join again, and never raise the epoch a second time."""


class PositionMoved(Exception):
    """The stored position is not the one in memory: read it again before going on."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one organisation stands in one feed.

    `next` is the offset from which to read (a hint: the number decides what is taken). `place` is cluster id and topic
    id, `generation` what the owner's relay named; together the log's identity. `decisions` rises with every replay or
    discard, so that the reader notices. `blocked` are the keys of which something is parked.
    """

    feed: str
    next: int = 0
    number: int = 0
    head: str = GENESIS
    place: str = ""
    generation: str = ""
    epoch: int = 0
    decisions: int = 0
    blocked: tuple[str, ...] = ()


def position_from(doc: Document) -> Position:
    """Return the position that a document holds."""
    return Position(
        feed=doc["_id"],
        next=doc["next"],
        number=doc["number"],
        head=doc["head"],
        place=doc["place"],
        generation=doc["generation"],
        epoch=doc["epoch"],
        decisions=doc["decisions"],
        blocked=tuple(doc["blocked"]),
    )


def _fields(position: Position) -> Document:
    return {
        "next": position.next,
        "number": position.number,
        "head": position.head,
        "place": position.place,
        "generation": position.generation,
        "blocked": list(position.blocked),
    }


def read(unit: UnitOfWork, organisation: str, feed: str) -> Position | None:
    """Return the stored position, None where nothing was ever read."""
    doc = unit.reading(organisation).rows(POSITIONS).find_one({"_id": feed})
    return None if doc is None else position_from(doc)


def take_over(unit: UnitOfWork, session: ClientSession, organisation: str, feed: str) -> Position:
    """Make this reader the only one that can move the position, and return it.

    The predecessor's session is ended first: a process killed inside a transaction otherwise keeps its locks for a
    minute and more. Then the epoch rises by one. Called once per assignment, before the first read.

    Raises:
        Unavailable: The database does not answer.
    """
    mine = session_id(session)
    doc = unit.reading(organisation).rows(POSITIONS).find_one({"_id": feed})
    if doc is not None and doc.get("session") not in (None, mine):
        end_session(unit, doc["session"])

    def take(work: Work) -> Position:
        rows = work.rows(POSITIONS)
        held = rows.find_one({"_id": feed})
        if held is None:
            fresh = Position(feed=feed, epoch=1)
            rows.insert_one({"_id": feed, "epoch": 1, "decisions": 0, "session": mine, **_fields(fresh)})
            return fresh
        rows.update_one({"_id": feed}, {"$set": {"epoch": held["epoch"] + 1, "session": mine}})
        return position_from({**held, "epoch": held["epoch"] + 1})

    return unit.run(organisation, take, session=session)


def move(work: Work, old: Position, new: Position) -> None:
    """Move the position inside the caller's transaction, if nobody else did.

    Raises:
        PositionMoved: The stored position is another; `settle` says which of the two reasons it is.
    """
    guard = {"_id": old.feed, "epoch": old.epoch, "number": old.number, "decisions": old.decisions}
    if work.rows(POSITIONS).update_one(guard, {"$set": _fields(new)}) == 0:
        raise PositionMoved


def settle(unit: UnitOfWork, organisation: str, old: Position) -> Position:
    """Return the stored position after `PositionMoved`.

    Raises:
        Fenced: It belongs to another reader now.
    """
    stored = read(unit, organisation, old.feed)
    if stored is None or stored.epoch != old.epoch:
        raise Fenced
    return stored


def session_id(session: ClientSession) -> bytes:
    """Return the id of a session as it stands beside the epoch."""
    return bytes(session.session_id["id"])


def end_session(unit: UnitOfWork, identifier: bytes) -> None:
    """End a predecessor's session, and with it a transaction that it left open.

    Raises:
        Unavailable: The database does not answer.
    """
    try:
        unit.client.admin.command({"killSessions": [{"id": Binary(bytes(identifier), 4)}]})
    except PyMongoError as error:
        if server_is_gone(error):
            raise Unavailable("the database does not answer") from error
        raise
