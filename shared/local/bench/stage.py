"""What every row stands on: addresses of the backbone, units of work, made-up events, a relay, unused names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event

import msgspec
from kafka import KafkaProducer

from shared.clock import Clock
from shared.events import sending
from shared.events.contracts import contract_book
from shared.events.envelope import Outgoing
from shared.events.feed import FeedName
from shared.events.relay import Outcome
from shared.events.relay_process import Relay, build_relay
from shared.identifiers import new_identifier
from shared.local.bench.sizes import Sizes
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork, Work

WRITER, READER = "enrolment", "assessment"
TYPE = "enrolment.requested.v1"
ENTRY_EVENTS = 500

Timed = Callable[[], int]
"""The work that is timed; returns how many events it did."""
Side = Callable[[int], AbstractContextManager[Timed]]
"""Given a size, makes everything ready, yields the work, and puts everything away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """One row: the platform's own code and the bare calls beside it."""

    id: str
    title: str
    bare_title: str
    size: int
    platform: Side
    bare: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The backbone of this run, and a partnership for the rows that need one."""

    mongodb_uri: str
    bootstrap_servers: str
    client: Client
    clock: Clock
    sizes: Sizes
    partnership_file: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def unit(self, service: str = WRITER) -> UnitOfWork:
        """Return the unit of work of a service, contracts included, as in production."""
        return UnitOfWork(
            client=self.client,
            service=service,
            clock=self.clock,
            new_identifier=new_identifier,
            contracts=contract_book(),
        )

    def new_feed(self) -> FeedName:
        """Return a feed, with an organisation, that was never used."""
        return FeedName("org", f"bench-{next(self._numbers)}", WRITER)

    @contextmanager
    def relay(self, feed: FeedName, stop: Event | None = None) -> Iterator[Relay]:
        """Yield the feed's relay, its topic made and opened; closed at the end unless `stop` says that it ran."""
        relay = build_relay(
            service=feed.service,
            feeds=[feed],
            client_factory=lambda: connect(self.mongodb_uri, appname="bench-relay"),
            bootstrap_servers=self.bootstrap_servers,
            clock=self.clock,
            stop=stop or Event(),
            heartbeat_seconds=10.0,
            poll_seconds=0.2,
            partnership_version="1",
            partnership_hash="0" * 64,
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
        """Return a bare producer set as the relay's is."""
        return KafkaProducer(
            bootstrap_servers=self.bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            batch_size=sending.BATCH_BYTES,
            linger_ms=sending.LINGER_MILLISECONDS,
            max_request_size=sending.LARGEST_REQUEST_BYTES,
        )


def send_all(relay: Relay) -> None:
    """Step the relay until nothing waits."""
    while Outcome.WORKED in relay.step().values():
        continue


def bodies(size: int) -> list[bytes]:
    """Return the data of `size` events as they would come in."""
    return [
        msgspec.json.encode(
            {
                "enrolment_id": new_identifier(),
                "practitioner_id": new_identifier(),
                "cohort_owner": "lead",
                "course": "C1",
                "intake": "2025-09",
                "route": "practice_only",
                "pcf_level": "SW",
                "requested_on": "2025-08-12",
            }
        )
        for _ in range(size)
    ]


def event(identifier: str, body: bytes) -> Outgoing:
    """Return the event that a body leads to."""
    return Outgoing(type=TYPE, key=identifier, version=1, data=body)


def commit_feed(stage: Stage, feed: FeedName, data: Sequence[bytes]) -> None:
    """Commit events to a feed, as many as one entry holds at a time; never timed."""
    unit = UnitOfWork(client=stage.client, service=feed.service, clock=stage.clock, new_identifier=new_identifier)
    for start in range(0, len(data), ENTRY_EVENTS):
        events = [event(new_identifier(), body) for body in data[start : start + ENTRY_EVENTS]]

        def emit(work: Work, events: list[Outgoing] = events) -> None:
            work.emit(*events)

        unit.run(feed.organisation, emit)
