"""B1 and B3: the reader against a bare consumer, and a replay of what is known against its first reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from kafka import KafkaConsumer, TopicPartition

from shared.events.republish import republish
from shared.local.bench.following import EFFECTS, FETCH_MAX_WAIT_MS, Effects, Requested, following, read_to, row_of
from shared.local.bench.stage import READER, TYPE, Duel, Side, Stage, Timed, bodies, commit_feed, send_all

POLL_RECORDS = 500


def duels(stage: Stage) -> tuple[Duel, ...]:
    """Return the rows."""
    gathered, singly = (_first_pass(stage, at_commit=at_commit) for at_commit in (True, False))
    bare = "poll + decode + insert_many per poll"
    return (
        Duel(
            id="B1",
            title="reader: one row per event, written at the commit",
            bare_title=bare,
            size=stage.sizes.read,
            platform=gathered,
            bare=_bare(stage),
        ),
        Duel(
            id="B1s",
            title="reader: one row per event, one statement each",
            bare_title=bare,
            size=stage.sizes.read_singly,
            platform=singly,
            bare=_bare(stage),
        ),
        Duel(
            id="B3",
            title="replay: every number known already",
            bare_title="first pass of the same feed (B1's reader)",
            size=stage.sizes.replayed,
            platform=_replay(stage),
            bare=gathered,
        ),
    )


def _first_pass(stage: Stage, *, at_commit: bool) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        feed, effects = stage.new_feed(), Effects(at_commit=at_commit)
        with stage.relay(feed) as relay, following(stage, feed, effects) as reader:
            commit_feed(stage, feed, bodies(size))
            send_all(relay)

            def run() -> int:
                read_to(stage, reader, effects, size)
                return len(effects.written)

            yield run

    return side


def _replay(stage: Stage) -> Side:
    """Everything is sent a second time and one new event after it, whose effect says that the end is reached."""

    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        feed, effects = stage.new_feed(), Effects(at_commit=True)
        with stage.relay(feed) as relay, following(stage, feed, effects) as reader:
            commit_feed(stage, feed, bodies(size))
            send_all(relay)
            read_to(stage, reader, effects, size)
            republish(stage.unit(feed.service), feed)
            send_all(relay)
            commit_feed(stage, feed, bodies(1))
            send_all(relay)

            def run() -> int:
                read_to(stage, reader, effects, size + 1)
                return size + 1

            yield run

    return side


def _bare(stage: Stage) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        feed = stage.new_feed()
        collection = stage.unit(READER).database(feed.organisation).create_collection(EFFECTS)
        with stage.relay(feed) as relay:
            consumer = _consumer(stage, feed.topic)
            commit_feed(stage, feed, bodies(size))
            send_all(relay)

            def run() -> int:
                done = 0
                while done < size:
                    polled = consumer.poll(timeout_ms=200, max_records=POLL_RECORDS)
                    values = [record.value for records in polled.values() for record in records if _is_event(record)]
                    if values:
                        decoded = [msgspec.json.decode(value, type=Requested) for value in values]
                        rows = [row_of(number, data) for number, data in enumerate(decoded, done + 1)]
                        collection.insert_many(rows, ordered=False)
                    done += len(values)
                return done

            try:
                yield run
            finally:
                consumer.close(autocommit=False)

    return side


def _is_event(record: object) -> bool:
    return ("ce_type", TYPE.encode()) in getattr(record, "headers", ())


def _consumer(stage: Stage, topic: str) -> KafkaConsumer:
    """Return a bare consumer that has read what opens the topic."""
    consumer = KafkaConsumer(
        bootstrap_servers=stage.bootstrap_servers,
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
    )
    consumer.assign([TopicPartition(topic, 0)])
    consumer.poll(timeout_ms=200)
    return consumer
