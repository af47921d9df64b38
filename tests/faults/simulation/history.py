"""What was seen while a seed ran: what clients were told, which numbers stood under which hash, what was restored.

It notices at once what must never be true for a moment; what must be true in the end is `checker.py`.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from shared.events.envelope import Envelope
from shared.events.feed import FeedName
from shared.events.hashing import hash_of
from shared.events.records import Record, attributes_in, envelope_from
from tests.faults.simulation.played import FEEDS, Request
from tests.faults.simulation.store import Name, Stored

if TYPE_CHECKING:
    from tests.faults.simulation.world import World


READERS = ("board__gamma", "notice__alpha", "notice__beta")


def database_of(feed: FeedName) -> str:
    """Return the name of a feed's database."""
    return f"{feed.service}__{feed.organisation}"


@dataclass
class Restored:
    """An owner's database that went back to a backup."""

    number: int
    lost: frozenset[str]
    decided: bool = False
    brought_back: int = 0


@dataclass
class Told:
    """What a client was told about one request, in the end."""

    request: Request
    outcome: str = "unknown"
    tries: int = 0


@dataclass
class History:
    """The record of one run."""

    world: World
    told: dict[str, Told] = field(default_factory=dict)
    restored: dict[str, Restored] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    first_hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    clients_done: int = 0
    is_healing: bool = False

    def __post_init__(self) -> None:
        self.world.server.on_commit = self.committed
        self.world.scheduler.on_bug = self.bug
        self.world.broker.on_append = self.appended
        self._feeds = {(database_of(feed), feed.numbering): feed for feed in FEEDS}
        self._states = {(database_of(feed), feed.state): feed for feed in FEEDS}
        self._pending = {(database_of(feed), feed.pending): feed for feed in FEEDS}

    def violate(self, what: str) -> None:
        """Write down that a promise was broken."""
        self.world.scheduler.note(f"!!! {what}")
        self.violations.append(what)

    def bug(self, where: str, error: Exception) -> None:
        """A process met an error that it should not."""
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = " < ".join(f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in reversed(frames))
        self.violate(f"bug in {where}: {error!r} at {places}")

    def committed(self, changes: list[tuple[Name, Any, Stored | None]]) -> None:
        """Look at what a commit left behind."""
        for name, _, stored in changes:
            if name in self._pending and stored is not None:
                self.wake(self._pending[name].topic)
            elif name in self._feeds and stored is not None:
                self._numbered(self._feeds[name], stored.doc)
        for name, key, stored in changes:
            if name in self._states and key == "head" and stored is not None:
                self._moved(self._states[name], stored.doc["number"])

    def wake(self, topic: str) -> None:
        """Wake sleeping relays of a feed, as the change stream does, mostly."""
        scheduler = self.world.scheduler
        for thread, napping in self.world.naps.items():
            if napping == topic and scheduler.random.random() < 0.7:
                thread.wake_at = min(thread.wake_at, scheduler.now + 0.01)

    def _numbered(self, feed: FeedName, found: dict[str, Any]) -> None:
        """A round was numbered: dense, and under no number that others know under another hash."""
        restored = self.restored.get(feed.topic)
        if restored is not None and found["first"] > self._on_log(feed.topic):
            self._free(feed.topic, found["first"])
        elif restored is not None and not restored.decided:
            self.violate(f"{feed.topic}: number {found['first']} given anew over what was sent, before anybody decided")
        if found["first"] != self.heads[feed.topic] + 1:
            self.violate(f"{feed.topic}: round from {found['first']} after {self.heads[feed.topic]}")
        known = self.hashes.get((feed.topic, found["last"]))
        if known not in (None, found["head"]):
            self.violate(f"{feed.topic}: number {found['last']} has two contents")
        self.hashes[feed.topic, found["last"]] = found["head"]
        self.first_hashes.setdefault((feed.topic, found["last"]), found["head"])

    def _moved(self, feed: FeedName, number: int) -> None:
        if number < self.heads[feed.topic]:
            self.violate(f"{feed.topic}: head went back to {number}")
        self.heads[feed.topic] = number

    def _on_log(self, topic: str) -> int:
        log = self.world.broker.topics.get(topic)
        numbers = [envelope.feedseq for record in (log.records if log else ()) if (envelope := event_in(record))]
        return max(numbers, default=0)

    def appended(self, topic: str, offset: int, record: Record) -> None:
        """A record stands on the log: one content under one number."""
        envelope = event_in(record)
        if envelope is None:
            return
        digest = hash_of(envelope)
        known = self.hashes.setdefault((topic, envelope.feedseq), digest)
        self.first_hashes.setdefault((topic, envelope.feedseq), digest)
        if known != digest:
            self.violate(f"{topic}: number {envelope.feedseq} was sent with another content (offset {offset})")

    def restoring(self, feed: FeedName, lost: frozenset[str], number: int) -> None:
        """A database goes back to a backup: what it held since is lost, and numbers that nobody was sent are free."""
        self.restored[feed.topic] = Restored(number, lost)
        self.heads[feed.topic] = number
        self._free(feed.topic, max(number, self._on_log(feed.topic)) + 1)

    def given_up(self, topic: str) -> int:
        """Return how many numbers readers gave up of a feed: what they kept of it, not what the operator was told.

        An adoption whose commit was answered by silence happened all the same.
        """
        notes = (doc for name in READERS for doc in self.world.docs(name, "adoptions") if doc["feed"] == topic)
        return sum(doc["read"] - doc["after"] for doc in notes)

    def _free(self, topic: str, number: int) -> None:
        """The log that is there now holds no such number: the owner may give it again."""
        for known in [key for key in self.hashes if key[0] == topic and key[1] >= number]:
            del self.hashes[known]


def event_in(record: Record) -> Envelope | None:
    """Return the numbered event that a record carries."""
    found = attributes_in(record.headers)
    return envelope_from(record.key, record.value, found) if "feedseq" in found else None


def request_in(data: bytes) -> str:
    """Return the request behind an event."""
    return str(msgspec.json.decode(data)["request"])
