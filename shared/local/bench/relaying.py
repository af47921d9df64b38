"""A3: the relay from feed to Kafka (numbers, hashes, sends, marks), against a producer loop from memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.clock import Clock
from shared.events.envelope import GENESIS, Envelope, instant, schema_of, source_of
from shared.events.feed import FeedName
from shared.events.records import Record, encode
from shared.events.topics import Topics
from shared.identifiers import new_identifier
from shared.local.bench.stage import TYPE, Duel, Stage, Timed, bodies, commit_feed, send_all

FLUSH_SECONDS = 30.0


def duels(stage: Stage) -> tuple[Duel, ...]:
    """Return the row."""

    @contextmanager
    def platform(size: int) -> Iterator[Timed]:
        feed = stage.new_feed()
        with stage.relay(feed) as relay:
            commit_feed(stage, feed, bodies(1))
            send_all(relay)
            commit_feed(stage, feed, bodies(size))

            def run() -> int:
                send_all(relay)
                return relay.gauges()[feed.topic]["published"] - 1

            yield run

    @contextmanager
    def bare(size: int) -> Iterator[Timed]:
        feed = stage.new_feed()
        with _topic(stage, feed.topic):
            records = [_record(feed, number, body, stage.clock) for number, body in enumerate(bodies(size), 1)]
            producer = stage.producer()
            producer.send(feed.topic, value=b"first", partition=0).get(FLUSH_SECONDS)

            def run() -> int:
                for one in records:
                    producer.send(feed.topic, key=one.key, value=one.value, headers=one.headers, partition=0)
                producer.flush(FLUSH_SECONDS)
                return size

            try:
                yield run
            finally:
                producer.close(timeout=2)

    row = Duel(
        id="A3",
        title="relay: feed to Kafka, numbered, hashed, marked",
        bare_title="producer loop over finished records in memory",
        size=stage.sizes.relayed,
        platform=platform,
        bare=bare,
    )
    return (row,)


@contextmanager
def _topic(stage: Stage, topic: str) -> Iterator[None]:
    topics = Topics(stage.bootstrap_servers, stage.clock)
    try:
        topics.ensure_plain(topic)
        yield
    finally:
        topics.close()


def _record(feed: FeedName, number: int, body: bytes, clock: Clock) -> Record:
    """Return a record of the same bytes as the relay's; its hash is not true, which costs and saves nothing here."""
    identifier = new_identifier()
    envelope = Envelope(
        id=identifier,
        source=source_of(feed.topic),
        type=TYPE,
        subject=identifier,
        time=instant(clock.now()),
        dataschema=schema_of(TYPE),
        organisation=feed.organisation,
        feedseq=number,
        prevhash=GENESIS,
        correlationid=identifier,
        data=body,
    )
    return encode(envelope, 1)
