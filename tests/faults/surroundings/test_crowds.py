"""Readers that come and go, are slow, or are crowded by one of many (P9, P16, P17, P23), on a real database and broker.

Real relays and readers in this process; whoever takes the events adds them up and notices any that comes out of order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pytest
from kafka import KafkaAdminClient

from shared.clock import SystemClock
from shared.errors import ConcurrentChange, Unavailable
from shared.events import reading_metrics
from shared.events.envelope import Outgoing, Received
from shared.events.feed import FeedName
from shared.events.feed_reading import ReadingRules
from shared.events.ledger import Ledger
from shared.events.reading_loop import Reader, TakenOver
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.storage import unit_of_work as units
from shared.storage.unit_of_work import UnitOfWork, Work
from shared.testing.feeds import a_relay, as_they_stand, numbers_on, put_back
from tests.faults.surroundings.stage import note, wait_until
from tests.shared.events.conftest import Desk, Owner, desk, free_producer, new_owner, owner  # noqa: F401 - fixtures

CLOCK: Final = SystemClock()
pytestmark = [pytest.mark.timeout(600)]


class Step(msgspec.Struct, frozen=True):
    """A tolerant struct of a made-up event: the aggregate's next step."""

    step: int


def taking(seconds: float = 0.0, order: list[str] | None = None) -> SubscriptionBook:
    """Return a table whose one reaction takes so long and is wrong when a step is lost, doubled or out of order.

    `order` is given the owner of each event that it is called for.
    """

    def when_stepped(work: Work, event: Received[Step]) -> None:
        if order is not None:
            order.append(event.organisation)
        if seconds:
            CLOCK.sleep(seconds)
        rows = work.rows("steps")
        held = rows.find_one({"_id": event.key}) or {"step": 0, "wrong": 0}
        wrong = held["wrong"] + (event.data.step != held["step"] + 1)
        rows.replace_one({"_id": event.key}, {"_id": event.key, "step": event.data.step, "wrong": wrong}, upsert=True)

    row = Subscription(
        type="test.stepped.v1",
        struct=Step,
        concerns=lambda event, _: (event.organisation,),
        reaction=when_stepped,
    )
    return SubscriptionBook((row,), frozenset())


def commit_steps(unit: UnitOfWork, organisation: str, key: str, first: int, count: int, at_once: int = 100) -> None:
    """Commit the steps of one aggregate, several events to a commit."""
    for start in range(first, first + count, at_once):
        events = [
            Outgoing(type="test.stepped.v1", key=key, version=step, data=json.dumps({"step": step}).encode())
            for step in range(start, min(start + at_once, first + count))
        ]
        unit.run(organisation, lambda work, events=events: work.emit(*events))


def steps(unit: UnitOfWork, organisation: str) -> dict[str, tuple[int, int]]:
    """Return by aggregate the last step taken, and how many were wrong."""
    return {row["_id"]: (row["step"], row["wrong"]) for row in unit.database(organisation)["steps"].find({})}


@dataclass
class House:
    """Owners whose relay and readers run for real in threads."""

    unit: UnitOfWork
    mongodb_uri: str
    kafka: str
    desk: Desk
    threads: list[tuple[threading.Event, threading.Thread]] = field(default_factory=list)
    taken_over: int = 0

    def owner(self, organisation: str) -> Owner:
        """Return an owner by name: only its topic counts here."""
        return Owner(organisation, self.kafka, producer=None)  # type: ignore[arg-type]

    def relay(self, *organisations: str) -> None:
        """Run the owners' relay until the end."""
        stop = threading.Event()
        feeds = [FeedName("org", slug, "enrolment") for slug in organisations]
        relay = a_relay(self.mongodb_uri, self.kafka, feeds, stop=stop, heartbeat_seconds=3600, poll_seconds=0.05)
        self._run(stop, relay.run)

    def read(self, *organisations: str, book: SubscriptionBook, **given: Any) -> tuple[threading.Event, Reader]:  # noqa: ANN401
        """Run a reader of these owners' feeds until it is stopped, or another takes over."""
        stop = threading.Event()
        reader = self.desk.reader(*(self.owner(slug) for slug in organisations), book=book, **given)
        self.desk.readers.remove(reader)  # it closes itself

        def run() -> None:
            try:
                reader.run(stop)
            except TakenOver:
                self.taken_over += 1

        self._run(stop, run)
        return stop, reader

    def _run(self, stop: threading.Event, work: Any) -> None:  # noqa: ANN401
        thread = threading.Thread(target=work)
        self.threads.append((stop, thread))
        thread.start()

    def end(self) -> None:
        """Stop everything that runs."""
        for stop, _ in self.threads:
            stop.set()
        for _, thread in self.threads:
            thread.join(60)
        self.threads.clear()


@pytest.fixture
def house(unit_of_work, mongodb_uri, kafka_bootstrap, desk) -> Iterator[House]:  # noqa: F811
    """A house that ends by itself."""
    house = House(unit_of_work, mongodb_uri, kafka_bootstrap, desk)
    yield house
    house.end()


def is_sent(house: House, organisation: str) -> bool:
    """Return whether all that the owner has committed stands on the log."""
    name = FeedName("org", organisation, "enrolment")
    database = house.unit.database(organisation)
    mark = database[name.state].find_one({"_id": "mark"}) or {"published": 0}
    head = Ledger(house.unit.reading(organisation), name).head().number
    return database[name.pending].count_documents({}) == 0 and mark["published"] == head


def is_level(house: House, organisation: str) -> bool:
    """Return whether the reader has taken all that the owner has committed."""
    name = FeedName("org", organisation, "enrolment")
    head = Ledger(house.unit.reading(organisation), name).head().number
    waiting = house.unit.database(organisation)[name.pending].count_documents({})
    found = house.unit.database(organisation)["positions"].find_one({"_id": name.topic})
    return waiting == 0 and found is not None and found["number"] == head


def test_p16_slow_batch_of_a_reader_without_a_group_is_taken_once_and_its_lag_shows(house, organisation):
    """A reader that takes every feed is in no group that could give up on it; one that is, stands on Apache Kafka.

    While it works the feed's announced number is ahead of the one taken, for whoever watches.
    """
    topic = FeedName("org", organisation, "enrolment").topic
    commit_steps(house.unit, organisation, "k", 1, 48, at_once=12)
    house.relay(organisation)
    house.read(organisation, book=taking(0.1), rules=ReadingRules(batch_events=24, most_batch_events=24))
    announced = reading_metrics.ANNOUNCED.labels("enrolment", topic)
    taken = reading_metrics.NUMBER.labels("enrolment", topic)
    wait_until(lambda: announced._value.get() - taken._value.get() >= 20, "the lag to show")
    wait_until(lambda: is_level(house, organisation), "the reader")
    assert steps(house.unit, organisation) == {"k": (48, 0)}
    position = house.unit.database(organisation)["positions"].find_one({"_id": topic})
    assert (position["epoch"], house.taken_over) == (1, 0)


class Steps(threading.Thread):
    """Commits the steps of one aggregate until told to end."""

    def __init__(self, unit: UnitOfWork, organisation: str) -> None:
        super().__init__()
        self.unit, self.organisation, self.ending = unit, organisation, threading.Event()

    def run(self) -> None:
        """Five steps at a time."""
        step = 1
        while not self.ending.wait(0.02):
            commit_steps(self.unit, self.organisation, "k", step, 5)
            step += 5


@pytest.mark.faults
def test_p17_twenty_readers_coming_and_going_lose_and_double_nothing(house, organisation):
    """Every other reader is taken over in the middle of its work, the others leave politely; events never stop."""
    book, writer, pauses = taking(), Steps(house.unit, organisation), []
    house.relay(organisation)
    writer.start()

    def goes_on() -> float:
        before = steps(house.unit, organisation).get("k", (0, 0))[0]
        return wait_until(lambda: steps(house.unit, organisation).get("k", (0, 0))[0] > before, "the next reader")

    try:
        for number in range(20):
            stop, _ = house.read(organisation, book=book)
            pauses.append(goes_on())
            if number % 2:
                stop.set()
    finally:
        writer.ending.set()
        writer.join()
    house.read(organisation, book=book)
    wait_until(lambda: is_level(house, organisation), "the last reader")
    last, wrong = steps(house.unit, organisation)["k"]
    note("p17 events through 20 readers, longest pause in seconds", (last, round(max(pauses), 2)))
    assert wrong == 0
    assert house.taken_over >= 9


@pytest.mark.faults
def test_p23_one_person_of_ten_thousand_events_and_one_owner_of_most_of_the_load_keep_nobody_waiting(
    house, new_organisation
):
    """10,000 steps of one aggregate, nine tenths of all there is: in order, once; the others are served long before.

    All of it stands on the log before the reader begins: what is told is how the reader divides its time.
    """
    busy, others = new_organisation("busy"), [new_organisation("calm") for _ in range(4)]
    commit_steps(house.unit, busy, "hot", 1, 10_000)
    for calm in others:
        commit_steps(house.unit, calm, "k", 1, 250, at_once=10)
    house.relay(busy, *others)
    sent = wait_until(lambda: all(is_sent(house, slug) for slug in (busy, *others)), "the relay", 300)
    note("p23 seconds until 11,000 events of five owners were sent", round(sent, 1))
    order: list[str] = []
    house.read(busy, *others, book=taking(order=order))
    theirs = wait_until(lambda: all(is_level(house, calm) for calm in others), "the others", 300)
    seconds = theirs + wait_until(lambda: is_level(house, busy), "the busy one", 500)
    note("p23 seconds until the others were served, and the busy one", (round(theirs, 1), round(seconds, 1)))
    last = max(index for index, slug in enumerate(order) if slug != busy)
    taken = order[:last].count(busy)
    note("p23 events of the busy one taken before the last of the others", taken)
    assert taken < 5_000, "the others waited for the busy one"
    assert steps(house.unit, busy) == {"hot": (10_000, 0)}
    assert all(steps(house.unit, calm) == {"k": (250, 0)} for calm in others)


class Recording(SystemClock):
    """A clock that remembers how long it was asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self.slept.append(seconds)
        super().sleep(seconds)


class Writers:
    """Threads that change one row of one organisation, and what became of each attempt."""

    def __init__(self, unit: UnitOfWork, organisation: str) -> None:
        self.unit, self.organisation = unit, organisation
        self.committed: list[int] = []
        self.refused: list[int] = []
        self.attempts: list[int] = []

    def storm(self, threads: int, times: int) -> None:
        """Let them all change it so often, at once."""
        running = [threading.Thread(target=self._work, args=(times,)) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    def _work(self, times: int) -> None:
        for _ in range(times):
            try:
                self.unit.run(self.organisation, self._count)
            except (ConcurrentChange, Unavailable):
                self.refused.append(1)
            else:
                self.committed.append(1)

    def _count(self, work: Work) -> None:
        self.attempts.append(1)
        held = work.rows("things").find_one({"_id": "hot"}) or {"count": 0}
        work.rows("things").replace_one({"_id": "hot"}, {"_id": "hot", "count": held["count"] + 1}, upsert=True)


def test_p23_storm_of_write_conflicts_ends_in_bounded_retries_with_jitter_and_others_are_served(
    make_unit_of_work, new_organisation
):
    """Eight writers of one row: each commit counts once, each refusal is a word, none waits for ever.

    Meanwhile another organisation's commits meet no conflict at all.
    """
    clock, ending, served = Recording(), threading.Event(), []
    hot, calm, other = new_organisation("hot"), new_organisation("calm"), make_unit_of_work()
    writers = Writers(make_unit_of_work(clock=clock), hot)

    def serve() -> None:
        while not ending.is_set():
            other.run(calm, lambda work: work.rows("things").insert_one({"_id": work.new_id()}))
            served.append(1)

    bystander = threading.Thread(target=serve)
    bystander.start()
    writers.storm(8, 15)
    ending.set()
    bystander.join()
    counted = other.database(hot)["things"].find_one({"_id": "hot"})["count"]
    figures = [len(each) for each in (writers.committed, writers.refused, writers.attempts, served)]
    note("p23 committed, refused, attempts, others served meanwhile", figures)
    assert figures[0] + figures[1] == 8 * 15
    assert counted == figures[0]
    assert figures[2] > 8 * 15, "there was no storm"
    assert figures[3]
    assert max(clock.slept) <= units.LONGEST_PAUSE_SECONDS
    assert len(set(clock.slept)) > len(clock.slept) * 0.9


@pytest.fixture
def admin(kafka_bootstrap) -> Iterator[KafkaAdminClient]:
    """Somebody who may do anything to topics."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    yield admin
    admin.close()


def test_p9_log_that_lost_its_unflushed_tail_is_made_whole_by_its_owner_and_nobody_counts_twice(
    house, organisation, admin
):
    """The same log, five events shorter than what was acknowledged and taken: so much was not flushed.

    The owner's relay sends all of it again; the reader begins again and keeps its number.
    """
    name = FeedName("org", organisation, "enrolment")
    commit_steps(house.unit, organisation, "k", 1, 12, at_once=3)
    house.relay(organisation)
    house.read(organisation, book=taking())
    wait_until(lambda: is_level(house, organisation), "the reader")
    house.end()

    put_back(house.kafka, name.topic, as_they_stand(house.kafka, name.topic)[:8])  # the opening and seven events
    place = admin.describe_topics([name.topic])[0]["topic_id"]
    database = house.unit.database(organisation)
    before = database["positions"].find_one({"_id": name.topic})
    cluster = before["place"].partition("/")[0]
    database["positions"].update_one({"_id": name.topic}, {"$set": {"place": f"{cluster}/{place}"}})
    database[name.state].update_one({"_id": "mark"}, {"$set": {"log.topic_id": str(place)}})

    house.read(organisation, book=taking())
    house.relay(organisation)
    commit_steps(house.unit, organisation, "k", 13, 3)
    wait_until(lambda: is_level(house, organisation), "the reader")
    assert steps(house.unit, organisation) == {"k": (15, 0)}
    numbers = numbers_on(house.kafka, name.topic)
    assert numbers[:7] == list(range(1, 8))
    assert list(dict.fromkeys(numbers[7:])) == list(range(1, 16)), "all of it is sent again, in order"
