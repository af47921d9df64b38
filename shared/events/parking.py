"""What could not be taken: parked where it fell, with whatever came later under its key, until a person decides.

Lives here: the parked document, how it is listed and looked at, and where a decision about it is written: by (feed,
number), with every step that led to it, obeyed by every rebuild. A reason is a code that never quotes what was sent.
What a person decides is `deciding.py` and `discarding.py`, what is shown of a record `parked_view.py`. Must not live
here: who may decide (the command line and the API ask that first).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from bson.binary import Binary

from shared.errors import NotFound
from shared.events.checking import LogRecord, Next, Stray
from shared.events.envelope import Envelope
from shared.events.hashing import hash_of
from shared.storage.mongo import Document, MongoDatabase
from shared.storage.rows import chunks
from shared.storage.unit_of_work import Reading, UnitOfWork, Work

PARKED: Final = "parked"
DECISIONS: Final = "parked_decisions"
WAITING: Final = "waiting"
REPLAYED: Final = "replayed"
DISCARDED: Final = "discarded"
MOST_BYTES_KEPT: Final = 64 * 1024
"""Of a record without a number; one with a number is kept whole, because it may be replayed."""
FOLLOWS: Final = "follows-parked"
DISCARD_ASKED: Final = "discard-asked"
"""What stands as the decision while a discard waits for its second person; a rebuild takes no notice of it."""
WITHOUT_CONTENT: Final = {"event": 0, "data": 0, "raw_key": 0, "raw_value": 0, "raw_headers": 0}


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """One parked record. `number` is None for a stray; `is_cause` tells the first from those that only follow it."""

    id: str
    feed: str
    number: int | None
    key: str | None
    type: str | None
    reason: str
    is_cause: bool
    security: bool
    state: str
    parked_at: datetime
    decided_by: str | None = None
    decided_reason: str | None = None


class Step(msgspec.Struct, frozen=True):
    """One thing that a person did about a parked record: asked for, confirmed, replayed."""

    what: str
    by: str
    reason: str
    at: datetime


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What stands decided about a record, and how it came about. `second` confirmed what `by` asked for."""

    decision: str
    by: str
    reason: str
    at: datetime
    second: str | None = None
    steps: tuple[Step, ...] = ()


def prepare(database: MongoDatabase) -> None:
    """Make the index by which what waits is found and counted; again changes nothing."""
    database[PARKED].create_index([("state", 1), ("feed", 1), ("number", 1)])


def parked_id(feed: str, number: int) -> str:
    """Return the `_id` of a parked event with a number."""
    return f"{feed}#{number}"


def event_document(feed: str, event: Next, reason: str, *, is_cause: bool, at: datetime) -> Document:
    """Return the document of a parked event; the event is kept whole."""
    envelope = event.envelope
    return {
        "_id": parked_id(feed, event.number),
        "feed": feed,
        "number": event.number,
        "key": envelope.subject,
        "type": envelope.type,
        "reason": reason,
        "cause": is_cause,
        "security": False,
        "state": WAITING,
        "at": at,
        "event": {name: getattr(envelope, name) for name in Envelope.__struct_fields__ if name != "data"},
        "data": Binary(envelope.data),
    }


def stray_document(feed: str, place: str, stray: Stray, *, at: datetime) -> Document:
    """Return the document of a stray: once per instance, by feed, log identity and offset."""
    return {
        "_id": f"{feed}@{place}@{stray.record.offset}",
        "feed": feed,
        "number": None,
        "key": None,
        "type": None,
        "reason": stray.reason,
        "cause": True,
        "security": stray.security,
        "state": WAITING,
        "at": at,
        **_kept(stray.record),
    }


def _kept(record: LogRecord) -> Document:
    value = record.value or b""
    headers = [[name, Binary((raw or b"")[:1024])] for name, raw in record.headers[:50]]
    return {
        "offset": record.offset,
        "raw_key": None if record.key is None else Binary(record.key[:1024]),
        "raw_value": None if record.value is None else Binary(value[:MOST_BYTES_KEPT]),
        "raw_headers": headers,
        "size": len(value),
        "sha256": hashlib.sha256(value).hexdigest(),
    }


def park(work: Work, documents: Iterable[Document]) -> None:
    """Keep the documents inside the caller's transaction; one that is kept already stays as it is.

    One that was replayed and fails again, in a rebuild, waits again: its key would be blocked with nothing to replay.
    """
    fresh = {doc["_id"]: doc for doc in documents}
    if not fresh:
        return
    names = list(fresh)
    rows = work.rows(PARKED)
    for chunk in chunks(names):
        asked = {"_id": {"$in": list(chunk)}}
        known = {doc["_id"]: doc["state"] for doc in rows.find(asked, projection={"state": 1})}
        rows.insert_many([fresh[name] for name in chunk if name not in known])
        for name in (name for name, state in known.items() if state == REPLAYED):
            rows.replace_one({"_id": name}, fresh[name])


def discarded_numbers(unit: UnitOfWork, organisation: str, feed: str) -> frozenset[int]:
    """Return the numbers of a feed that a person discarded: a rebuild skips them."""
    rows = unit.reading(organisation).rows(DECISIONS)
    return frozenset(doc["number"] for doc in rows.find({"feed": feed, "decision": DISCARDED}))


def list_parked(
    unit: UnitOfWork, organisation: str, *, feed: str | None = None, state: str = WAITING
) -> tuple[Parked, ...]:
    """Return what is parked, oldest number first within a feed, strays after them; empty when nothing is."""
    wanted: dict[str, Any] = {"state": state} if feed is None else {"state": state, "feed": feed}
    docs = unit.reading(organisation).rows(PARKED).find(wanted, projection=WITHOUT_CONTENT)
    found = [parked_from(doc) for doc in docs]
    return tuple(sorted(found, key=lambda one: (one.feed, one.number is None, one.number or 0, one.id)))


def waiting_in(reading: Reading) -> tuple[Parked, ...]:
    """Return everything that waits in this organisation's database, in no particular order, without content."""
    docs = reading.rows(PARKED).find({"state": WAITING}, projection=WITHOUT_CONTENT)
    return tuple(parked_from(doc) for doc in docs)


def page_in(reading: Reading, *, state: str, feed: str | None, after: str | None, most: int) -> tuple[Parked, ...]:
    """Return the next parked records by id, without content."""
    wanted: dict[str, Any] = {"state": state}
    if feed is not None:
        wanted["feed"] = feed
    if after is not None:
        wanted["_id"] = {"$gt": after}
    docs = reading.rows(PARKED).find(wanted, sort=[("_id", 1)], limit=most, projection=WITHOUT_CONTENT)
    return tuple(parked_from(doc) for doc in docs)


def waiting_one(work: Work, identifier: str) -> Parked:
    """Return one record that waits.

    Raises:
        NotFound: Nothing waits under that id.
    """
    doc = work.rows(PARKED).find_one({"_id": identifier, "state": WAITING}, projection=WITHOUT_CONTENT)
    if doc is None:
        raise NotFound("nothing waits under this id")
    return parked_from(doc)


def inspect(unit: UnitOfWork, organisation: str, identifier: str) -> tuple[Parked, Envelope | None] | None:
    """Return one parked record, with the event where it is one; None where there is none of that id."""
    doc = unit.reading(organisation).rows(PARKED).find_one({"_id": identifier})
    if doc is None:
        return None
    return parked_from(doc), envelope_in(doc) if doc["number"] is not None else None


def decision_about(reading: Reading, identifier: str) -> Decision | None:
    """Return what people decided or asked for about a record, None where nobody did."""
    doc = reading.rows(DECISIONS).find_one({"_id": identifier})
    if doc is None:
        return None
    return Decision(
        decision=doc["decision"],
        by=doc["by"],
        reason=doc["reason"],
        at=doc["at"],
        second=doc.get("second"),
        steps=tuple(Step(one["what"], one["by"], one["reason"], one["at"]) for one in doc.get("steps", ())),
    )


def envelope_in(doc: Document) -> Envelope:
    """Return the event that a parked document holds."""
    return msgspec.convert({**doc["event"], "data": bytes(doc["data"])}, Envelope)


def next_in(doc: Document) -> Next:
    """Return the event that a parked document holds, as the reader had it."""
    envelope = envelope_in(doc)
    return Next(envelope, hash_of(envelope))


def waiting_of_key(work: Work, feed: str, key: str, *, most: int = 0) -> Sequence[Document]:
    """Return what waits under one key of a feed, in the feed's order, the first `most` of it (0: all)."""
    wanted = {"feed": feed, "key": key, "state": WAITING}
    return work.rows(PARKED).find(wanted, sort=[("number", 1)], limit=most)


def decide(work: Work, doc: Document, decision: str, *, by: str, reason: str, second: str | None = None) -> None:
    """Write what a person decided about one parked record, where rebuilds and auditors look."""
    work.rows(PARKED).update_one(
        {"_id": doc["_id"], "state": WAITING},
        {"$set": {"state": decision, "decided_by": by, "decided_reason": reason, "decided_at": work.now}},
    )
    note_step(work, doc, decision, by=by, reason=reason, second=second)


def note_step(work: Work, doc: Document, what: str, *, by: str, reason: str, second: str | None = None) -> None:
    """Write what stands decided about a record now, and keep every step before it."""
    rows = work.rows(DECISIONS)
    before = rows.find_one({"_id": doc["_id"]}, projection={"steps": 1}) or {}
    step = {"what": what, "by": second or by, "reason": reason, "at": work.now}
    rows.replace_one(
        {"_id": doc["_id"]},
        {
            "_id": doc["_id"],
            "feed": doc["feed"],
            "number": doc["number"],
            "decision": what,
            "by": by,
            "second": second,
            "reason": reason,
            "at": work.now,
            "steps": [*before.get("steps", []), step],
        },
        upsert=True,
    )


def parked_from(doc: Document) -> Parked:
    """Return a parked record without its content."""
    return Parked(
        id=doc["_id"],
        feed=doc["feed"],
        number=doc["number"],
        key=doc["key"],
        type=doc["type"],
        reason=doc["reason"],
        is_cause=doc["cause"],
        security=doc["security"],
        state=doc["state"],
        parked_at=doc["at"],
        decided_by=doc.get("decided_by"),
        decided_reason=doc.get("decided_reason"),
    )
