"""Feeds full of made-up events: committed to a database for a relay, or put on the broker as a relay would have.

The second way uses the relay's own numbering, hashing and encoding from memory, so that a reader's row does not have to
wait for a database. Everything follows from a number, so that two runs read the same events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from shared.events.envelope import GENESIS, Cause, Opened, Outgoing, instant, source_of
from shared.events.feed import FeedName, entry_document, numbered_events, pending_document
from shared.events.records import Record, encode, encode_unnumbered
from shared.events.topics import Topics
from shared.identifiers import new_identifier
from shared.storage.unit_of_work import UnitOfWork, Work
from tests.bench.stage import Stage

TYPE = "enrolment.requested.v1"
ENTRY_EVENTS = 500
FLUSH_SECONDS = 60.0
COURSES, MONTHS = 10, 5
POISON = b'{"enrolment_id": 7}'
"""An event that no reader's struct takes: it is parked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A feed on the broker, and what its good events should leave behind, in the feed's order."""

    feed: FeedName
    enrolment_ids: tuple[str, ...]
    poisoned: int = 0

    @property
    def events(self) -> int:
        """Return how many events it has."""
        return len(self.enrolment_ids) + self.poisoned


def bodies(size: int, first: int = 0) -> list[bytes]:
    """Return the data of `size` events as they would come in: 50 different buckets, as terms have."""
    return [
        msgspec.json.encode(
            {
                "enrolment_id": f"enrolment-{first + number:024d}",
                "practitioner_id": f"person-{first + number:028d}",
                "cohort_owner": "brent",
                "course": f"C{number % COURSES}",
                "intake": "2025-09",
                "route": "practice_only",
                "pcf_level": "SW",
                "requested_on": f"2025-{1 + number % MONTHS:02d}-12",
            }
        )
        for number in range(size)
    ]


def event(body: bytes) -> Outgoing:
    """Return the event that a body leads to, of an aggregate of its own."""
    return Outgoing(type=TYPE, key=new_identifier(), version=1, data=body)


def commit(unit: UnitOfWork, feed: FeedName, data: Sequence[bytes], events: int = ENTRY_EVENTS) -> None:
    """Put events on a feed as commits of `events` each would have, many commits' documents at a time; never timed."""
    entries = [data[start : start + events] for start in range(0, len(data), events)]
    at_once = max(1, ENTRY_EVENTS // events)
    for start in range(0, len(entries), at_once):
        part = [[event(body) for body in entry] for entry in entries[start : start + at_once]]

        def put(work: Work, part: list[list[Outgoing]] = part) -> None:
            documents = [
                entry_document(feed, each, at=work.now, causes=[work.cause] * len(each), new_identifier=new_identifier)
                for each in part
            ]
            pending = [pending_document(doc["_id"], each) for doc, each in zip(documents, part, strict=True)]
            work.rows(feed.entries).insert_many(documents)
            work.rows(feed.pending).insert_many(pending)

        unit.run(feed.organisation, put)


def publish(stage: Stage, feed: FeedName, size: int, poison: Collection[int] = (), first: int = 0) -> Published:
    """Put a whole feed on the broker and return what it holds; the events numbered in `poison` are unreadable."""
    topics = Topics(stage.bootstrap_servers, stage.clock, config=stage.kafka_config)
    producer = stage.producer()
    try:
        topics.ensure_feed(feed.topic)
        for record in records(stage, feed, size, poison, first):
            producer.send(feed.topic, key=record.key, value=record.value, headers=record.headers, partition=0)
        producer.flush(FLUSH_SECONDS)
    finally:
        producer.close(timeout=2)
        topics.close()
    bad = set(poison)
    good = tuple(f"enrolment-{first + number - 1:024d}" for number in range(1, size + 1) if number not in bad)
    return Published(feed=feed, enrolment_ids=good, poisoned=len(bad))


def records(stage: Stage, feed: FeedName, size: int, poison: Collection[int] = (), first: int = 0) -> Iterator[Record]:
    """Yield the opening and every event of a feed, numbered from 1 and chained."""
    at, source = stage.clock.now(), source_of(feed.topic)
    yield encode_unnumbered(
        Opened(generation=new_identifier()),
        identifier=new_identifier(),
        source=source,
        organisation=feed.organisation,
        time=instant(at),
        epoch=1,
    )
    bad, previous = set(poison), GENESIS
    for start in range(0, size, ENTRY_EVENTS):
        data = bodies(min(ENTRY_EVENTS, size - start), first + start)
        outgoing = [event(POISON if start + n in bad else body) for n, body in enumerate(data, 1)]
        cause = Cause(new_identifier())
        entry = entry_document(feed, outgoing, at=at, causes=[cause] * len(outgoing), new_identifier=new_identifier)
        numbered = numbered_events(entry, start + 1, previous)
        previous = numbered[-1][1]
        for envelope, _ in numbered:
            yield encode(envelope, 1)
