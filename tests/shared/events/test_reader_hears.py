"""A reader on the same machine is woken by what was sent; who rings, for what, and what if nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from shared.clock import SystemClock
from shared.events.bell import READERS, Bell, Listener
from shared.events.checking import LogRecord
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.feed import FeedName
from shared.events.reading_loop import FEW_RECORDS, Reader
from shared.events.topics import Topics
from shared.identifiers import new_identifier
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.feeds import a_relay, commits, numbers_on

NEVER_SECONDS = 600.0
PATIENCE_SECONDS = 20.0
BACKLOG = 700
TOPIC = "org.brent.enrolment.v1"


@pytest.fixture
def bells() -> Iterator[Path]:
    """A directory with a short name, as sockets need."""
    with TemporaryDirectory(prefix="bells-") as name:
        yield Path(name)


@pytest.fixture
def heard_feed(kafka_bootstrap) -> FeedName:
    """A feed whose topic stands on the broker, empty."""
    found = FeedName("org", new_identifier()[-12:], "enrolment")
    with closing(Topics(kafka_bootstrap, SystemClock())) as topics:
        topics.ensure_plain(found.topic)
    return found


@pytest.fixture
def log(kafka_bootstrap, bells, heard_feed) -> Iterator[KafkaLog]:
    """What listens for the feed, and has read what there is: nothing."""
    found = KafkaLog([heard_feed.topic], KafkaOptions(kafka_bootstrap, fetch_max_wait_ms=20, bells_dir=bells))
    with closing(found):
        found.offer(found.places())
        found.start(heard_feed.topic, 0)
        assert found.poll(0.1, 100) == {}
        yield found


@pytest.mark.backbone
def test_ring_ends_the_wait_of_a_reader_with_what_was_sent(log, heard_feed, bells, free_producer):
    """Without it this one would wait for ten minutes before it fetched again."""
    waiting = _Waiting(log, NEVER_SECONDS)
    _send(free_producer, heard_feed)
    assert waiting.is_waiting_after(1.0), "nobody rang: what was sent is not looked for yet"
    Bell(bells, READERS).ring(heard_feed)
    assert waiting.result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_ring_for_a_feed_that_is_not_followed_fetches_nothing(log, heard_feed, bells, free_producer):
    """All readers hear all feeds; who does not read this one goes on without a word to the broker."""
    waiting = _Waiting(log, NEVER_SECONDS)
    _send(free_producer, heard_feed)
    assert waiting.is_waiting_after(0.5)
    Bell(bells, READERS).ring(FeedName("org", "somebody-else", "enrolment"))
    assert waiting.result() == {}
    assert _Waiting(log, 0.1).result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_reader_that_hears_nothing_finds_by_itself_what_others_wrote(log, heard_feed, free_producer):
    """HR systems write to the log, too, and they ring for nobody."""
    assert _Waiting(log, 0.2).result() == {}
    _send(free_producer, heard_feed)
    assert _Waiting(log, 0.2).result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_reader_that_is_behind_waits_for_no_ring(log, heard_feed, free_producer):
    """A backlog is many fetches long, and nobody rings for what was sent long ago."""
    for _ in range(BACKLOG):
        free_producer.send(heard_feed.topic, key=b"k", value=bytes(10_000), partition=0)
    free_producer.flush(PATIENCE_SECONDS)
    log.start(heard_feed.topic, 0)
    offsets: list[int] = []
    while len(offsets) < BACKLOG:
        offsets += _Waiting(log, NEVER_SECONDS).result()[heard_feed.topic]
    assert offsets == list(range(BACKLOG))
    assert _Waiting(log, 0.1).result() == {}


@pytest.mark.backbone
@pytest.mark.parametrize("spoil", ["socket taken away", "not a directory"])
def test_reader_without_a_bell_waits_at_the_broker(kafka_bootstrap, heard_feed, bells, free_producer, spoil):
    """Whatever becomes of the bell, what was sent is read."""
    directory = bells / "bells"
    if spoil == "not a directory":
        directory.write_text("a file", encoding="utf-8")
    options = KafkaOptions(kafka_bootstrap, fetch_max_wait_ms=20, bells_dir=directory)
    with closing(KafkaLog([heard_feed.topic], options)) as log:
        log.offer(log.places())
        log.start(heard_feed.topic, 0)
        if spoil == "socket taken away":
            for path in directory.iterdir():
                path.unlink()
            for _ in range(2):  # the first one has yet to learn that there is nothing
                assert _Waiting(log, 0.1).result() == {}
        waiting = _Waiting(log, PATIENCE_SECONDS)
        _send(free_producer, heard_feed)
        assert waiting.result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_relay_rings_for_readers_once_the_broker_has_what_it_sent(
    mongo_client, mongodb_uri, kafka_bootstrap, feed, bells
):
    """Who fetched before would find nothing and wait."""
    stop, clock = Event(), SystemClock()
    unit = UnitOfWork(client=mongo_client, service="enrolment", clock=clock, new_identifier=new_identifier)
    relay = a_relay(
        mongodb_uri, kafka_bootstrap, [feed], stop=stop, poll_seconds=0.1, heartbeat_seconds=NEVER_SECONDS,
        bells_dir=bells,
    )  # fmt: skip
    with Listener(bells, READERS) as ears:
        running = Thread(target=relay.run)
        running.start()
        try:
            for number in (1, 2):
                commits(unit, feed.organisation, 1, first=number)
                assert ears.heard(PATIENCE_SECONDS) == {feed.topic}
                assert numbers_on(kafka_bootstrap, feed.topic) == list(range(1, number + 1))
            assert ears.heard(1.0) == set(), "nothing was sent: nobody is woken"
        finally:
            stop.set()
            running.join(PATIENCE_SECONDS)
    assert not running.is_alive()


@pytest.mark.parametrize(
    ("records", "is_more_waiting", "rest"),
    [(1, False, 0.045), (FEW_RECORDS - 1, False, 0.045), (FEW_RECORDS, False, 0.0), (1, True, 0.0), (0, False, 0.0)],
)
def test_reader_rests_after_few_records_and_never_in_a_backlog(records, is_more_waiting, rest):
    """A round of 30 ms says that others wait for the database; the time that the poll itself waits says nothing."""
    clock = _HandClock()
    reading = _Reading(clock, takes=0.03, is_more_waiting=is_more_waiting)
    reader = Reader(
        service="enrolment",
        source=lambda: _Log(clock, [LogRecord(number, b"k", b"v", []) for number in range(records)]),
        readings=lambda _: {TOPIC: reading},
        tools=lambda _: None,
        unit=SimpleNamespace(client=SimpleNamespace(start_session=lambda: SimpleNamespace(end_session=lambda: None))),
        clock=clock,
    )
    assert reader.step() == pytest.approx(rest)
    assert len(reading.received) == records


class _Waiting:
    """A poll in a thread of its own."""

    def __init__(self, log: KafkaLog, seconds: float) -> None:
        self._found: list[dict[str, list[int]]] = []
        self._thread = Thread(target=self._poll, args=(log, seconds), daemon=True)
        self._thread.start()

    def _poll(self, log: KafkaLog, seconds: float) -> None:
        polled = log.poll(seconds, 100)
        self._found.append({topic: [record.offset for record in records] for topic, records in polled.items()})

    def is_waiting_after(self, seconds: float) -> bool:
        """Say whether it still waits after so long."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def result(self) -> dict[str, list[int]]:
        """Return the offsets that it found, by topic."""
        assert not self.is_waiting_after(PATIENCE_SECONDS), "it waits still"
        [found] = self._found
        return found


class _HandClock(SystemClock):
    """Stands still unless it is told."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


class _Log:
    """A log of one topic whose poll waits a second and then has everything."""

    def __init__(self, clock: _HandClock, records: Sequence[LogRecord]) -> None:
        self._clock = clock
        self._records = records

    def places(self) -> dict[str, str]:
        return {TOPIC: "cluster/topic"}

    def held(self) -> frozenset[str]:
        return frozenset({TOPIC})

    def poll(self, seconds: float, most: int) -> dict[str, Sequence[LogRecord]]:
        self._clock.at += 1.0 if seconds else 0.0
        return {TOPIC: self._records[:most]} if self._records else {}

    def end(self, _: str) -> int:
        return len(self._records)

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


class _Reading:
    """One topic's state; to take what it received lasts `takes` seconds."""

    topic, place, wants_rewind, available = TOPIC, "cluster/topic", False, True

    def __init__(self, clock: _HandClock, *, takes: float, is_more_waiting: bool) -> None:
        self._clock = clock
        self._takes = takes
        self._is_more_waiting = is_more_waiting
        self.received: list[LogRecord] = []
        self.read_to = 0

    def take_over(self, _: str) -> int:
        return 0

    def receive(self, records: Sequence[LogRecord], _: int | None = None) -> None:
        self.received += records
        self.read_to = len(self.received)

    def apply(self) -> bool:
        if self.received:
            self._clock.at += self._takes
        return self._is_more_waiting

    def is_full(self) -> bool:
        return False

    def tend(self) -> None:
        return None


def _send(producer, feed: FeedName) -> None:
    producer.send(feed.topic, key=b"k", value=b"v", partition=0).get(PATIENCE_SECONDS)
