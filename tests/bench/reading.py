"""B1 and B3: the reader against a bare consumer, a replay of what is known, and a feed with poison in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from shared.storage.mongo import Document
from tests.bench.feeds import Published, publish
from tests.bench.figures import Figure
from tests.bench.following import EFFECTS, PARKED, Effects, following, recount, step_until
from tests.bench.measuring import Duel, Pace, Row, fought
from tests.bench.stage import FETCH_MAX_WAIT_MS, NULL, READER, SEC, Miscounted, Side, Sink, Stage, Timed, as_a_process

BARE_RECORDS = 1_000
POISON_EVERY = 100
BARE_TITLE = "poll + JSON + one unordered insert_many per 1,000 + commit"
READER_TITLE = "reader: chain, gap check, validation, effects and position in one transaction"


def rows() -> tuple[Row, ...]:
    """Return the rows."""
    both = (NULL, SEC)
    return (
        Row(id="B1", measure=first_pass, sinks=both, weight=2.0, on_external=True),
        Row(id="B3", measure=again, sinks=both, weight=2.5, on_external=True),
    )


def size_on(stage: Stage, sink: Sink) -> int:
    """Return how many events are read on a sink."""
    return stage.sizes.read_null if sink.name == NULL else stage.sizes.read_sec


def first_pass(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """B1: both sides read the same feed from its beginning, into a database that is new each time."""
    size = size_on(stage, sink)
    read = feeds_by_size(stage)
    duel = Duel(
        id="B1",
        part=sink.name,
        title=READER_TITLE,
        bare_title=BARE_TITLE,
        size=size,
        platform=platform(stage, sink, read),
        bare=bare(stage, sink, read),
    )
    return [fought(stage, duel, pace)]


def again(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """B3: everything read once more against its first reading, and 1 % poison against none."""
    size = size_on(stage, sink)
    clean = feeds_by_size(stage)
    poisoned = feeds_by_size(stage, every=POISON_EVERY)
    first = platform(stage, sink, clean)
    replay = Duel(
        id="B3",
        part=sink.name,
        title="replay of the whole feed: every number known already",
        bare_title="first pass of the same feed (B1's reader)",
        size=size,
        platform=_replay(stage, sink, clean),
        bare=first,
    )
    poison = Duel(
        id="B3",
        part=f"poison {sink.name}",
        title="first pass with 1 % poison, each parked",
        bare_title="first pass without poison (B1's reader)",
        size=size,
        platform=platform(stage, sink, poisoned),
        bare=first,
    )
    return [fought(stage, replay, pace), fought(stage, poison, pace)]


def feeds_by_size(stage: Stage, every: int = 0) -> Callable[[int], Published]:
    """Return what publishes a feed of a size when it is first asked for; the last event is never poison."""
    made: dict[int, Published] = {}

    def of(size: int) -> Published:
        if size not in made:
            poison = range(1, size, every) if every else ()
            made[size] = publish(stage, stage.new_feed(), size, poison)
        return made[size]

    return of


def platform(stage: Stage, sink: Sink, read: Callable[[int], Published]) -> Side:
    """Return the reader's side; what it wrote is recounted each time. What it took while joining is not timed."""

    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        published, effects = read(size), Effects()
        organisation = published.feed.organisation
        with following(stage, sink, [published.feed], effects, stage.fresh_prefix()) as (reader, unit):
            before = effects.done

            def run() -> int:
                step_until(stage, reader, lambda: effects.done >= size)
                return size - before

            yield run
            recount(sink, unit.database(organisation), published)
            parked = unit.database(organisation)[PARKED].count_documents({})
            if parked != published.poisoned:
                raise Miscounted(f"{parked} events were parked of {published.poisoned}")

    return as_a_process(side)


def _replay(stage: Stage, sink: Sink, read: Callable[[int], Published]) -> Side:
    """Read it, untimed, then set the log back to its beginning under the same reader, and read it again."""

    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        published, effects = read(size), Effects()
        feed = published.feed
        with following(stage, sink, [feed], effects, stage.fresh_prefix()) as (reader, unit):
            step_until(stage, reader, lambda: effects.done >= size)
            topic = reader._active[feed.topic]

            def run() -> int:
                reader._begin_again([feed.topic])
                step_until(stage, reader, lambda: topic.read_to > size)
                return size

            yield run
            recount(sink, unit.database(feed.organisation), published)

    return as_a_process(side)


def bare(stage: Stage, sink: Sink, read: Callable[[int], Published]) -> Side:
    """Return the bare limit: nothing is validated, numbered or chained, and a crash would repeat or lose rows."""

    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        published, prefix = read(size), stage.fresh_prefix()
        place = TopicPartition(published.feed.topic, 0)
        database = stage.unit(sink, READER, prefix).database(published.feed.organisation)
        collection = database.create_collection(EFFECTS)
        consumer = KafkaConsumer(
            **stage.kafka_config,
            bootstrap_servers=stage.bootstrap_servers,
            group_id=prefix,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        )
        consumer.assign([place])

        def one(timeout: int, most: int = BARE_RECORDS) -> int:
            records = consumer.poll(timeout_ms=timeout, max_records=most).get(place, [])
            rows = [_row(record.offset, record.value) for record in records if record.offset]
            if rows:
                collection.insert_many(rows, ordered=False)
            if records:
                consumer.commit({place: OffsetAndMetadata(records[-1].offset + 1, "", -1)})
            return len(rows)

        def run() -> int:
            done = before
            while done < size:
                done += one(200)
            return done - before

        try:
            before = one(2_000, BARE_RECORDS // 2)
            yield run
            recount(sink, database, published)
        finally:
            consumer.close(autocommit=False)

    return side


def _row(offset: int, value: bytes) -> Document:
    data = msgspec.json.decode(value)
    return {"_id": offset, "enrolment_id": data["enrolment_id"], "course": data["course"], "intake": data["intake"]}
