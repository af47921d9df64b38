"""Where a feed stands in its owner's database: names of collections, the entry and the pending document of a commit.

Feed = outbox = ledger: entries are never changed and never deleted. Several feeds live in one database, told apart by
the prefix of their collections (`org_entries`, `out_entries`). Numbers stand beside the entries, never in them
(`numbering.py`). No Kafka here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from bson.binary import Binary

from shared.errors import Malformed
from shared.events.envelope import Cause, Envelope, Outgoing, instant, schema_of, source_of, topic_of
from shared.events.hashing import hash_of
from shared.identifiers import NewIdentifier
from shared.storage.mongo import Document

MOST_EVENTS: Final = 500
MOST_BYTES: Final = 4 * 1024 * 1024
LARGEST_EVENT_BYTES: Final = 900_000
"""A record with its headers stays below 1 MiB, the default limit of brokers."""
LONGEST_KEY_BYTES: Final = 1024


class FeedName(msgspec.Struct, frozen=True):
    """One feed: `FeedName("org", "brent", "enrolment")`."""

    feed: str
    organisation: str
    service: str

    @property
    def topic(self) -> str:
        """Return the feed's topic."""
        return topic_of(self.feed, self.organisation, self.service)

    @property
    def entries(self) -> str:
        """Return the collection of the entries."""
        return f"{self.feed}_entries"

    @property
    def pending(self) -> str:
        """Return the collection of the entries that have no number yet."""
        return f"{self.feed}_pending"

    @property
    def numbering(self) -> str:
        """Return the collection of the numbering documents, one per round, numbered from 1 by their `_id`."""
        return f"{self.feed}_numbering"

    @property
    def state(self) -> str:
        """Return the collection of the feed's two single documents, `head` and `mark`."""
        return f"{self.feed}_state"


def feed_of(topic: str) -> FeedName:
    """Return the feed that a topic is for.

    Raises:
        Malformed: It is no feed's topic.
    """
    parts = topic.split(".")
    if len(parts) != 4 or parts[3] != "v1" or not all(parts):
        raise Malformed("this is no feed's topic")
    return FeedName(parts[0], parts[1], parts[2])


def check_entry(events: Sequence[Outgoing]) -> None:
    """Refuse what could never be sent, before it is committed.

    Raises:
        Malformed: More than 500 events, more than 4 MiB, one event too large, a key that is empty or too long.
    """
    if len(events) > MOST_EVENTS:
        raise Malformed(f"one commit emits at most {MOST_EVENTS} events")
    if any(len(event.data) > LARGEST_EVENT_BYTES for event in events):
        raise Malformed(f"one event holds at most {LARGEST_EVENT_BYTES} bytes")
    if sum(len(event.data) for event in events) > MOST_BYTES:
        raise Malformed(f"one commit emits at most {MOST_BYTES} bytes")
    if any(not 0 < len(event.key.encode()) <= LONGEST_KEY_BYTES or event.version < 0 for event in events):
        raise Malformed(f"an event's key holds 1 to {LONGEST_KEY_BYTES} bytes and its version is not negative")


def entry_document(
    name: FeedName, events: Sequence[Outgoing], *, at: datetime, causes: Sequence[Cause], new_identifier: NewIdentifier
) -> Document:
    """Return the feed entry of one commit: everything that will be sent, but number and previous hash.

    `causes` says of each event why it happened: a reader's commit answers several events at once.

    Raises:
        Malformed: See `check_entry`.
    """
    check_entry(events)
    return {
        "_id": new_identifier(),
        "source": source_of(name.topic),
        "organisation": name.organisation,
        "time": instant(at),
        "events": [
            {
                "id": new_identifier(),
                "type": event.type,
                "subject": event.key,
                "dataschema": schema_of(event.type),
                "correlationid": cause.correlation_id,
                "causationid": cause.causation_id,
                "traceparent": cause.traceparent,
                "data": Binary(event.data),
            }
            for event, cause in zip(events, causes, strict=True)
        ],
    }


def pending_document(entry_id: str, events: Sequence[Outgoing]) -> Document:
    """Return the small document by which the relay finds an entry and knows what it must come after.

    `versions` holds, per aggregate, the first and the last version that the commit made.
    """
    spans: dict[str, tuple[int, int]] = {}
    for event in events:
        low, high = spans.get(event.key, (event.version, event.version))
        spans[event.key] = (min(low, event.version), max(high, event.version))
    return {
        "_id": entry_id,
        "count": len(events),
        "bytes": sum(len(event.data) for event in events),
        "versions": [[key, low, high] for key, (low, high) in spans.items()],
    }


def numbered_events(entry: Document, first: int, previous: str) -> list[tuple[Envelope, str]]:
    """Return the entry's events with their hashes, in order, the first numbered `first` and chained to `previous`."""
    numbered: list[tuple[Envelope, str]] = []
    for number, event in enumerate(entry["events"], start=first):
        envelope = Envelope(
            id=event["id"],
            source=entry["source"],
            type=event["type"],
            subject=event["subject"],
            time=entry["time"],
            dataschema=event["dataschema"],
            organisation=entry["organisation"],
            feedseq=number,
            prevhash=previous,
            correlationid=event["correlationid"],
            causationid=event["causationid"],
            traceparent=event["traceparent"],
            data=bytes(event["data"]),
        )
        previous = hash_of(envelope)
        numbered.append((envelope, previous))
    return numbered
