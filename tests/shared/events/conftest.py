"""What the read side's tests share: an owner who writes whatever it likes to its log, and a reader to step through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
import pytest
from kafka import KafkaProducer

from shared.clock import SystemClock
from shared.errors import Forbidden, Malformed
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.envelope import GENESIS, Envelope, Heartbeat, Opened, Received, instant, schema_of, source_of
from shared.events.feed import FeedName
from shared.events.feed_reading import FeedReading, ReadingRules, ReadingTools
from shared.events.hashing import hash_of
from shared.events.intake import IntakeReader
from shared.events.reading_loop import Reader
from shared.events.records import encode, encode_unnumbered
from shared.events.relay_process import Relay
from shared.events.routing import Router
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.identifiers import new_identifier
from shared.storage.unit_of_work import UnitOfWork, Work
from shared.testing.feeds import a_relay, make_topic_anew

PARTNERSHIP_HASH = "0"


class Noted(msgspec.Struct, frozen=True):
    """A tolerant struct of a made-up event."""

    amount: int
    orders: str = ""


@dataclass
class Owner:
    """An organisation with a feed: makes numbered events, and sends any bytes to its topic."""

    organisation: str
    bootstrap: str
    producer: KafkaProducer
    service: str = "enrolment"
    number: int = 0
    head: str = GENESIS
    generation: str = "g1"
    made: list[Envelope] = field(default_factory=list)

    @property
    def feed(self) -> FeedName:
        """The feed's name."""
        return FeedName("org", self.organisation, self.service)

    @property
    def topic(self) -> str:
        """The feed's topic."""
        return self.feed.topic

    def make(self, key: str = "k1", amount: object = 1, *, type: str = "test.noted.v1", **extra: object) -> Envelope:
        """Make the feed's next event without sending it."""
        data = json.dumps({"amount": amount, **extra}).encode()
        envelope = Envelope(
            id=new_identifier(),
            source=source_of(self.topic),
            type=type,
            subject=key,
            time=instant(SystemClock().now()),
            dataschema=schema_of(type),
            organisation=self.organisation,
            feedseq=self.number + 1,
            prevhash=self.head,
            correlationid=new_identifier(),
            data=data,
        )
        self.number, self.head = envelope.feedseq, hash_of(envelope)
        self.made.append(envelope)
        return envelope

    def open(self) -> None:
        """Make the topic, empty but for its opening; one that is there is lost."""
        make_topic_anew(self.bootstrap, self.topic)
        self.send_unnumbered(Opened(generation=self.generation))

    def remake(self, generation: str) -> None:
        """Lose the log: the topic is deleted and made again, empty but for its opening."""
        self.generation = generation
        self.open()

    def send(self, *envelopes: Envelope, epoch: int = 1) -> None:
        """Send events as the relay does."""
        for envelope in envelopes:
            record = encode(envelope, epoch)
            self.producer.send(self.topic, key=record.key, value=record.value, headers=record.headers, partition=0)
        self.producer.flush(10)

    def raw(self, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
        """Send any record."""
        self.producer.send(self.topic, key=key, value=value, headers=headers or [], partition=0)
        self.producer.flush(10)

    def beat(
        self,
        number: int | None = None,
        *,
        head: str | None = None,
        epoch: int = 1,
        partnership_hash: str = PARTNERSHIP_HASH,
    ) -> None:
        """Send a heartbeat."""
        self.send_unnumbered(
            Heartbeat(
                feedseq=self.number if number is None else number,
                head_hash=head or self.head,
                counts={},
                credits=0,
                epoch=epoch,
                generation=self.generation,
                partnership_version="1",
                partnership_hash=partnership_hash,
            ),
            epoch=epoch,
        )

    def send_unnumbered(self, body: Opened | Heartbeat, epoch: int = 1) -> None:
        """Send an opening or heartbeat."""
        record = encode_unnumbered(
            body,
            identifier=new_identifier(),
            source=source_of(self.topic),
            organisation=self.organisation,
            time=instant(SystemClock().now()),
            epoch=epoch,
        )
        self.raw(record.key, record.value, record.headers)


def when_noted(work: Work, event: Received[Noted]) -> None:
    """The reaction under test: an effect that is wrong when it happens twice or out of order."""
    if event.data.orders == "bug":
        raise ZeroDivisionError
    if event.data.orders == "malformed":
        raise Malformed("this cannot be")
    if event.data.orders == "forbidden":
        raise Forbidden("this may not be")
    if event.data.orders == "unique":
        work.rows("natural").insert_one({"_id": event.data.amount})
    work.rows("effects").insert_one({"_id": f"{event.topic}#{event.number}", "key": event.key})
    work.rows("sums").update_one({"_id": event.key}, {"$inc": {"sum": event.data.amount}}, upsert=True)
    work.rows("sums").update_one({"_id": event.key}, {"$push": {"order": event.number}})


NOTED = Subscription(
    type="test.noted.v1", struct=Noted, concerns=lambda event, _: (event.organisation,), reaction=when_noted
)


@dataclass
class Desk:
    """Readers of one service for a test, and what they did."""

    unit: UnitOfWork
    bootstrap: str
    readers: list[Reader] = field(default_factory=list)

    def book(self) -> SubscriptionBook:
        """Return the table that readers use unless told otherwise."""
        return SubscriptionBook((NOTED,), {"test.boring.v1"})

    def reader(
        self, *owners: Owner, book: SubscriptionBook | None = None, rules: ReadingRules | None = None, fetch=None,
        takers: dict[str, tuple[str, ...]] | None = None, concerned=None, intake=None,
        group: str | None = None,
    ) -> Reader:  # fmt: skip
        """Return a reader of these owners' feeds, in which each owner takes its own events."""
        table = book or self.book()
        clock = self.unit.clock

        def readings(tools: ReadingTools):
            found = {}
            for owner in owners:
                own = (takers or {}).get(owner.organisation, (owner.organisation,))
                if intake is not None:
                    found[owner.topic] = IntakeReader(owner.topic, owner.organisation, intake, tools)
                    continue
                asked = concerned or (lambda row, event: row.concerns(event, None))
                found[owner.topic] = FeedReading(owner.feed, own, Router(owner.feed, table, own, asked), tools)
            return found

        topics = [owner.topic for owner in owners]
        options = KafkaOptions(self.bootstrap, group, 20, session_timeout_ms=2000, heartbeat_interval_ms=300)
        reader = Reader(
            service="enrolment",
            source=lambda: KafkaLog(topics, options),
            readings=readings,
            tools=lambda session: ReadingTools(
                unit=self.unit,
                session=session,
                clock=clock,
                rules=rules or ReadingRules(),
                fetch=fetch,
                partnership_hash=PARTNERSHIP_HASH,
            ),
            unit=self.unit,
            clock=clock,
            shares_topics=group is not None,
        )
        self.readers.append(reader)
        return reader

    def settle(self, reader: Reader, until: Callable[[], bool], *, seconds: float = 15.0) -> None:
        """Step until the condition holds."""
        clock = SystemClock()
        end = clock.monotonic() + seconds
        while not until():
            assert clock.monotonic() < end, "the reader did not get there in time"
            pause = reader.step()
            if pause:
                clock.sleep(min(pause, 0.2))

    def rows(self, organisation: str, name: str) -> list[dict]:
        """Return a collection."""
        return list(self.unit.database(organisation)[name].find())

    def position(self, owner: Owner, organisation: str | None = None) -> dict:
        """Return a stored position."""
        found = self.unit.database(organisation or owner.organisation)["positions"].find_one({"_id": owner.topic})
        return found or {"number": 0, "next": 0}

    def sums(self, owner: Owner) -> dict[str, int]:
        """Return what the effects add up to, by key."""
        return {doc["_id"]: doc["sum"] for doc in self.rows(owner.organisation, "sums")}

    def reads_to(self, reader: Reader, owner: Owner, number: int) -> None:
        """Step until the owner's own position is at a number."""
        self.settle(reader, lambda: self.position(owner)["number"] >= number)


@pytest.fixture
def desk(unit_of_work, kafka_bootstrap) -> Iterator[Desk]:
    """Readers that are closed at the end."""
    made = Desk(unit_of_work, kafka_bootstrap)
    yield made
    for reader in made.readers:
        reader.close()


@pytest.fixture(scope="session")
def free_producer(kafka_bootstrap) -> Iterator[KafkaProducer]:
    """A producer that sends whatever it is given."""
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, max_request_size=8_000_000)
    yield producer
    producer.close(timeout=2)


@pytest.fixture
def new_owner(kafka_bootstrap, free_producer, new_organisation) -> Callable[[], Owner]:
    """A maker of owners with an open feed."""

    def make(stem: str = "brent") -> Owner:
        owner = Owner(new_organisation(stem), kafka_bootstrap, free_producer)
        owner.open()
        return owner

    return make


@pytest.fixture
def owner(new_owner) -> Owner:
    """One owner with an open feed."""
    return new_owner()


@pytest.fixture
def feed(organisation) -> FeedName:
    """The feed of the test's organisation."""
    return FeedName("org", organisation, "enrolment")


@pytest.fixture
def kafka(kafka_bootstrap) -> str:
    """The broker's address; a file whose tests spoil their broker has its own."""
    return kafka_bootstrap


@pytest.fixture
def start_relay(mongodb_uri, kafka, feed) -> Iterator[Callable[..., Relay]]:
    """A maker of relays of the feed, all under one name, that are closed in the end."""
    made: list[Relay] = []

    def start(*, heartbeat_seconds: float = 3600.0) -> Relay:
        made.append(a_relay(mongodb_uri, kafka, [feed], holder="same", heartbeat_seconds=heartbeat_seconds))
        return made[-1]

    yield start
    for relay in made:
        relay.close()
