"""D2: how soon a reader of a group has its first effect, and how soon another goes on where one leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from shared.errors import Unavailable
from shared.events.feed import FeedName
from shared.events.reading_loop import Reader
from shared.events.topics import Topics
from tests.bench.feeds import FLUSH_SECONDS, publish, records
from tests.bench.figures import Figure
from tests.bench.following import EFFECTS, GIVE_UP_SECONDS, Effects, effects_book, reader_of, step_until
from tests.bench.measuring import Pace, Row
from tests.bench.ratios import spread
from tests.bench.stage import READER, SEC, Sink, Stage

EVENTS = 20
PAUSE_SECONDS, MOST_EVENTS = 0.02, 10_000
SETTLING_SECONDS = 3.0
"""How long both members are left alone before one leaves: heartbeats and rebalances of a session of 2 seconds."""


def rows() -> tuple[Row, ...]:
    """Return the row."""
    return (Row(id="D2", measure=started, sinks=(SEC,), weight=1.0),)


def started(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """Return both figures in seconds, sessions of 2 seconds."""
    starts, hand_overs = [], []
    while not starts or (len(starts) < stage.sizes.starts and pace.may_go_on()):
        pace.say("D2: a reader starts")
        starts.append(_start(stage, sink))
        pace.say("D2: a reader leaves")
        hand_overs.append(_hand_over(stage, sink))
    titles = "reader of a group: made, joined, first effect committed", "a reader leaves, the other's next effect"
    return [
        Figure(id="D2", part="start", title=titles[0], bare_title="", unit="s", value=spread(starts)),
        Figure(id="D2", part="hand-over", title=titles[1], bare_title="", unit="s", value=spread(hand_overs)),
    ]


def _start(stage: Stage, sink: Sink) -> float:
    published, effects = publish(stage, stage.new_feed(), EVENTS), Effects()
    begun = stage.clock.monotonic()
    reader = _member(stage, sink, published.feed, effects, stage.fresh_prefix())
    try:
        step_until(stage, reader, lambda: effects.done > 0)
        return stage.clock.monotonic() - begun
    finally:
        reader.close()


def _member(stage: Stage, sink: Sink, feed: FeedName, effects: Effects, prefix: str) -> Reader:
    unit = stage.unit(sink, READER, prefix)
    database = unit.database(feed.organisation)
    if EFFECTS not in database.list_collection_names():
        database.create_collection(EFFECTS)
    return reader_of(stage, unit, [feed], effects_book(effects), group=f"bench.{prefix}")


class _Member(Thread):
    """A reader on a thread of its own."""

    def __init__(self, stage: Stage, sink: Sink, feed: FeedName, prefix: str) -> None:
        super().__init__(name="bench-member")
        self.effects = Effects()
        self.leave = Event()
        self._reader = _member(stage, sink, feed, self.effects, prefix)

    def run(self) -> None:
        """Read until asked to leave."""
        self._reader.run(self.leave)


def _hand_over(stage: Stage, sink: Sink) -> float:
    """Return the seconds from asking the holder to leave to the other's first effect, while events keep coming."""
    feed, prefix = stage.new_feed(), stage.fresh_prefix()
    with _events_coming(stage, feed):
        members = [_Member(stage, sink, feed, prefix) for _ in range(2)]
        try:
            for member in members:
                member.start()
                stage.clock.sleep(SETTLING_SECONDS)
            last = [member.effects.done for member in members]
            _wait(stage, lambda: [member.effects.done for member in members] != last)
            holder = next(member for member, before in zip(members, last, strict=True) if member.effects.done != before)
            [other] = [member for member in members if member is not holder]
            before, begun = other.effects.done, stage.clock.monotonic()
            holder.leave.set()
            _wait(stage, lambda: other.effects.done > before)
            return stage.clock.monotonic() - begun
        finally:
            for member in members:
                member.leave.set()
            for member in members:
                member.join()


def _wait(stage: Stage, enough: Callable[[], bool]) -> None:
    until = stage.clock.monotonic() + GIVE_UP_SECONDS
    while not enough():
        if stage.clock.monotonic() > until:
            raise Unavailable("no other reader went on")
        stage.clock.sleep(0.002)


@contextmanager
def _events_coming(stage: Stage, feed: FeedName) -> Iterator[None]:
    """Send one event after the other until the block ends."""
    stop = Event()

    def send() -> None:
        producer = stage.producer()
        try:
            for record in records(stage, feed, MOST_EVENTS):
                producer.send(feed.topic, key=record.key, value=record.value, headers=record.headers, partition=0)
                if stop.wait(PAUSE_SECONDS):
                    return
        finally:
            producer.flush(FLUSH_SECONDS)
            producer.close(timeout=2)

    topics = Topics(stage.bootstrap_servers, stage.clock, config=stage.kafka_config)
    topics.ensure_feed(feed.topic)
    topics.close()
    sending = Thread(target=send, name="bench-events")
    sending.start()
    try:
        yield
    finally:
        stop.set()
        sending.join()
