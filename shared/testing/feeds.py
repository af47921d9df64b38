"""Builders for tests of the backbone: events, commits, a relay of one feed, what stands on a topic, what is heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from shared.clock import Clock, SystemClock
from shared.errors import Unavailable
from shared.events.envelope import Envelope, Outgoing, Received
from shared.events.feed import FeedName
from shared.events.log import LogRecord, OwnLog
from shared.events.relay import Outcome
from shared.events.relay_process import Relay, build_relay
from shared.events.subscriptions import Subscription
from shared.events.topics import BROKERS_CHOICE
from shared.identifiers import new_identifier
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork

T = TypeVar("T")

HEARD_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When whatever `a_received` returns was said."""


def an_event(key: str = "a", version: int = 1, *, feed: str = "org", **data: object) -> Outgoing:
    """Return an event of an aggregate."""
    body = msgspec.json.encode({"key": key, "version": version, **data})
    return Outgoing(type="test.happened.v1", key=key, version=version, data=body, feed=feed)


def a_commit(unit_of_work: UnitOfWork, organisation: str, *events: Outgoing) -> None:
    """Commit events."""
    unit_of_work.run(organisation, lambda work: work.emit(*events))


def commits(unit_of_work: UnitOfWork, organisation: str, count: int, *, first: int = 1) -> None:
    """Commit one event each for `count` versions of one aggregate."""
    for version in range(first, first + count):
        a_commit(unit_of_work, organisation, an_event("a", version))


def a_received(
    row: Subscription[T],
    data: Mapping[str, object],
    *,
    owner: str,
    key: str = "key",
    number: int = 1,
    identifier: str | None = None,
) -> Received[T]:
    """Return an event of an owner's feed as the reader hands it to a row of a service's subscriptions.

    The service that says it is the first word of its type; `identifier` is a new one where none is given.
    """
    service = row.type.partition(".")[0]
    return Received(
        id=identifier or new_identifier(),
        type=row.type,
        key=key,
        organisation=owner,
        service=service,
        topic=FeedName("org", owner, service).topic,
        number=number,
        time=HEARD_AT,
        correlation_id=new_identifier(),
        data=msgspec.json.decode(msgspec.json.encode(data), type=row.struct),
    )


def a_relay(
    mongodb_uri: str,
    bootstrap_servers: str,
    feeds: Sequence[FeedName],
    *,
    clock: Clock | None = None,
    stop: Event | None = None,
    holder: str | None = None,
    lease_seconds: float = 30.0,
    heartbeat_seconds: float = 3600.0,
    poll_seconds: float = 0.5,
    at: Callable[[str], None] = lambda _: None,
    kafka_config: Mapping[str, object] | None = None,
    replication_factor: int = BROKERS_CHOICE,
    bells_dir: Path | None = None,
) -> Relay:
    """Return a relay of some feeds of one service."""
    return build_relay(
        service=feeds[0].service,
        feeds=feeds,
        client_factory=lambda: connect(mongodb_uri, appname="relay"),
        bootstrap_servers=bootstrap_servers,
        clock=clock or SystemClock(),
        stop=stop or Event(),
        heartbeat_seconds=heartbeat_seconds,
        poll_seconds=poll_seconds,
        partnership_version="1",
        partnership_hash="f" * 64,
        holder=holder,
        lease_seconds=lease_seconds,
        at=at,
        kafka_config=kafka_config,
        replication_factor=replication_factor,
        bells_dir=bells_dir,
    )


def step_until_it_works(relay: Relay) -> Mapping[str, Outcome]:
    """Step over passing errors, as the relay's process does, and return the last outcomes."""
    for _ in range(20):
        try:
            return relay.step()
        except Unavailable:
            SystemClock().sleep(0.2)
    return relay.step()


def make_topic_anew(bootstrap_servers: str, topic: str) -> None:
    """Leave an empty topic with one partition, whether or not there was one.

    A client that still asks after a deleted topic has the local broker make it again, with four partitions; a broker
    may also need a moment to delete. So it is deleted until it could be made.

    Raises:
        Unavailable: Somebody was quicker each of twenty times.
    """
    admin, clock = KafkaAdminClient(bootstrap_servers=bootstrap_servers), SystemClock()
    try:
        for _ in range(20):
            with suppress(UnknownTopicOrPartitionError):
                admin.delete_topics([topic])
            with suppress(TopicAlreadyExistsError):
                admin.create_topics([NewTopic(topic, 1, 1)])
                return
            clock.sleep(0.1)
        raise Unavailable(f"{topic} is made by somebody else again and again")
    finally:
        admin.close()


def on_topic(bootstrap_servers: str, topic: str) -> list[LogRecord]:
    """Return everything that stands on a feed's topic."""
    return list(OwnLog(bootstrap_servers, topic, SystemClock()).read(0))


def as_they_stand(bootstrap_servers: str, topic: str) -> list[ConsumerRecord]:
    """Return everything that stands on a topic with one partition, byte for byte as it was sent.

    Raises:
        Unavailable: Not all of it came within half a minute.
    """
    consumer, clock = KafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False), SystemClock()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        found: list[ConsumerRecord] = []
        until = clock.monotonic() + 30
        while not found or found[-1].offset + 1 < consumer.highwater(partition):
            if clock.monotonic() > until:
                raise Unavailable(f"{topic} could not be read to its end")
            found += consumer.poll(timeout_ms=300).get(partition, ())
        return found
    finally:
        consumer.close(autocommit=False)


def put_back(bootstrap_servers: str, topic: str, records: Sequence[ConsumerRecord]) -> None:
    """Make the topic anew, with these records and nothing else."""
    make_topic_anew(bootstrap_servers, topic)
    producer = KafkaProducer(bootstrap_servers=bootstrap_servers)
    for record in records:
        producer.send(topic, key=record.key, value=record.value, headers=list(record.headers), partition=0)
    producer.close()


def numbers_on(bootstrap_servers: str, topic: str) -> list[int]:
    """Return the numbers of the events on a feed's topic, in the order of the log."""
    return [record.body.feedseq for record in on_topic(bootstrap_servers, topic) if isinstance(record.body, Envelope)]
