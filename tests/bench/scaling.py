"""B4, S1 and S2: two readers on two feeds, a long feed against a short one, many owners' feeds against one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.apart import READING, Errand, carried_out
from tests.bench.feeds import bodies, commit, publish
from tests.bench.figures import RATIO, Figure
from tests.bench.following import Effects, following, recount, step_until
from tests.bench.machine import measured
from tests.bench.measuring import Pace, Row
from tests.bench.ratios import spread
from tests.bench.stage import NULL, SEC, Miscounted, Side, Sink, Stage, Timed, send_all


def rows() -> tuple[Row, ...]:
    """Return the rows."""
    return (
        Row(id="B4", measure=scale_out, sinks=(NULL,), weight=1.0),
        Row(id="S1", measure=long_feed, sinks=(NULL,), weight=1.5),
        Row(id="S2", measure=owners, sinks=(SEC,), weight=2.0),
    )


def errand(stage: Stage, sink: Sink, organisations: list[str], events_each: int, kind: str = READING) -> Errand:
    """Return what a process of its own is asked to do."""
    return Errand(
        kind=kind,
        sink=sink.name,
        uri=sink.uri,
        bootstrap_servers=stage.bootstrap_servers,
        organisations=organisations,
        events_each=events_each,
        prefix=stage.fresh_prefix(),
    )


def scale_out(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """B4: two processes with a feed each, against one process with both."""
    size = stage.sizes.read_null // 2
    pace.say(f"B4: two feeds of {size} events")
    feeds = [publish(stage, stage.new_feed(), size).feed.organisation for _ in range(2)]
    ratios: list[float] = []
    while not ratios or (len(ratios) < stage.sizes.rounds and pace.may_go_on()):
        pace.say("B4: two processes")
        both = carried_out([errand(stage, sink, [feed], size) for feed in feeds])
        pace.say("B4: one process")
        [alone] = carried_out([errand(stage, sink, feeds, size)])
        together = sum(done.events for done in both) / max(done.seconds for done in both)
        ratios.append(together / (alone.events / alone.seconds))
    return [
        Figure(
            id="B4",
            part=sink.name,
            title="two reader processes, a feed each",
            bare_title="one reader process on both feeds",
            unit=RATIO,
            value=spread(ratios),
        )
    ]


def long_feed(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """S1: the reader's CPU per event over a long feed against that over a short one, each in a process of its own."""
    short, long = stage.sizes.costs
    organisations = {}
    for size in (short, long):
        pace.say(f"S1: a feed of {size} events")
        organisations[size] = publish(stage, stage.new_feed(), size).feed.organisation
    costs: dict[int, list[float]] = {short: [], long: []}
    peaks: dict[int, float] = {}
    while not costs[long] or (len(costs[long]) < stage.sizes.rounds and pace.may_go_on()):
        for size in (long, short):
            pace.say(f"S1: {size} events read")
            [done] = carried_out([errand(stage, sink, [organisations[size]], size)])
            costs[size].append(done.cpu_seconds / done.events * 1_000_000)
            peaks[size] = max(peaks.get(size, 0.0), done.peak_mebibytes)
    return [
        Figure(
            id="S1",
            part="cost",
            title=f"reader: CPU per event over {long} events",
            bare_title=f"the same over {short}",
            unit="times",
            value=spread([slow / quick for slow, quick in zip(costs[long], costs[short], strict=True)]),
            details={f"cpu_microseconds_{size}": spread(values).middle for size, values in costs.items()},
        ),
        Figure(
            id="M1",
            part="reader",
            title=f"reader process: peak memory over {long} events",
            bare_title=f"over {short}: {peaks[short]:.0f} MiB",
            unit="MiB",
            value=spread([peaks[long]]),
            details={f"peak_mebibytes_{size}": peak for size, peak in peaks.items()},
        ),
    ]


def owners(stage: Stage, _: Sink, pace: Pace) -> list[Figure]:
    """S2: many owners' feeds on one reader and on one relay, against one feed with as many events."""
    many = stage.sizes.feeds
    each = stage.sizes.feed_events // many
    reads = [_feeds_read(stage, stage.sinks[NULL], many, each), _feeds_read(stage, stage.sinks[NULL], 1, many * each)]
    relays = [_feeds_sent(stage, many, each // 2), _feeds_sent(stage, 1, many * (each // 2))]
    return [
        _compared(stage, pace, "feeds", f"reader on {many} owners' feeds: seconds per event", reads, many * each),
        _compared(stage, pace, "relay", f"relay of {many} owners' feeds: seconds per event", relays, many * each // 2),
    ]


def _compared(stage: Stage, pace: Pace, part: str, title: str, sides: list[Side], size: int) -> Figure:
    many, alone = sides
    ratios, speeds = [], {}
    while not ratios or (len(ratios) < stage.sizes.rounds and pace.may_go_on()):
        pace.say(f"S2: {title}")
        first, second = measured(stage, many, size), measured(stage, alone, size)
        ratios.append(second.per_second / first.per_second)
        speeds = {"events_per_second_many": first.per_second, "events_per_second_one": second.per_second}
    title_of_one = "the same events on one feed"
    return Figure(
        id="S2", part=part, title=title, bare_title=title_of_one, unit="times", value=spread(ratios), details=speeds
    )


def _feeds_read(stage: Stage, sink: Sink, feeds: int, each: int) -> Side:
    made = []

    @contextmanager
    def side(_: int) -> Iterator[Timed]:
        if not made:
            made.extend(publish(stage, stage.new_feed(), each) for _ in range(feeds))
        effects, names = Effects(), [one.feed for one in made]
        with following(stage, sink, names, effects, stage.fresh_prefix()) as (reader, unit):
            before = effects.done

            def run() -> int:
                step_until(stage, reader, lambda: effects.done >= feeds * each)
                return feeds * each - before

            yield run
            for one in made:
                recount(sink, unit.database(one.feed.organisation), one)

    return side


def _feeds_sent(stage: Stage, feeds: int, each: int) -> Side:
    @contextmanager
    def side(_: int) -> Iterator[Timed]:
        names = [stage.new_feed() for _ in range(feeds)]
        unit = stage.unit(stage.sec)
        with stage.relay(*names) as relay:
            for name in names:
                commit(unit, name, bodies(each))

            def run() -> int:
                send_all(relay)
                return sum(gauges["published"] for gauges in relay.gauges().values())

            yield run
            sent = sum(gauges["published"] for gauges in relay.gauges().values())
            if sent != feeds * each:
                raise Miscounted(f"{sent} events were sent of {feeds * each}")

    return side
