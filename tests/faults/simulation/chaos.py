"""What goes wrong by decision while a seed plays: crashes, frozen processes, lost clusters, restored databases."""

from __future__ import annotations

from collections.abc import Callable

from shared.events.feed import FeedName
from tests.faults.simulation.history import database_of, request_in
from tests.faults.simulation.played import FEEDS, GAMMA
from tests.faults.simulation.scheduler import Process
from tests.faults.simulation.store import Name, Stored
from tests.faults.simulation.world import World

LONGEST_SECONDS = 90.0


class Chaos:
    """One run's faults."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scheduler = world.scheduler
        self._random = world.scheduler.random
        self._backup: tuple[FeedName, dict[Name, dict[object, Stored]]] | None = None
        self._doings: dict[str, Callable[[], None]] = {
            "crash": self._crash,
            "freeze": self._freeze,
            "stop": self._stop,
            "broker down": self._broker_down,
            "cluster lost": self._cluster_lost,
            "tail lost": self._tail_lost,
            "store restarted": self._store_restarted,
            "clock jumped": self._clock_jumped,
            "owner restored": self._owner_restored,
        }

    def begin(self) -> None:
        """Set the rates of what goes wrong by chance, and begin with the rest."""
        plan, faults, broker = self._world.plan, self._world.faults, self._world.broker
        self._scheduler.crash_rate = plan.crash_rate
        faults.lost_reply_rate, faults.lost_request_rate = plan.lost_reply_rate, plan.lost_request_rate
        faults.unknown_commit_rate = plan.unknown_commit_rate
        broker.lost_acknowledgement_rate, broker.late_rate = plan.lost_acknowledgement_rate, plan.late_rate
        broker.refusal_rate = plan.refusal_rate
        if plan.chaos:
            self._scheduler.spawn(self._world.eternal, "chaos", self._play)

    def heal(self) -> None:
        """End every fault; of rivals without a group one stays."""
        world, faults, broker = self._world, self._world.faults, self._world.broker
        self._scheduler.note("=== healing")
        world.history.is_healing = True
        self._scheduler.crash_rate = 0.0
        faults.lost_reply_rate = faults.lost_request_rate = faults.unknown_commit_rate = faults.down_until = 0.0
        broker.lost_acknowledgement_rate = broker.late_rate = broker.refusal_rate = broker.down_until = 0.0
        for process in world.processes.values():
            process.frozen_until = 0.0
        if world.plan.rival_readers and not world.plan.shares_topics:
            world.held_back.add("reader-g2")
            self._scheduler.end(world.processes["reader-g2"])

    def _play(self) -> None:
        until = self._random.uniform(20.0, LONGEST_SECONDS)
        while self._scheduler.now < until and not self._world.history.is_healing:
            self._scheduler.sleep(self._random.uniform(0.2, 2 * self._world.plan.chaos_seconds))
            if not self._world.history.is_healing:
                self._doings[self._random.choice(self._world.plan.chaos)]()

    def _victim(self) -> Process | None:
        living = [process for process in self._world.processes.values() if process.alive]
        return self._random.choice(living) if living else None

    def _crash(self) -> None:
        victim = self._victim()
        if victim is not None:
            self._scheduler.fault("crash", victim.name)
            self._scheduler.end(victim)

    def _freeze(self) -> None:
        victim = self._victim()
        if victim is not None:
            seconds = self._random.uniform(1.0, 30.0)
            self._scheduler.fault("freeze", f"{victim.name} for {seconds:.1f} s")
            victim.frozen_until = self._scheduler.now + seconds

    def _stop(self) -> None:
        victim = self._victim()
        if victim is not None:
            self._scheduler.fault("clean stop", victim.name)
            victim.stopping = True

    def _broker_down(self) -> None:
        self._scheduler.fault("broker away")
        self._world.broker.down_until = self._scheduler.now + self._random.uniform(0.5, 20.0)

    def _cluster_lost(self) -> None:
        self._scheduler.fault("cluster lost")
        self._world.broker.lose_everything()
        self._world.broker.down_until = self._scheduler.now + self._random.choice((0.0, 1.0, 10.0))

    def _tail_lost(self) -> None:
        topics = sorted(self._world.broker.topics)
        if topics:
            name = self._random.choice(topics)
            self._scheduler.fault("log tail lost", name)
            self._world.broker.lose_tail(name, self._random.randint(1, 6))

    def _store_restarted(self) -> None:
        self._scheduler.fault("store restarted")
        self._world.server.restart()
        self._world.faults.down_until = self._scheduler.now + self._random.uniform(0.1, 4.0)

    def _clock_jumped(self) -> None:
        victim = self._victim()
        if victim is not None:
            seconds = self._random.uniform(-3600.0, 600.0)
            self._scheduler.fault("clock jumped", f"{victim.name} by {seconds:.0f} s")
            victim.wall_seconds += seconds

    def _owner_restored(self) -> None:
        """First take a backup of one owner; the next time put its database back to it, once in a run."""
        if self._backup is None:
            feed = self._random.choice(FEEDS)
            if self._world.doc(database_of(feed), feed.state, "head") is None:
                return
            self._backup = (feed, self._world.server.backup(database_of(feed)))
            return
        feed, kept = self._backup
        if feed.topic in self._world.history.restored:
            return
        self._scheduler.fault("owner restored from a backup", feed.organisation)
        if self._random.random() < 0.5:
            owners, board = ("web-1", "web-2", "relay-a1", "relay-a2"), ("relay-g1", "reader-g1", "reader-g2")
            for name in board if feed is GAMMA else owners:
                if name in self._world.processes:
                    self._world.restart(name)
        self._restore(feed, kept)

    def _restore(self, feed: FeedName, kept: dict[Name, dict[object, Stored]]) -> None:
        database = database_of(feed)
        before = {entry["_id"]: entry for entry in self._world.docs(database, feed.entries)}
        there = {stored.doc["_id"] for stored in kept.get((database, feed.entries), {}).values()}
        lost = {request_in(event["data"]) for key, entry in before.items() if key not in there
                for event in entry["events"]}  # fmt: skip
        head = kept.get((database, feed.state), {}).get("head")
        self._world.history.restoring(feed, frozenset(lost), 0 if head is None else head.doc["number"])
        self._world.broker.late.clear()
        self._world.server.restore(database, kept)
