"""A projection is built anew beside the running one, from its owners' pull feeds, compared, and swapped in one commit.

The running one is read and written all the time. The rebuilt one follows it: of every feed it takes exactly what the
running one has taken, without what waits parked or was discarded there, so that at equal positions the two must say
the same. What differs is written down before the swap, in counts. The swap is one transaction: the last events, a
guarded step of every position (a reader that commits at the same moment runs again, and writes to the new one), and the
pointer. Positions stay what they are. A builder that dies leaves nothing that anybody reads; the next begins again.

Lives here: that order of things, for any projection behind the port `Rebuilt`. Must not live here: what a projection
holds, how it is compared, who may ask.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from shared.clock import Clock, wait_for
from shared.errors import ConcurrentChange, Unavailable
from shared.events.checking import Next
from shared.events.envelope import GENESIS
from shared.events.feed import FeedName
from shared.events.gap import RANGE_EVENTS, FetchRange
from shared.events.positions import POSITIONS, Position, read, vacant
from shared.events.rebuild_feed import CannotRebuild, FeedBuild
from shared.events.rebuild_requests import (
    ASKED,
    CHECKED,
    COMPARED,
    DONE,
    FAILED,
    MOST_BEGUN,
    SWAPPED,
    Difference,
    Rebuild,
    Superseded,
    claim,
    note,
    rebuild_in,
)
from shared.events.routing import Router
from shared.storage.mongo import Document, MongoDatabase
from shared.storage.unit_of_work import Reading, UnitOfWork, Work

T = TypeVar("T")

log = structlog.get_logger(__name__)

BEAT_SECONDS: Final = 2.0
MOST_IN_SWAP: Final = 200
"""Events that the last transaction may take; more is taken before."""


class Rebuilt(Protocol):
    """A projection that can stand twice."""

    def begin(self, database: MongoDatabase, reading: Reading) -> None:
        """Have a place for the rebuilt one, where nobody reads."""

    def clear_some(self, work: Work) -> int:
        """Remove some of the one that nobody reads, and return how many documents went; 0 when nothing is left."""

    def suspects(self, database: MongoDatabase, reading: Reading) -> Mapping[str, Sequence[str]]:
        """Return what may differ, by collection: looked at outside a transaction, while both move on."""

    def differences(self, work: Work, suspects: Mapping[str, Sequence[str]]) -> tuple[Difference, ...]:
        """Return what of that differs truly, at equal positions."""

    def swap(self, work: Work) -> None:
        """Let everybody use the rebuilt one, from this commit on."""


class _NotYet(Exception):
    """The running one has moved on: take more, then try again."""


class _Stopped(Exception):
    """The process is to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildRules:
    """How a rebuild behaves; the defaults are the platform's.

    `stale_seconds` is how long a builder may show no life before another one begins again; `linger_seconds` how long
    the old projection stays after the swap, for requests that began before it (a web worker's time limit and some).
    """

    stale_seconds: float = 20.0
    linger_seconds: float = 40.0
    pause_seconds: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildTools:
    """What a rebuild works with.

    `name` is the projection as people ask for it, `organisation` whose it is, `fetch` the way to the owners' pull
    feeds, `standing` has the reader of this process stand for a moment (`turnstile.py`), `at` is called at each named
    step (tests stop there).
    """

    name: str
    unit: UnitOfWork
    organisation: str
    rebuilt: Rebuilt
    fetch: FetchRange
    clock: Clock
    rules: RebuildRules = field(default_factory=RebuildRules)
    standing: Callable[[], AbstractContextManager[None]] = nullcontext
    at: Callable[[str], None] = lambda _: None

    def reading(self) -> Reading:
        """Return the organisation's database for queries."""
        return self.unit.reading(self.organisation)

    def database(self) -> MongoDatabase:
        """Return the organisation's database."""
        return self.unit.database(self.organisation)


class Rebuilder:
    """Does what is asked for one projection. `routers` are all its feeds, with reactions that write the rebuilt one."""

    def __init__(self, tools: RebuildTools, routers: Mapping[FeedName, Router]) -> None:
        self._tools = tools
        self._routers = routers
        self._seen: tuple[str | None, int] = (None, 0)
        self._seen_at = 0.0

    def look(self, stop: threading.Event) -> bool:
        """Do what is asked for, if anything is and nobody else does it; return whether something was done.

        Raises:
            Unavailable: The database does not answer; what is not done is done at a later look.
        """
        tools = self._tools
        seen = rebuild_in(tools.reading(), tools.name)
        if seen is None or not seen.is_open or not self._is_free(seen):
            return False
        token = tools.unit.new_identifier()
        mine = tools.unit.run(tools.organisation, lambda work: claim(work, tools.name, seen, token))
        if mine is None:
            return False
        log.info("rebuild.begun", projection=tools.name, begun=mine.begun)
        try:
            _Building(tools, self._routers, mine, stop).run()
        except Superseded:
            log.warning("rebuild.superseded", projection=tools.name)
        return True

    def _is_free(self, seen: Rebuild) -> bool:
        """Say whether nobody is at work on it: its beat has stood still for long enough, by this process's clock."""
        now = self._tools.clock.monotonic()
        if self._seen != (seen.token, seen.beat):
            self._seen, self._seen_at = (seen.token, seen.beat), now
        return seen.token is None or now - self._seen_at >= self._tools.rules.stale_seconds


class _Building:
    """One rebuild, from its claim to its end."""

    def __init__(
        self, tools: RebuildTools, routers: Mapping[FeedName, Router], mine: Rebuild, stop: threading.Event
    ) -> None:
        self._tools = tools
        self._mine = mine
        self._token = mine.token or ""
        self._stop = stop
        self._feeds = [FeedBuild(name, router) for name, router in routers.items()]
        self._is_swapped = mine.state == SWAPPED

    def run(self) -> None:
        """Build, compare, swap, tidy; a stop leaves the rest to the next process.

        Raises:
            Superseded: Another builder has begun again.
            Unavailable: The database does not answer.
        """
        try:
            if not self._is_swapped:
                self._build()
            if self._is_swapped:
                self._wait(self._tools.rules.linger_seconds)
                self._clear()
                self._end(DONE)
        except CannotRebuild as error:
            log.warning("rebuild.failed", projection=self._tools.name, code=str(error))
            self._clear()
            self._end(FAILED, code=str(error))
        except _Stopped:
            state = SWAPPED if self._is_swapped else ASKED
            self._note({"state": state, "token": None, "begun": self._mine.begun - 1})

    def _build(self) -> None:
        if self._mine.begun > MOST_BEGUN:
            raise CannotRebuild("ended-its-process-again-and-again")
        self._tools.rebuilt.begin(self._tools.database(), self._tools.reading())
        self._clear()
        self._follow()
        suspects = self._tools.rebuilt.suspects(self._tools.database(), self._tools.reading())
        self._tools.at("compare")
        found = self._settle(suspects, COMPARED)
        log.info("rebuild.compared", projection=self._tools.name, differences=len(found))
        self._tools.at("compared")
        if self._mine.is_check:
            self._clear()
            self._end(CHECKED)
            return
        self._settle(suspects, SWAPPED)
        self._is_swapped = True
        log.info("rebuild.swapped", projection=self._tools.name)
        self._tools.at("swapped")

    def _follow(self) -> None:
        """Take all that the running one has taken, until it is only a little ahead."""
        while True:
            targets = self._running()
            todo = sum(max(0, targets[feed.name.topic].number - feed.number) for feed in self._feeds)
            self._note({"of": sum(targets[feed.name.topic].number for feed in self._feeds)})
            if todo <= MOST_IN_SWAP // 2:
                return
            for feed in self._feeds:
                self._take_to(feed, targets[feed.name.topic].number)

    def _running(self) -> dict[str, Position]:
        """Return where the running one stands."""
        unit, organisation = self._tools.unit, self._tools.organisation
        topics = [feed.name.topic for feed in self._feeds]
        return {topic: read(unit, organisation, topic) or Position(feed=topic) for topic in topics}

    def _take_to(self, feed: FeedBuild, number: int) -> None:
        while feed.number < number:
            self._fetch_to(feed, feed.number + 1)
            part = feed.part_to(number)[:RANGE_EVENTS]

            def take(work: Work, part: Sequence[Next] = part) -> frozenset[int]:
                left_out = feed.left_out | feed.apply(work, part)
                others = sum(len(other.left_out) for other in self._feeds if other is not feed)
                self._progress(work, {feed.name.topic: part[-1].number}, left_out=others + len(left_out))
                return left_out

            feed.took(part, self._commit(take))
            self._tools.at("taken")

    def _fetch_to(self, feed: FeedBuild, number: int) -> None:
        """Have at least that number of the feed at hand, however long its owner's door is shut."""
        empty = 0
        while (known := feed.fetched)[0] < number:
            try:
                found = self._tools.fetch(feed.name, known[0], RANGE_EVENTS)
            except Unavailable:
                found = []
            if not found:
                empty += 1
                self._note({"waits_for": feed.name.topic})
                self._wait(self._tools.rules.pause_seconds)
                continue
            feed.continue_with(found)
        if empty:
            self._note({"waits_for": None})

    def _settle(self, suspects: Mapping[str, Sequence[str]], state: str) -> tuple[Difference, ...]:
        """Bring both to the same positions in one transaction, and compare there; swap them where that is asked for.

        The reader stands meanwhile: one that always has something to do would be further on, or in the way, each time.
        """
        while True:
            self._follow()
            running = self._running()
            for feed in self._feeds:
                self._fetch_to(feed, running[feed.name.topic].number)
            try:
                with self._tools.standing():
                    self._fetch_the_last()
                    parts, left_out, found = self._commit(lambda work: self._settling(work, suspects, state))
            except (_NotYet, ConcurrentChange) as error:
                log.info("rebuild.again", projection=self._tools.name, state=state, why=str(error))
                self._must_go_on()
                continue
            for feed in self._feeds:
                feed.took(parts[feed.name.topic], left_out[feed.name.topic])
            return found[0]

    def _fetch_the_last(self) -> None:
        """Have at hand what was taken since; at a door that does not answer nobody waits while the reader stands."""
        running = self._running()
        with suppress(Unavailable):
            for feed in self._feeds:
                self._must_go_on()
                if (known := feed.fetched)[0] < running[feed.name.topic].number:
                    feed.continue_with(self._tools.fetch(feed.name, known[0], RANGE_EVENTS))

    def _settling(
        self, work: Work, suspects: Mapping[str, Sequence[str]], state: str
    ) -> tuple[dict[str, list[Next]], dict[str, frozenset[int]], list[tuple[Difference, ...]]]:
        positions = {doc["_id"]: doc for doc in work.rows(POSITIONS).find({})}
        stands = {feed.name.topic: _stands(positions.get(feed.name.topic)) for feed in self._feeds}
        parts = {feed.name.topic: feed.part_to(stands[feed.name.topic][0]) for feed in self._feeds}
        if sum(len(part) for part in parts.values()) > MOST_IN_SWAP:
            raise _NotYet("too much for one transaction")
        left_out: dict[str, frozenset[int]] = {}
        for feed in self._feeds:
            topic = feed.name.topic
            late = feed.decided_since(work)
            waiting = feed.apply(work, [*late, *parts[topic]])
            left_out[topic] = (feed.left_out - {event.number for event in late}) | waiting
            self._must_stand_equal(feed, parts[topic], *stands[topic])
        found: list[tuple[Difference, ...]] = []

        def finish() -> None:
            found.append(self._tools.rebuilt.differences(work, suspects))
            change: Document = {"state": state, "left_out": sum(len(numbers) for numbers in left_out.values())}
            if state == COMPARED:
                change["differences"] = [msgspec.to_builtins(one) for one in found[0]]
            else:
                self._step_positions(work, positions)
                self._tools.rebuilt.swap(work)
            numbers = {topic: part[-1].number for topic, part in parts.items() if part}
            self._progress(work, numbers, **change)

        work.before_commit(finish)
        return parts, left_out, found

    def _must_stand_equal(self, feed: FeedBuild, part: Sequence[Next], number: int, head: str) -> None:
        reached, digest = (part[-1].number, part[-1].hash) if part else (feed.number, feed.head)
        if reached > number:
            raise CannotRebuild("the running one was set back meanwhile")
        if reached < number:
            raise _NotYet(f"{feed.name.topic} stands at {number}, and {reached} is at hand")
        if number and digest != head:
            raise CannotRebuild("the owner tells another history now")

    def _step_positions(self, work: Work, positions: Mapping[str, Document]) -> None:
        """Change every position, so that a reader which commits at this moment runs again, and sees the swap."""
        rows = work.rows(POSITIONS)
        for feed in self._feeds:
            topic = feed.name.topic
            if topic in positions:
                rows.update_one({"_id": topic}, {"$set": {"decisions": positions[topic]["decisions"] + 1}})
            else:
                rows.insert_one(vacant(topic))

    def _progress(self, work: Work, numbers: Mapping[str, int], **change: object) -> None:
        taken = sum(numbers.get(feed.name.topic, feed.number) for feed in self._feeds)
        note(work, self._tools.name, self._token, {**change, "taken": taken})

    def _commit(self, callback: Callable[[Work], T]) -> T:
        """Run one transaction, however often the database is away for a moment."""
        self._must_go_on()
        return self._tools.unit.run(self._tools.organisation, callback)

    def _note(self, change: Document) -> None:
        name, token = self._tools.name, self._token
        self._tools.unit.run(self._tools.organisation, lambda work: note(work, name, token, change))

    def _end(self, state: str, *, code: str | None = None) -> None:
        self._note({"state": state, "code": code, "token": None, "ended_at": self._tools.clock.now()})

    def _clear(self) -> None:
        """Remove the projection that nobody reads, as long as this builder is the one."""

        def clear(work: Work) -> int:
            note(work, self._tools.name, self._token, {})
            return self._tools.rebuilt.clear_some(work)

        while self._tools.unit.run(self._tools.organisation, clear):
            pass

    def _wait(self, seconds: float) -> None:
        """Wait, and show life meanwhile.

        Raises:
            _Stopped: The process is to end.
        """
        until = self._tools.clock.monotonic() + seconds
        while (left := until - self._tools.clock.monotonic()) > 0:
            if wait_for(self._stop, min(left, BEAT_SECONDS)):
                raise _Stopped
            self._note({})

    def _must_go_on(self) -> None:
        if self._stop.is_set():
            raise _Stopped


def _stands(doc: Document | None) -> tuple[int, str]:
    return (0, GENESIS) if doc is None else (int(doc["number"]), str(doc["head"]))
