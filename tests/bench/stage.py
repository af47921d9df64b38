"""What every row stands on: the backbone of the row, its two sinks, units of work, a relay, unused names."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event

from kafka import KafkaProducer

from shared.clock import Clock
from shared.events import batching
from shared.events.contracts import contract_book
from shared.events.feed import FeedName
from shared.events.relay import Outcome
from shared.events.relay_process import Relay, build_relay
from shared.identifiers import new_identifier
from shared.local.ports import LOOPBACK
from shared.process.settling import settle
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork
from tests.bench.sizes import Sizes

NULL, SEC = "NULL", "SEC"
WRITER, READER = "enrolment", "assessment"
FETCH_MAX_WAIT_MS = 20
LINGER_MILLISECONDS = 5
"""A loop that sends one record after the other fills its batches by this; the relay hands over full ones."""

Timed = Callable[[], int]
"""The work that is timed; returns how many events it did."""
Side = Callable[[int], AbstractContextManager[Timed]]
"""Given a size, makes everything ready, yields the work, and puts everything away."""


def as_a_process(side: Side) -> Side:
    """Return the side, done as a process of the platform does its work once it has started (`settling.py`)."""

    @contextmanager
    def started(size: int) -> Iterator[Timed]:
        with side(size) as work:
            turn = sys.getswitchinterval()
            settle()
            try:
                yield work
            finally:
                gc.unfreeze()
                sys.setswitchinterval(turn)

    return started


class Miscounted(Exception):
    """What was written is not what was published: such a figure is worth nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """Where a row's writes go: NULL acknowledges and counts them, SEC is the local database as the platform runs it.

    With an external backbone SEC is the database of MONGODB_URI.
    """

    name: str
    uri: str
    client: Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The surroundings of one row."""

    bootstrap_servers: str
    kafka_config: Mapping[str, object]
    sinks: Mapping[str, Sink]
    pids: Mapping[str, int]
    """Process numbers of `mongodb`, `kafka` and `null`, where they are ours."""
    clock: Clock
    sizes: Sizes
    partnership_file: Path
    directory: Path
    run: str = "bench"
    """Part of every organisation's name: two runs on one external broker do not meet."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def sec(self) -> Sink:
        """Return the real database."""
        return self.sinks[SEC]

    def fresh_prefix(self) -> str:
        """Return a prefix of database names that was never used."""
        return f"{self.run}{next(self._numbers)}_"

    def unit(self, sink: Sink, service: str = WRITER, prefix: str = "") -> UnitOfWork:
        """Return the unit of work of a service, contracts included, as in production."""
        return UnitOfWork(
            client=sink.client,
            service=service,
            clock=self.clock,
            new_identifier=new_identifier,
            contracts=contract_book(),
            prefix=prefix,
        )

    def new_feed(self) -> FeedName:
        """Return a feed, with an organisation, that was never used."""
        return FeedName("org", f"{self.run}-{next(self._numbers)}", WRITER)

    @contextmanager
    def relay(self, *feeds: FeedName, stop: Event | None = None) -> Iterator[Relay]:
        """Yield the feeds' relay, topics made and opened; closed at the end unless `stop` says that it ran."""
        relay = build_relay(
            service=feeds[0].service,
            feeds=feeds,
            client_factory=lambda: connect(self.sec.uri, appname="bench-relay"),
            bootstrap_servers=self.bootstrap_servers,
            clock=self.clock,
            stop=stop or Event(),
            heartbeat_seconds=10.0,
            poll_seconds=0.2,
            partnership_version="1",
            partnership_hash="0" * 64,
            kafka_config=self.kafka_config,
        )
        if stop is not None:
            yield relay
            return
        try:
            send_all(relay)
            yield relay
        finally:
            relay.close()

    def producer(self) -> KafkaProducer:
        """Return a bare producer set as the relay's is, but that it gathers its batches itself."""
        return KafkaProducer(
            **self.kafka_config,
            bootstrap_servers=self.bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            batch_size=batching.BATCH_BYTES,
            linger_ms=LINGER_MILLISECONDS,
            max_request_size=batching.LARGEST_REQUEST_BYTES,
        )


def null_uri(port: int) -> str:
    """Return how to reach the NULL sink."""
    return f"mongodb://{LOOPBACK}:{port}/?directConnection=true&retryWrites=false"


def send_all(relay: Relay) -> None:
    """Step the relay until nothing waits."""
    while Outcome.WORKED in relay.step().values():
        continue
