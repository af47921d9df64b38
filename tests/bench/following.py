"""A production `Reader` for the rows that read, what its reaction writes, and the recount of what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated
from weakref import WeakKeyDictionary

import msgspec
import pymongo
from msgspec import Meta

from shared.errors import Unavailable
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.envelope import Received
from shared.events.feed import FeedName
from shared.events.feed_reading import FeedReading, ReadingTools
from shared.events.reading_loop import Reader
from shared.events.routing import Router
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.storage.mongo import Document, MongoDatabase
from shared.storage.unit_of_work import UnitOfWork, Work
from tests.bench.feeds import TYPE, Published
from tests.bench.stage import FETCH_MAX_WAIT_MS, NULL, READER, Miscounted, Sink, Stage

EFFECTS = "effects"
PARKED = "parked"
GIVE_UP_SECONDS = 120.0
RECOUNT_SECONDS = 60.0
"""A busy database reads thousands of rows slowly."""
SESSION_TIMEOUT_MS, HEARTBEAT_INTERVAL_MS = 2000, 300

Opaque = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^|\x00-\x1f]+$")]


class Requested(msgspec.Struct, frozen=True):
    """All of enrolment.requested.v1, held to the patterns that services hold it to."""

    enrolment_id: Opaque
    practitioner_id: Opaque
    cohort_owner: Code
    course: Code
    intake: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}$")]
    route: Code
    pcf_level: Code
    requested_on: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Effects:
    """One row per event, gathered and written at the commit, as reporting does.

    `numbers` holds per organisation the last number whose reaction ran; after a reader's step that is committed.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._waiting: WeakKeyDictionary[Work, list[Document]] = WeakKeyDictionary()

    def react(self, work: Work, event: Received[Requested]) -> None:
        """Gather the row."""
        rows = self._waiting.get(work)
        if rows is None:
            rows = self._waiting[work] = []
            work.before_commit(lambda rows=rows: work.rows(EFFECTS).insert_many(rows))  # type: ignore[misc]
        rows.append(row_of(event.number, event.data))
        self.numbers[event.organisation] = event.number

    @property
    def done(self) -> int:
        """Return how many events were taken, where none is poison."""
        return sum(self.numbers.values())


def row_of(number: int, data: Requested) -> Document:
    """Return the row that both sides write."""
    return {"_id": number, "enrolment_id": data.enrolment_id, "course": data.course, "intake": data.intake}


@contextmanager
def following(
    stage: Stage, sink: Sink, feeds: Sequence[FeedName], effects: Effects, prefix: str
) -> Iterator[tuple[Reader, UnitOfWork]]:
    """Yield a reader that has joined the feeds, on databases of its own, with its unit of work.

    Each feed's organisation takes its own feed, as owners do.
    """
    unit = stage.unit(sink, READER, prefix)
    for feed in feeds:
        unit.database(feed.organisation).create_collection(EFFECTS)
    with reading(stage, unit, feeds, effects_book(effects)) as reader:
        yield reader, unit


@contextmanager
def reading(
    stage: Stage, unit: UnitOfWork, feeds: Sequence[FeedName], book: SubscriptionBook, taker: str | None = None
) -> Iterator[Reader]:
    """Yield a reader of the feeds that has joined; `taker` takes all of them, else each its own organisation."""
    reader = reader_of(stage, unit, feeds, book, taker)
    try:
        reader.step()
        yield reader
    finally:
        reader.close()


def effects_book(effects: Effects) -> SubscriptionBook:
    """Return the subscription whose reaction writes the effects."""
    return SubscriptionBook((Subscription(TYPE, Requested, lambda event, _: (event.organisation,), effects.react),))


def reader_of(
    stage: Stage,
    unit: UnitOfWork,
    feeds: Sequence[FeedName],
    book: SubscriptionBook,
    taker: str | None = None,
    group: str | None = None,
) -> Reader:
    """Return a reader as the platform's local profile sets it, not yet connected; `group` shares topics with others."""

    def readings(tools: ReadingTools) -> dict[str, FeedReading]:
        found = {}
        for feed in feeds:
            takers = (taker or feed.organisation,)
            router = Router(feed, book, takers, lambda *_, takers=takers: takers)  # type: ignore[misc]
            found[feed.topic] = FeedReading(feed, takers, router, tools)
        return found

    topics = [feed.topic for feed in feeds]
    options = KafkaOptions(
        stage.bootstrap_servers,
        group=group,
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        config=stage.kafka_config,
    )
    return Reader(
        service=READER,
        source=lambda: KafkaLog(topics, options),
        readings=readings,
        tools=lambda session: ReadingTools(unit=unit, session=session, clock=stage.clock),
        unit=unit,
        clock=stage.clock,
        shares_topics=group is not None,
    )


def step_until(stage: Stage, reader: Reader, enough: Callable[[], bool]) -> None:
    """Step the reader until `enough` says so.

    Raises:
        Unavailable: it never does.
    """
    until = stage.clock.monotonic() + GIVE_UP_SECONDS
    while not enough():
        if stage.clock.monotonic() > until:
            raise Unavailable(f"what was published was not read within {GIVE_UP_SECONDS:.0f} seconds")
        pause = reader.step()
        if pause:
            stage.clock.sleep(pause)


def recount(sink: Sink, database: MongoDatabase, published: Published) -> None:
    """Hold what was written against what was published.

    Raises:
        Miscounted: they differ.
    """
    rows, wanted = database[EFFECTS], len(published.enrolment_ids)
    if sink.name == NULL:
        found = rows.count_documents({})
        if found != wanted:
            raise Miscounted(f"{database.name}: {found} rows were written of {wanted}")
        return
    with pymongo.timeout(RECOUNT_SECONDS):
        written = [row["enrolment_id"] for row in rows.find({}, {"enrolment_id": 1})]
    if sorted(written) != sorted(published.enrolment_ids):
        raise Miscounted(f"{database.name}: {len(written)} rows, which are not the {wanted} that were published")
