"""A production `Reader` of one feed for the rows that read, and the two ways in which its reaction writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import msgspec

from shared.errors import Unavailable
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.envelope import Received
from shared.events.feed import FeedName
from shared.events.feed_reading import FeedReading, ReadingTools
from shared.events.reading_loop import Reader
from shared.events.routing import Router
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.local.bench.stage import READER, TYPE, Stage
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Work

FETCH_MAX_WAIT_MS = 20
EFFECTS = "effects"
GIVE_UP_SECONDS = 60.0


class Requested(msgspec.Struct, frozen=True):
    """What the reaction uses of enrolment.requested.v1."""

    enrolment_id: str
    course: str
    intake: str


Reaction = Callable[[Work, Received[Requested]], None]


class Effects:
    """One row per event. `written` are the numbers whose reaction ran; after a reader's step they are committed."""

    def __init__(self, *, at_commit: bool) -> None:
        self.written: list[int] = []
        self._at_commit = at_commit
        self._waiting: WeakKeyDictionary[Work, list[Document]] = WeakKeyDictionary()

    def react(self, work: Work, event: Received[Requested]) -> None:
        """Write the row, now or together with the batch's others before the commit."""
        row = row_of(event.number, event.data)
        self.written.append(event.number)
        if not self._at_commit:
            work.rows(EFFECTS).insert_one(row)
            return
        rows = self._waiting.get(work)
        if rows is None:
            rows = self._waiting[work] = []
            work.before_commit(lambda rows=rows: work.rows(EFFECTS).insert_many(rows))  # type: ignore[misc]
        rows.append(row)


def row_of(number: int, data: Requested) -> Document:
    """Return the row that both sides write."""
    return {"_id": number, "enrolment_id": data.enrolment_id, "course": data.course, "intake": data.intake}


@contextmanager
def following(stage: Stage, feed: FeedName, effects: Effects) -> Iterator[Reader]:
    """Yield a reader of the feed that has joined it."""
    unit = stage.unit(READER)
    book = SubscriptionBook(
        (Subscription(TYPE, Requested, lambda event, _: (event.organisation,), effects.react),),
    )
    own = (feed.organisation,)
    unit.database(feed.organisation).create_collection(EFFECTS)

    def readings(tools: ReadingTools) -> dict[str, FeedReading]:
        return {feed.topic: FeedReading(feed, own, Router(feed, book, own, lambda *_: own), tools)}

    reader = Reader(
        service=READER,
        source=lambda: KafkaLog(
            [feed.topic], KafkaOptions(stage.bootstrap_servers, fetch_max_wait_ms=FETCH_MAX_WAIT_MS)
        ),
        readings=readings,
        tools=lambda session: ReadingTools(unit=unit, session=session, clock=stage.clock),
        unit=unit,
        clock=stage.clock,
    )
    try:
        reader.step()
        yield reader
    finally:
        reader.close()


def read_to(stage: Stage, reader: Reader, effects: Effects, number: int) -> None:
    """Step the reader until the effect of event `number` is committed.

    Raises:
        Unavailable: it never comes.
    """
    until = stage.clock.monotonic() + GIVE_UP_SECONDS
    while not effects.written or effects.written[-1] < number:
        if stage.clock.monotonic() > until:
            raise Unavailable(f"event {number} was not read within {GIVE_UP_SECONDS:.0f} seconds")
        pause = reader.step()
        if pause:
            stage.clock.sleep(pause)
