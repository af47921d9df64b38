"""What a recovered feed has told already, so that a reaction that happens a second time does not tell it twice.

An owner's database that came back from a backup takes others' events again from where it stood then. Its reactions make
their rows again, with the same ids (`derived_ids.py`), and would emit their events again; but those are on the feed
already, brought back by `recovery.py`. Each of them is left out once, and whether it would have said the same is kept
for people. Must not live here: how the events came back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from shared.events.envelope import Cause, Envelope, Outgoing
from shared.storage.mongo import Document
from shared.storage.rows import chunks
from shared.storage.unit_of_work import Reading, Work

RETOLD: Final = "retold"
"""The collection: one document per event that was brought back and that a reaction had emitted."""
BROUGHT_BACK: Final = "brought_back"
"""The collection: one document per event that was brought back, whoever's act had emitted it.

A service looks there (`type`, `facts`) before it does for good what it may have done already: what a reaction told the
first time may be due to a person's act the second time, and the other way round.
"""


class Redone(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the reactions behind events that were brought back have happened again.

    `other` counts those that would have told something else now: their rows differ from what others were told.
    """

    expected: int
    done: int
    other: int


def remember_told(work: Work, feed: str, events: Iterable[Envelope]) -> None:
    """Keep the events that are brought back: those of reactions to be left out when they are told again."""
    for event in events:
        facts = msgspec.json.decode(event.data)
        said = {"feed": feed, "number": event.feedseq, "type": event.type, "key": event.subject, "facts": facts}
        work.rows(BROUGHT_BACK).replace_one({"_id": event.id}, {"_id": event.id, **said}, upsert=True)
        if event.causationid is None:
            continue
        name = _name(feed, event.causationid, event.type, event.subject)
        about = _about(feed, event.type, event.subject)
        fresh: Document = {"_id": name, "about": about, "told": [], "done": 0, "other": 0}
        found = work.rows(RETOLD).find_one({"_id": name}) or fresh
        if [event.feedseq, _digest(event.data)] not in found["told"]:
            found["told"].append([event.feedseq, _digest(event.data)])
        work.rows(RETOLD).replace_one({"_id": name}, found, upsert=True)


def was_recovered(reading: Reading) -> bool:
    """Say whether any of this database's feeds was brought back: only then is anything looked up."""
    return reading.rows(RETOLD).find_one({}, {"_id": 1}) is not None


def redone(reading: Reading) -> Redone:
    """Return how many of the reactions have happened again."""
    found = reading.rows(RETOLD).find({})
    return Redone(
        expected=sum(len(one["told"]) for one in found),
        done=sum(one["done"] for one in found),
        other=sum(one["other"] for one in found),
    )


def leave_out_told(work: Work) -> None:
    """Take out of what this transaction emits whatever the feed holds already from the first time."""
    names = [_name_of(event, cause) for event, cause in zip(work.emitted, work.causes, strict=True)]
    known = {doc["_id"]: doc for part in _parts(names) for doc in work.rows(RETOLD).find({"_id": {"$in": list(part)}})}
    kept: list[tuple[Outgoing, Cause]] = []
    for event, cause, name in zip(work.emitted, work.causes, names, strict=True):
        doc = known.get(name or "")
        if name is not None and (doc is None or doc["done"] == len(doc["told"])):
            doc = _same_for_another_cause(work, known, event.feed, event.type, event.key, event.data)
        if name is None or doc is None:
            kept.append((event, cause))
        else:
            _note(doc, event)
    for doc in known.values():
        work.rows(RETOLD).replace_one({"_id": doc["_id"]}, doc)
    work.emitted[:] = [event for event, _ in kept]
    work.causes[:] = [cause for _, cause in kept]


def _same_for_another_cause(
    work: Work, known: dict[str, Document], feed: str, event_type: str, subject: str, data: bytes
) -> Document | None:
    """Return what was told in the same words for another cause, if it was not told again yet.

    What needs facts of two feeds is told when the second comes; read again, the other may be the second.
    """
    for found in work.rows(RETOLD).find({"about": _about(feed, event_type, subject)}):
        doc = known.setdefault(found["_id"], found)
        if doc["done"] < len(doc["told"]) and doc["told"][doc["done"]][1] == _digest(data):
            return doc
    return None


def take_out_told(work: Work, feed: str, events: list[Document]) -> list[Document]:
    """Return an entry's stored events without those that the feed holds already from the first time."""
    kept = []
    for event in events:
        cause = event["causationid"]
        name = None if cause is None else _name(feed, cause, event["type"], event["subject"])
        doc = None if name is None else work.rows(RETOLD).find_one({"_id": name})
        data = bytes(event["data"])
        if name is not None and (doc is None or doc["done"] == len(doc["told"])):
            doc = _same_for_another_cause(work, {}, feed, event["type"], event["subject"], data)
        if doc is None:
            kept.append(event)
            continue
        _note_data(doc, data)
        work.rows(RETOLD).replace_one({"_id": doc["_id"]}, doc)
    return kept


def _note(doc: Document, event: Outgoing) -> None:
    _note_data(doc, event.data)


def _note_data(doc: Document, data: bytes) -> None:
    _, digest = doc["told"][doc["done"]]
    doc["done"] += 1
    doc["other"] += int(digest != _digest(data))


def _name_of(event: Outgoing, cause: Cause) -> str | None:
    return None if cause.causation_id is None else _name(event.feed, cause.causation_id, event.type, event.key)


def _name(feed: str, causation: str, event_type: str, subject: str) -> str:
    return f"{feed}|{causation}|{event_type}|{subject}"


def _about(feed: str, event_type: str, subject: str) -> str:
    return f"{feed}|{event_type}|{subject}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _parts(names: Iterable[str | None]) -> Iterator[Sequence[str]]:
    wanted = list(dict.fromkeys(name for name in names if name is not None))
    return chunks(wanted)
