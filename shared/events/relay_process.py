"""The relay process of a service: one thread per feed, woken by a bell or a change stream, relying on slow polling.

`build_relay` is what a service's bootstrap calls:

    build_relay(
        service="enrolment", feeds=[FeedName("org", "brent", "enrolment"), ...], client_factory=lambda: connect(...),
        bootstrap_servers=..., clock=..., stop=..., heartbeat_seconds=..., poll_seconds=...,
        partnership_version=..., partnership_hash=..., instance="local", database_prefix="",
        plain_topics=("in.brent.enrolment.v1",), summed={"accreditation.credit-awarded.v1": "credits"},
    ).run()
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Final

import msgspec
from pymongo.errors import PyMongoError

from shared.clock import Clock, wait_for
from shared.errors import PlatformError, Unavailable
from shared.events.bell import READERS, Listener, ring_of
from shared.events.feed import FeedName
from shared.events.patience import rest_after
from shared.events.refusals import RefusedByBroker
from shared.events.relay import FeedRelay, Links, Outcome
from shared.events.relay_metrics import FENCED, Gauges, show
from shared.events.relay_watch import watch_copies, watch_outboxes
from shared.events.sending import Sender
from shared.events.topics import BROKERS_CHOICE, Topics
from shared.identifiers import new_identifier
from shared.storage.mongo import Client, database_name
from shared.storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

FIRST_BACK_OFF_SECONDS: Final = 0.2
LONGEST_BACK_OFF_SECONDS: Final = 15.0
STANDBY_SECONDS: Final = 5.0
WATCH_MILLISECONDS: Final = 1000
WATCH_AGAIN_SECONDS: Final = 5.0


class _Lane:
    """One feed with its wake-up and its own back-off, so that a blocked feed never delays another."""

    def __init__(self, relay: FeedRelay) -> None:
        self.relay = relay
        self.wake = Event()
        self.failures = 0
        self.is_ours = True
        FENCED.labels(relay.name.service, relay.name.topic)

    def step(self, poll_seconds: float) -> float:
        """Do one step and return the seconds to wait before the next, 0 for none."""
        try:
            outcome = self.relay.step()
        except (PlatformError, PyMongoError) as error:
            self.failures += 1
            pause = min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2.0 ** min(self.failures, 10))
            passes = isinstance(error, Unavailable) and not isinstance(error, RefusedByBroker)
            level = logging.WARNING if passes else logging.ERROR
            code = getattr(error, "slug", type(error).__name__)
            log.log(level, "relay of %s: %s: %s; next try in %.1f s", self.relay.name.topic, code, error, pause)
            return pause
        self.failures = 0
        self._note(is_ours=outcome is not Outcome.STANDBY)
        if outcome is Outcome.STANDBY:
            return STANDBY_SECONDS
        due: float = min(poll_seconds, self.relay.due_in())
        return due if outcome is Outcome.WORKED else max(0.01, due)

    def gauges(self) -> Gauges:
        """Return what is shown of the feed: of one that another relay has, nothing that stood when it was ours."""
        return self.relay.gauges if self.is_ours else Gauges()

    def _note(self, *, is_ours: bool) -> None:
        """Count it when another relay has taken a feed that was ours."""
        if self.is_ours and not is_ours and self.relay.gauges.epoch:
            FENCED.labels(self.relay.name.service, self.relay.name.topic).inc()
        self.is_ours = is_ours


class Relay:
    """All feeds of one service instance."""

    def __init__(
        self,
        links: Links,
        feeds: Sequence[FeedName],
        *,
        stop: Event,
        poll_seconds: float,
        plain_topics: Sequence[str] = (),
        watches_copies: bool = False,
        bells_dir: Path | None = None,
    ) -> None:
        self._links = links
        self._lanes = {name: _Lane(FeedRelay(name, links)) for name in feeds}
        self._stop = stop
        self._poll_seconds = poll_seconds
        self._plain_topics = list(plain_topics)
        self._watches_copies = watches_copies
        self._bells_dir = bells_dir
        self._broken: str | None = None

    def step(self) -> dict[str, Outcome]:
        """Step every feed once, one after the other, and return what came of it; errors pass through."""
        self._make_plain_topics()
        return {name.topic: lane.relay.step() for name, lane in self._lanes.items()}

    def run(self) -> None:
        """Work until `stop` is set, then give the feeds back and close.

        An error that nobody expected in one feed ends the whole process: a feed that stands still unseen would be
        worse, and whoever started the process starts it again.

        Raises:
            RuntimeError: One feed met a bug; its traceback was printed by its thread.
        """
        threads = [Thread(target=self._work, args=(lane,), name=name.topic) for name, lane in self._lanes.items()]
        threads += [Thread(target=self._watch, name="watch"), Thread(target=self._keep_plain_topics, name="topics")]
        unit, topics = self._links.unit_of_work, self._links.topics
        threads.append(Thread(target=watch_outboxes, args=(unit, self.held, self._stop), name="outbox"))
        if self._watches_copies:
            threads.append(Thread(target=watch_copies, args=(topics, list(self._lanes), self._stop), name="copies"))
        for thread in threads:
            thread.start()
        self._stop.wait()
        for lane in self._lanes.values():
            lane.wake.set()
        for thread in threads:
            thread.join()
        self.close()
        if self._broken is not None:
            message = f"the relay of {self._broken} met a bug"
            raise RuntimeError(message)

    def close(self) -> None:
        """Give the feeds back and close every connection."""
        for name, lane in self._lanes.items():
            try:
                lane.relay.release()
            except (PlatformError, PyMongoError) as error:
                log.warning("relay of %s could not be given back: %s", name.topic, error)
        self._links.sender.close()
        self._links.topics.close()
        self._links.unit_of_work.client.close()

    def gauges(self) -> dict[str, dict[str, int]]:
        """Return, per topic, what its relay shows (`relay_metrics.Gauges`)."""
        return {name.topic: msgspec.structs.asdict(lane.gauges()) for name, lane in self._lanes.items()}

    def held(self) -> list[FeedName]:
        """Return the feeds that no other relay has, as far as this one knows."""
        return [name for name, lane in self._lanes.items() if lane.is_ours]

    def _work(self, lane: _Lane) -> None:
        is_sound, clock = False, self._links.unit_of_work.clock
        try:
            while not self._stop.is_set():
                lane.wake.clear()
                began = clock.monotonic()
                pause = lane.step(self._poll_seconds)
                ended = clock.monotonic()
                show(lane.relay.name.service, lane.relay.name.topic, lane.gauges())
                if pause:
                    wait_for(self._stop if lane.failures else lane.wake, pause)
                wait_for(self._stop, max(0.0, ended + rest_after(ended - began) - clock.monotonic()))
            is_sound = True
        finally:
            if not is_sound:
                self._broken = lane.relay.name.topic
                self._stop.set()

    def _watch(self) -> None:
        """Wake a feed when something waits for a number; whatever goes wrong here only makes waking slower."""
        while not self._stop.is_set():
            try:
                if self._bells_dir is not None:
                    self._listen(self._bells_dir)
                else:
                    self._watch_pending()
            except (PyMongoError, OSError) as error:
                log.warning("for a while nothing wakes the feeds, which look by themselves: %s", error)
                wait_for(self._stop, WATCH_AGAIN_SECONDS)

    def _listen(self, directory: Path) -> None:
        lanes = {name.topic: lane for name, lane in self._lanes.items()}
        with Listener(directory, self._links.unit_of_work.service) as bell:
            while not self._stop.is_set():
                rung = bell.heard(WATCH_MILLISECONDS / 1000)
                for topic, lane in lanes.items():
                    if rung is None or topic in rung:
                        lane.wake.set()

    def _watch_pending(self) -> None:
        unit = self._links.unit_of_work
        lanes = {(unit.database(name.organisation).name, name.pending): lane for name, lane in self._lanes.items()}
        pipeline: list[Mapping[str, object]] = [
            {"$match": {"operationType": "insert", "ns.coll": {"$in": sorted({name for _, name in lanes})}}},
            {"$project": {"ns": 1}},
        ]
        with unit.client.watch(pipeline, max_await_time_ms=WATCH_MILLISECONDS) as stream:
            while not self._stop.is_set():
                change = stream.try_next()
                lane = None if change is None else lanes.get((change["ns"]["db"], change["ns"]["coll"]))
                if lane is not None:
                    lane.wake.set()

    def _keep_plain_topics(self) -> None:
        while not self._stop.is_set():
            try:
                self._make_plain_topics()
            except PlatformError as error:
                log.warning("intake topics: %s", error)
            wait_for(self._stop, LONGEST_BACK_OFF_SECONDS)

    def _make_plain_topics(self) -> None:
        for topic in self._plain_topics:
            self._links.topics.ensure_plain(topic)


def build_relay(
    *,
    service: str,
    feeds: Sequence[FeedName],
    client_factory: Callable[[], Client],
    bootstrap_servers: str,
    clock: Clock,
    stop: Event,
    heartbeat_seconds: float,
    poll_seconds: float,
    partnership_version: str,
    partnership_hash: str,
    instance: str = "local",
    database_prefix: str = "",
    plain_topics: Sequence[str] = (),
    summed: Mapping[str, str] | None = None,
    kafka_config: Mapping[str, object] | None = None,
    replication_factor: int = BROKERS_CHOICE,
    holder: str | None = None,
    lease_seconds: float = 30.0,
    at: Callable[[str], None] = lambda _: None,
    watches_copies: bool = False,
    bells_dir: Path | None = None,
) -> Relay:
    """Return the relay of a service's hosted feeds, connected to nothing yet but the database client.

    Args:
        service: Whose feeds.
        feeds: The feeds of the hosted organisations.
        client_factory: Makes the database client; called once, here, so call this after fork.
        bootstrap_servers: Kafka's address.
        clock: The time.
        stop: Set it to end `run()`.
        heartbeat_seconds: How often a quiet feed says that nothing newer exists.
        poll_seconds: How often a feed looks for pending entries when nothing wakes it.
        partnership_version: Told in heartbeats.
        partnership_hash: Told in heartbeats.
        instance: The instance's name, part of who holds a lease.
        database_prefix: See `database_name`.
        plain_topics: Topics that are no feeds, made where missing (`in.brent.enrolment.v1`).
        summed: Per event type the field of its data that heartbeats add up as `credits`.
        kafka_config: How every client connects (security_protocol, ssl_..., sasl_...).
        replication_factor: Of the topics that are made; the broker's own default without it.
        holder: Who holds the leases. Processes that run at the same time differ; one that is started again under the
            same name takes over at once. `<service>.<instance>` without it.
        lease_seconds: How long a lease lasts after its last renewal.
        at: Called with the name of each step just finished; tests and simulations raise there.
        watches_copies: Whether to show and to warn of feeds that too few brokers hold.
        bells_dir: Where the service's processes ring after their commits (`bell.py`), when all of them run on this
            machine, and readers are rung for; a change stream wakes the feeds without it.
    """
    for name in feeds:
        database_name(service, name.organisation, database_prefix)
    unit_of_work = UnitOfWork(
        client=client_factory(), service=service, clock=clock, new_identifier=new_identifier, prefix=database_prefix
    )
    client_id = f"{service}.{instance}.relay"
    links = Links(
        unit_of_work=unit_of_work,
        topics=Topics(bootstrap_servers, clock, replication_factor=replication_factor, config=kafka_config),
        sender=Sender(bootstrap_servers, clock, client_id=client_id, config=kafka_config),
        bootstrap_servers=bootstrap_servers,
        holder=holder or f"{service}.{instance}",
        heartbeat_seconds=heartbeat_seconds,
        partnership_version=partnership_version,
        partnership_hash=partnership_hash,
        lease_seconds=lease_seconds,
        summed=dict(summed or {}),
        kafka_config=dict(kafka_config or {}),
        at=at,
        sent=ring_of(bells_dir, READERS),
    )
    return Relay(
        links,
        feeds,
        stop=stop,
        poll_seconds=poll_seconds,
        plain_topics=plain_topics,
        watches_copies=watches_copies,
        bells_dir=bells_dir,
    )
