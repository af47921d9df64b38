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
from shared.events.attempts import ATTEMPT, Attempt, attempt_from
from shared.events.envelope import GENESIS
from shared.events.tally import Tally, document_of, tally_from
from shared.storage.mongo import Document, server_is_gone
from shared.storage.unit_of_work import UnitOfWork, Work

POSITIONS: Final = "positions"
"""The collection; `_id` is the feed's topic."""


class Fenced(Exception):
    """Another reader has taken this position over: leave, join again, and never raise the epoch a second time.

    `organisation` and `feed` say whose position of what; they are empty where it was no other reader, but a backup.
    """

    def __init__(self, organisation: str = "", feed: str = "") -> None:
        super().__init__(organisation, feed)
        self.organisation = organisation
        self.feed = feed


class PositionMoved(Exception):
    """The stored position is not the one in memory: read it again before going on."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one organisation stands in one feed.

    `next` is the offset from which to read (a hint: the number decides what is taken). `place` is cluster id and topic
    id, `generation` what the owner's relay named; together the log's identity. `decisions` rises with every discard,
    adoption or swap, so that the reader notices. `blocked` are the keys of which something is parked. `attempt` is what
    was being tried when the position was read (`attempts.py`). `seed` is this database's own secret from which the ids
    that reactions make follow (`derived_ids.py`). `tally` is what was counted up to `number`, None where the
    organisation is not the feed's home or counting began too late.
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
    attempt: Attempt | None = None
    seed: str = ""
    tally: Tally | None = None


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
        attempt=attempt_from(doc.get(ATTEMPT)),
        seed=doc.get("seed", ""),
        tally=tally_from(doc.get("tally")),
    )


def _fields(position: Position) -> Document:
    return {
        "next": position.next,
        "number": position.number,
        "head": position.head,
        "place": position.place,
        "generation": position.generation,
        "blocked": list(position.blocked),
        "tally": document_of(position.tally),
    }


def vacant(feed: str) -> Document:
    """Return the document of a feed that nobody has read yet; whoever takes it over raises its epoch."""
    return {"_id": feed, "epoch": 0, "decisions": 0, "session": None, **_fields(Position(feed=feed))}


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
            fresh = Position(feed=feed, epoch=1, seed=work.new_id())
            begun = {"epoch": 1, "decisions": 0, "session": mine, "seed": fresh.seed}
            rows.insert_one({"_id": feed, **begun, **_fields(fresh)})
            return fresh
        claim = {"epoch": held["epoch"] + 1, "session": mine, "seed": held.get("seed") or work.new_id()}
        rows.update_one({"_id": feed}, {"$set": claim})
        return position_from({**held, **claim})

    return unit.run(organisation, take, session=session)


def move(work: Work, old: Position, new: Position) -> None:
    """Move the position inside the caller's transaction, if nobody else did.

    Not the number alone is compared: a replay frees a key under the same one, and a topic without numbers has but its
    offset. A database that came back from a backup shows by them that it did.

    Raises:
        PositionMoved: The stored position is another; `settle` says which of the two reasons it is.
    """
    held = {"number": old.number, "next": old.next, "decisions": old.decisions, "blocked": list(old.blocked)}
    guard = {"_id": old.feed, "epoch": old.epoch, **held}
    if work.rows(POSITIONS).update_one(guard, {"$set": _fields(new)}) == 0:
        raise PositionMoved


def mark_attempt(work: Work, position: Position, attempt: Attempt) -> None:
    """Write what is going to be tried, before it is tried, if the position is still this reader's.

    Raises:
        PositionMoved: It is another's.
    """
    guard = {"_id": position.feed, "epoch": position.epoch}
    if work.rows(POSITIONS).update_one(guard, {"$set": {ATTEMPT: attempt.document()}}) == 0:
        raise PositionMoved


def settle(unit: UnitOfWork, organisation: str, old: Position, *, may_go_back: bool = False) -> Position:
    """Return the stored position after `PositionMoved`.

    A number below the one in memory means that the database was restored from a backup under this reader: it has to
    begin again from what is stored, or it would go on behind events that this database has never seen. Only a person's
    decision (`may_go_back`) sets a number back otherwise. The same goes for an offset of a topic without numbers.

    Raises:
        Fenced: It belongs to another reader now, or went back.
    """
    stored = read(unit, organisation, old.feed)
    if stored is None or stored.epoch < old.epoch:
        raise Fenced
    if stored.epoch > old.epoch:
        raise Fenced(organisation, old.feed)
    if stored.number < old.number and not may_go_back:
        raise Fenced
    if stored.number == old.number == 0 and stored.place == old.place and stored.next < old.next and not may_go_back:
        raise Fenced
    return stored


def went_back(stored: Position, held: Position) -> bool:
    """Say whether the stored position is older than the one that a reader holds: its database was restored under it.

    A key that is blocked under the same number as before was freed here since; only a number takes one in.
    """
    if stored.decisions > held.decisions:
        return False
    return stored.number < held.number or (
        stored.number == held.number and not set(stored.blocked) <= set(held.blocked)
    )


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
