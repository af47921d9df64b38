"""A3: the relay from feed to broker (numbers, hashes, sends, marks), against a producer loop from memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.events.topics import Topics
from shared.testing.feeds import numbers_on
from tests.bench.feeds import FLUSH_SECONDS, bodies, commit, records
from tests.bench.figures import Figure
from tests.bench.machine import measured
from tests.bench.measuring import Duel, Pace, Row, fought
from tests.bench.ratios import Sample, spread
from tests.bench.stage import SEC, Miscounted, Side, Sink, Stage, Timed, as_a_process, send_all

BARE_TITLE = "producer loop over finished records in memory"
SINGLE_COMMITS = 5
"""A row of single commits is this many times smaller: they are slow to make ready."""


def rows() -> tuple[Row, ...]:
    """Return the row. The feed has to be read from somewhere, so that there is none on NULL."""
    return (Row(id="A3", measure=relayed, sinks=(SEC,), weight=3.0, on_external=True),)


def relayed(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """Return the ratio with commits of 500 events and of one, and what a longer backlog costs per event."""
    many = Duel(
        id="A3",
        part=sink.name,
        title="relay: feed of 500 events a commit, numbered, hashed, sent, marked",
        bare_title=BARE_TITLE,
        size=stage.sizes.relayed,
        platform=_platform(stage, sink, 500),
        bare=_bare(stage),
    )
    single = Duel(
        id="A3",
        part=f"singly {sink.name}",
        title="relay: feed of one event a commit",
        bare_title=BARE_TITLE,
        size=stage.sizes.relayed // SINGLE_COMMITS,
        platform=_platform(stage, sink, 1),
        bare=_bare(stage),
    )
    return [fought(stage, many, pace), fought(stage, single, pace), _backlog(stage, sink, pace)]


def _backlog(stage: Stage, sink: Sink, pace: Pace) -> Figure:
    short, long = stage.sizes.backlogs
    side, costs = _platform(stage, sink, 500, is_recounted=False), []
    while not costs or (len(costs) < stage.sizes.rounds and pace.may_go_on()):
        pace.say(f"A3 backlog: {short}, then {long} events")
        costs.append((measured(stage, side, long), measured(stage, side, short)))
    return Figure(
        id="A3",
        part="backlog",
        title=f"relay: seconds per event with {long} events waiting",
        bare_title=f"the same with {short} waiting",
        unit="times",
        value=spread([_seconds(slow) / _seconds(quick) for slow, quick in costs]),
        details={"events_per_second_long": costs[-1][0].per_second, "events_per_second_short": costs[-1][1].per_second},
    )


def _seconds(sample: Sample) -> float:
    return sample.seconds / sample.events


def _platform(stage: Stage, sink: Sink, events: int, *, is_recounted: bool = True) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        feed = stage.new_feed()
        unit = stage.unit(sink)
        with stage.relay(feed) as relay:
            commit(unit, feed, bodies(1))
            send_all(relay)
            commit(unit, feed, bodies(size), events)

            def run() -> int:
                send_all(relay)
                return relay.gauges()[feed.topic]["published"] - 1

            yield run
            if relay.gauges()[feed.topic]["published"] != size + 1:
                raise Miscounted(f"{feed.topic}: not everything was sent")
            if is_recounted and not stage.kafka_config:
                numbers = numbers_on(stage.bootstrap_servers, feed.topic)
                if numbers != list(range(1, size + 2)):
                    raise Miscounted(f"{feed.topic}: {len(numbers)} events stand on the broker, {size + 1} were sent")

    return as_a_process(side)


def _bare(stage: Stage) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        feed = stage.new_feed()
        topics = Topics(stage.bootstrap_servers, stage.clock, config=stage.kafka_config)
        finished = list(records(stage, feed, size))
        producer = stage.producer()
        try:
            topics.ensure_feed(feed.topic)
            producer.send(feed.topic, value=b"first", partition=0).get(FLUSH_SECONDS)

            def run() -> int:
                for one in finished:
                    producer.send(feed.topic, key=one.key, value=one.value, headers=one.headers, partition=0)
                producer.flush(FLUSH_SECONDS)
                return size

            yield run
        finally:
            producer.close(timeout=2)
            topics.close()

    return side
