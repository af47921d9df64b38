"""A reader on the same machine is woken by what was sent; who rings, for what, and what if nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from kafka import TopicPartition

from shared.clock import SystemClock
from shared.events import consumer
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
def listening(monkeypatch) -> Event:
    """Set as soon as somebody listens."""
    begun, heard = Event(), Listener.heard

    def noted(self: Listener, seconds: float) -> set[str] | None:
        begun.set()
        return heard(self, seconds)

    monkeypatch.setattr(Listener, "heard", noted)
    return begun


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
def test_ring_ends_the_wait_of_a_reader_with_what_was_sent(log, heard_feed, bells, free_producer, listening):
    """Without it this one would wait for ten minutes before it fetched again."""
    waiting = _Waiting(log, NEVER_SECONDS)
    assert listening.wait(PATIENCE_SECONDS)
    _send(free_producer, heard_feed)
    assert waiting.is_waiting_after(1.0), "nobody rang: what was sent is not looked for yet"
    Bell(bells, READERS).ring(heard_feed)
    assert waiting.result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_ring_for_a_feed_that_is_not_followed_fetches_nothing(log, heard_feed, bells, free_producer, listening):
    """All readers hear all feeds; who does not read this one waits on without a word to the broker."""
    waiting = _Waiting(log, NEVER_SECONDS)
    assert listening.wait(PATIENCE_SECONDS)
    _send(free_producer, heard_feed)
    for _ in range(3):
        Bell(bells, READERS).ring(FeedName("org", "somebody-else", "enrolment"))
        assert waiting.is_waiting_after(0.3)
    Bell(bells, READERS).ring(heard_feed)
    assert waiting.result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_silence_is_over_in_time_however_much_is_rung_for_others(log, heard_feed, bells, free_producer, listening):
    """An HR system rings for nobody: what it wrote is not to wait until the others are quiet."""
    over = Event()
    ringing = Thread(target=_ring_until, args=(over, Bell(bells, READERS), FeedName("org", "somebody-else", "x")))
    ringing.start()
    try:
        waiting = _Waiting(log, 2.0)
        assert listening.wait(PATIENCE_SECONDS)
        _send(free_producer, heard_feed)
        assert waiting.result() == {heard_feed.topic: [0]}
    finally:
        over.set()
        ringing.join(PATIENCE_SECONDS)


@pytest.mark.backbone
def test_member_of_a_group_hears_no_bell(kafka_bootstrap, heard_feed, bells):
    """It joins and leaves in its polls, and Apache Kafka wakes a fetch by itself."""
    options = KafkaOptions(kafka_bootstrap, f"group-{heard_feed.organisation}", 20, bells_dir=bells)
    with closing(KafkaLog([heard_feed.topic], options)):
        assert list(bells.iterdir()) == []


@pytest.mark.backbone
def test_reader_that_hears_nothing_finds_by_itself_what_others_wrote(log, heard_feed, free_producer):
    """HR systems write to the log, too, and they ring for nobody."""
    assert _Waiting(log, 0.2).result() == {}
    _send(free_producer, heard_feed)
    assert _Waiting(log, 0.2).result() == {heard_feed.topic: [0]}


@pytest.mark.backbone
def test_reader_that_is_behind_waits_for_no_ring(kafka_bootstrap, heard_feed, bells, free_producer):
    """A backlog is many fetches long, and nobody rings for what was sent long ago."""
    for _ in range(BACKLOG):
        free_producer.send(heard_feed.topic, key=b"k", value=bytes(10_000), partition=0)
    free_producer.flush(PATIENCE_SECONDS)
    offsets: list[int] = []
    options = KafkaOptions(kafka_bootstrap, fetch_max_wait_ms=20, bells_dir=bells)
    with closing(KafkaLog([heard_feed.topic], options)) as log:
        log.offer(log.places())
        log.start(heard_feed.topic, 0)
        while len(offsets) < BACKLOG:
            offsets += _Waiting(log, NEVER_SECONDS).result()[heard_feed.topic]
        assert _Waiting(log, 0.1).result() == {}
    assert offsets == list(range(BACKLOG))


def test_what_is_polled_of_one_topic_says_nothing_about_another(monkeypatch, bells):
    """The local broker answers with all of a topic; of others' answers nothing but this shows what is known of ends."""
    client = _Client(ends={"a": 5_000, "b": 1}, answers=[{"a": [0]}, {"b": [0]}, {}, {"a": [1]}, {}, {}, {}])
    monkeypatch.setattr(consumer, "KafkaConsumer", lambda **_: client)
    with closing(KafkaLog(["a", "b"], KafkaOptions("nowhere.example:1", bells_dir=bells))) as log:
        log.start("a", 0)
        log.start("b", 0)
        for seconds in (0.2, 0.2, 0.0, 0.2, 0.2):
            log.poll(seconds, 100)
        assert client.waits == [200, 200, 0, 200, 200], "behind on one of the two until a poll that waited has nothing"
        assert log.poll(0.2, 100) == {}
        assert client.waits[5:] == [0, 50], "nobody rang for either"


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
    ("records", "end", "before", "after", "rest"),
    [
        (1, 1, (0.0, False), (0.03, False), 0.045),
        (FEW_RECORDS - 1, FEW_RECORDS - 1, (0.0, False), (0.03, False), 0.045),
        (1, 1, (0.03, False), (0.03, False), 0.18),  # the last of what was there before is work, too
        (FEW_RECORDS, FEW_RECORDS, (0.0, False), (0.03, False), 0.0),
        (1, 1, (0.03, True), (0.03, False), 0.0),
        (2, 2, (0.0, False), (0.03, True), 0.0),  # the batch is one event long, and the other one waits
        (1, 2, (0.0, False), (0.03, False), 0.0),  # what was fetched is not all that there is
        (0, 0, (0.03, False), (0.0, False), 0.0),
    ],
)
def test_reader_rests_after_few_records_and_never_in_a_backlog(records, end, before, after, rest):
    """A round of 30 ms says that others wait for the database; the time that the poll itself waits says nothing."""
    clock = _HandClock()
    reading = _Reading(clock, [before, after])
    reader = Reader(
        service="enrolment",
        source=lambda: _Log(clock, [LogRecord(number, b"k", b"v", []) for number in range(records)], end),
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


class _Client:
    """A Kafka client that answers what it was told to; `waits` are the milliseconds that it was let wait."""

    def __init__(self, ends: dict[str, int], answers: list[dict[str, list[int]]]) -> None:
        self._ends = ends
        self._answers = answers
        self._fetcher = SimpleNamespace(_next_partition_records=None)
        self.waits: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(topic, 0) for topic in self._ends}

    def highwater(self, place: TopicPartition) -> int:
        return self._ends[place.topic]

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[SimpleNamespace]]:
        assert max_records == 100
        self.waits.append(timeout_ms)
        return {
            TopicPartition(topic, 0): [SimpleNamespace(offset=at, key=b"k", value=b"v", headers=[]) for at in offsets]
            for topic, offsets in self._answers.pop(0).items()
        }

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


class _HandClock(SystemClock):
    """Stands still unless it is told."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


class _Log:
    """A log of one topic whose poll waits a second and then has everything."""

    def __init__(self, clock: _HandClock, records: Sequence[LogRecord], end: int) -> None:
        self._clock = clock
        self._records = records
        self._end = end

    def places(self) -> dict[str, str]:
        return {TOPIC: "cluster/topic"}

    def held(self) -> frozenset[str]:
        return frozenset({TOPIC})

    def poll(self, seconds: float, most: int) -> dict[str, Sequence[LogRecord]]:
        self._clock.at += 1.0 if seconds else 0.0
        return {TOPIC: self._records[:most]} if self._records else {}

    def end(self, _: str) -> int:
        return self._end

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


class _Reading:
    """One topic's state; each turn lasts so many seconds, and says whether more is ready."""

    topic, place, wants_rewind, available = TOPIC, "cluster/topic", False, True

    def __init__(self, clock: _HandClock, turns: list[tuple[float, bool]]) -> None:
        self._clock = clock
        self._turns = turns
        self.received: list[LogRecord] = []
        self.read_to = 0

    def take_over(self, _: str) -> int:
        return 0

    def examine(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        return records

    def receive(self, records: Sequence[LogRecord], _: int | None = None) -> None:
        self.received += records
        self.read_to = len(self.received)

    def apply(self) -> bool:
        seconds, is_more = self._turns.pop(0)
        self._clock.at += seconds
        return is_more

    def is_full(self) -> bool:
        return False

    def tend(self) -> None:
        return None


def _ring_until(over: Event, bell: Bell, feed: FeedName) -> None:
    while not over.wait(0.05):
        bell.ring(feed)


def _send(producer, feed: FeedName) -> None:
    producer.send(feed.topic, key=b"k", value=b"v", partition=0).get(PATIENCE_SECONDS)
