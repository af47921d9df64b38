"""What all sides read: the same enrolments on a plain topic for the peers, and as a numbered, chained feed.

The feed's records are made by the relay's own numbering, hashing and encoding, from memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from shared.clock import Clock
from shared.events import batching
from shared.events.envelope import GENESIS, Cause, Opened, Outgoing, instant, source_of
from shared.events.feed import FeedName, entry_document, numbered_events
from shared.events.records import Record, encode, encode_unnumbered
from shared.events.topics import Topics
from shared.identifiers import new_identifier
from tests.bench.peers.events import bodies

WRITER, READER = "enrolment", "assessment"
TYPE = "enrolment.requested.v1"
FEED = FeedName("org", "bench-peers", WRITER)
PLAIN = "bench-peers-plain"
ENTRY_EVENTS = 500
FLUSH_SECONDS = 60.0
LINGER_MILLISECONDS = 5


def publish(servers: str, size: int, clock: Clock) -> None:
    """Put `size` enrolments on the plain topic and on the feed, with the relay's own producer settings."""
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(PLAIN, num_partitions=1, replication_factor=1)])
    admin.close()
    topics = Topics(servers, clock)
    topics.ensure_feed(FEED.topic)
    topics.close()
    producer = KafkaProducer(
        bootstrap_servers=servers,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        batch_size=batching.BATCH_BYTES,
        linger_ms=LINGER_MILLISECONDS,
        max_request_size=batching.LARGEST_REQUEST_BYTES,
    )
    try:
        for body in bodies(size):
            producer.send(PLAIN, value=body, partition=0)
        for record in feed_records(size, clock):
            producer.send(FEED.topic, key=record.key, value=record.value, headers=record.headers, partition=0)
        producer.flush(FLUSH_SECONDS)
    finally:
        producer.close(timeout=2)


def feed_records(size: int, clock: Clock) -> Iterator[Record]:
    """Yield the feed's opening and its events, numbered from 1 and chained."""
    at = clock.now()
    yield encode_unnumbered(
        Opened(generation=new_identifier()),
        identifier=new_identifier(),
        source=source_of(FEED.topic),
        organisation=FEED.organisation,
        time=instant(at),
        epoch=1,
    )
    data, previous, first = bodies(size), GENESIS, 1
    while entry_bodies := list(islice(data, ENTRY_EVENTS)):
        outgoing = [Outgoing(type=TYPE, key=new_identifier(), version=1, data=body) for body in entry_bodies]
        causes = [Cause(new_identifier())] * len(outgoing)
        entry = entry_document(FEED, outgoing, at=at, causes=causes, new_identifier=new_identifier)
        numbered = numbered_events(entry, first, previous)
        previous, first = numbered[-1][1], first + len(numbered)
        for envelope, _ in numbered:
            yield encode(envelope, 1)
