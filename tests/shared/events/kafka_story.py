"""An owner with its relay and one reader of its feed, on a Kafka that a test spoils, and what must hold of them."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

import msgspec

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.envelope import Envelope, Outgoing
from shared.events.feed import FeedName
from shared.events.feed_reading import ReadingRules
from shared.events.ledger import Ledger
from shared.events.pull import feed_page
from shared.events.reading_metrics import ALARMS
from shared.events.records import from_structured
from shared.events.republish import published
from shared.testing.feeds import a_relay

CLOCK = SystemClock()
QUICK = ReadingRules(gap_seconds=1.0, gap_retry_seconds=1.0)
PATIENCE_SECONDS = 240.0


class Story:
    """An owner with its relay, and one reader of its feed, each on threads of this test."""

    def __init__(self, desk, mongodb_uri: str, servers: str, organisation: str, copies: int) -> None:
        owner = sys.modules[type(desk).__module__].Owner
        self.desk = type(desk)(desk.unit, servers)
        self.owner = owner(organisation, servers, None)
        self.feed: FeedName = self.owner.feed
        self.servers = servers
        self.committed = 0
        self.door_is_open = True
        self._ends: list[tuple[threading.Event, threading.Thread]] = []
        stop = threading.Event()
        self.relay = a_relay(
            mongodb_uri, servers, [self.feed], stop=stop, heartbeat_seconds=0.5, replication_factor=copies
        )
        self._begin(stop, self.relay.run)

    def commit(self, count: int = 1) -> None:
        """Let the owner commit that many more events, on three keys in turn."""
        for _ in range(count):
            self.committed += 1
            key, version = f"k{self.committed % 3}", (self.committed + 2) // 3
            body = msgspec.json.encode({"amount": 1})
            event = Outgoing(type="test.noted.v1", key=key, version=version, data=body, feed="org")
            self.desk.unit.run(self.feed.organisation, lambda work, event=event: work.emit(event))

    @contextlib.contextmanager
    def load(self) -> Iterator[None]:
        """Let the owner commit on while the block runs; a commit that is refused is the test's failure."""
        stop, is_sound = threading.Event(), threading.Event()

        def write() -> None:
            while not stop.wait(0.05):
                self.commit()
            is_sound.set()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
        assert is_sound.is_set()

    def read(self, *, group: str | None = None) -> Callable[[], None]:
        """Start a reader, and return how to end it."""
        reader = self.desk.reader(self.owner, rules=QUICK, fetch=self._fetch, group=group)
        self.desk.readers.remove(reader)
        stop = threading.Event()
        thread = self._begin(stop, lambda: reader.run(stop))

        def end() -> None:
            stop.set()
            thread.join(60)

        return end

    def published(self) -> int:
        """Return how far the feed was sent and acknowledged."""
        return published(self.desk.unit, self.feed)

    def taken(self) -> int:
        """Return how far the reader is."""
        return int(self.desk.position(self.owner)["number"])

    def are_through(self) -> None:
        """Wait until all is sent and read, and hold every effect against the owner's feed."""
        wait_until(lambda: self.published() == self.committed, "not everything is sent")
        wait_until(lambda: self.taken() == self.committed, "not everything is read")
        reading = self.desk.unit.reading(self.feed.organisation)
        ledger = Ledger(reading, self.feed)
        orders: dict[str, list[int]] = {}
        for envelope, _ in ledger.walk(0, ledger.head()):
            orders.setdefault(envelope.subject, []).append(envelope.feedseq)
        rows = self.desk.rows(self.feed.organisation, "sums")
        assert {row["_id"]: row["order"] for row in rows} == orders
        assert sum(row["sum"] for row in rows) == self.committed
        assert len(self.desk.rows(self.feed.organisation, "effects")) == self.committed

    def figure(self, kind: str) -> int:
        """Return a figure that the relay shows."""
        return self.relay.gauges()[self.feed.topic][kind]

    def alarm(self, kind: str) -> float:
        """Return whether the reader shows an alarm."""
        return float(ALARMS.labels("enrolment", self.feed.topic, kind)._value.get())

    def end(self) -> None:
        """End everything."""
        for stop, _ in self._ends:
            stop.set()
        for _, thread in self._ends:
            thread.join(60)

    def _begin(self, stop: threading.Event, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work)
        thread.start()
        self._ends.append((stop, thread))
        return thread

    def _fetch(self, feed: FeedName, after: int, limit: int) -> list[Envelope]:
        """Return what the owner's pull feed answers, without the HTTP between."""
        if not self.door_is_open:
            raise Unavailable("the owner's door is shut")
        page = feed_page(self.desk.unit.reading(feed.organisation), feed, after=after, limit=limit)
        return [from_structured(item) for item in page.items]


def wait_until(question: Callable[[], bool], what: str) -> float:
    """Return the seconds after which the answer was yes; fail when it never is. No answer is no yes."""
    began = CLOCK.monotonic()
    while not _answer(question):
        assert CLOCK.monotonic() < began + PATIENCE_SECONDS, what
        CLOCK.sleep(0.1)
    return CLOCK.monotonic() - began


def _answer(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except Unavailable:
        return False
