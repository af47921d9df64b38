"""The log as the production code sees it: the relay's topics, sender and own log, and the readers' `LogSource`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from shared.errors import Unavailable
from shared.events.checking import LogRecord
from shared.events.consumer import OutOfRange
from shared.events.log import LogRecord as OwnRecord
from shared.events.log import OwnLog
from shared.events.records import Record
from shared.events.topics import LogPlace
from tests.faults.simulation.broker import Broker
from tests.faults.simulation.scheduler import Process

SESSION_SECONDS = 10.0
IDLE_SECONDS = 1.0
LEARNS_OF_CUTS = 0.5

OUTSIDE = "read outside the log"
"""What a broken design did at an offset that the log does not have; the intact one begins the log again."""


class SimTopics:
    """`shared.events.topics.Topics` for one process."""

    def __init__(self, broker: Broker, process: Process) -> None:
        self._broker = broker
        self._process = process

    def place(self, topic: str) -> LogPlace | None:
        """Return which log the topic is."""
        self._broker.reach(self._process)
        found = self._broker.place(topic)
        return None if found is None else LogPlace(*found)

    def ensure_feed(self, topic: str) -> LogPlace:
        """Make the topic where it is missing."""
        self._broker.reach(self._process)
        self._broker.make(topic)
        found = self.place(topic)
        if found is None:
            raise Unavailable("the topic went")
        return found

    def close(self) -> None:
        """Nothing is held."""


class SimSender:
    """`shared.events.sending.Sender` for one process: acknowledgements get lost, records arrive late or in part."""

    def __init__(self, broker: Broker, process: Process) -> None:
        self._broker = broker
        self._process = process
        self.generation = 0

    def send(self, topic: str, records: Sequence[Record]) -> list[int]:
        """Put records on the log and return their offsets."""
        try:
            return self._send(topic, records)
        except Unavailable:
            self.generation += 1
            raise

    def _send(self, topic: str, records: Sequence[Record]) -> list[int]:
        broker, random = self._broker, self._process.scheduler.random
        broker.reach(self._process)
        if topic not in broker.topics:
            raise Unavailable("there is no such topic")
        if random.random() < broker.late_rate:
            broker.send_late(topic, records)
            raise Unavailable("no acknowledgement came")
        if random.random() < broker.lost_acknowledgement_rate:
            self._process.scheduler.fault("acknowledgement lost", topic)
            broker.append(topic, records[: random.randint(0, len(records))])
            raise Unavailable("no acknowledgement came")
        offsets = broker.append(topic, records)
        self._process.scheduler.pause(self._process)
        return offsets

    def close(self) -> None:
        """Nothing is held."""


class SimOwnLog(OwnLog):
    """A feed's own topic; what a record says is the production class's business."""

    def __init__(self, broker: Broker, process: Process, topic: str) -> None:
        super().__init__("", topic, process)
        self._broker = broker
        self._process = process

    def beginning(self) -> int:
        """Return 0: nothing here sets a retention."""
        self._broker.reach(self._process)
        return 0

    def read(self, start: int) -> Iterator[OwnRecord]:
        """Yield the records from an offset to the end."""
        self._broker.reach(self._process)
        topic = self._broker.topics.get(self._topic)
        if topic is None:
            raise Unavailable("there is no such topic")
        end = len(topic.records)
        offset = start
        while offset < min(end, len(topic.records)):  # its reader gives way in between, and the log may be cut then
            record = topic.records[offset]
            yield self._understand(offset, record.key, record.value, record.headers)
            offset += 1


class Group:
    """Who of a consumer group's members holds which topic; one that is silent for long loses its own."""

    def __init__(self) -> None:
        self.members: dict[int, float] = {}
        self._next = 0

    def join(self, now: float) -> int:
        """Return a new member."""
        self._next += 1
        self.members[self._next] = now
        return self._next

    def shares(self, member: int, topics: Sequence[str], now: float) -> frozenset[str]:
        """Return the member's topics, after saying that it lives."""
        self.members[member] = now
        living = sorted(one for one, seen in self.members.items() if now - seen < SESSION_SECONDS)
        self.members = {one: self.members[one] for one in living}
        at = living.index(member)
        return frozenset(topic for index, topic in enumerate(sorted(topics)) if index % len(living) == at)


class SimSource:
    """A `LogSource`. With a group it learns at its polls what it holds, so that it may be wrong in between."""

    def __init__(self, broker: Broker, process: Process, wanted: Sequence[str], group: Group | None) -> None:
        self._broker = broker
        self._process = process
        self._wanted = tuple(sorted(wanted))
        self._group = group
        self._member = group.join(process.monotonic()) if group else 0
        self._held: frozenset[str] = frozenset()
        self._at: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._topic_ids: dict[str, str] = {}
        self._cuts: dict[str, int] = {}
        self.out_of_range = "raise"
        self._outside = ("", -1)

    def places(self) -> dict[str, str]:
        """Return topic -> place."""
        self._broker.reach(self._process)
        return {name: "/".join(self._broker.place(name) or ()) for name in sorted(self._broker.topics)}

    def offer(self, existing: Collection[str]) -> None:
        """Take the wanted topics that exist."""
        if self._group is None:
            self._held = frozenset(topic for topic in self._wanted if topic in existing)

    def held(self) -> frozenset[str]:
        """Return what this reader holds, as far as it knows."""
        return self._held

    def start(self, topic: str, offset: int) -> None:
        """Read the topic from an offset."""
        self._at[topic] = offset
        found = self._broker.topics.get(topic)
        self._cuts[topic] = len(found.cuts) if found else 0

    def pause(self, topic: str) -> None:
        """Poll nothing of the topic."""
        self._at.pop(topic, None)

    def poll(self, seconds: float, most: int) -> Mapping[str, list[LogRecord]]:
        """Return some of the next records."""
        self._broker.reach(self._process)
        if self._group is not None:
            self._held = self._group.shares(self._member, self._wanted, self._process.monotonic())
            self._at = {topic: offset for topic, offset in self._at.items() if topic in self._held}
        found = {topic: records for topic in sorted(self._at) if (records := self._fetch(topic, most))}
        if not found and seconds:
            self._process.sleep(IDLE_SECONDS)
        return found

    def _fetch(self, topic: str, most: int) -> list[LogRecord]:
        log = self._broker.topics.get(topic)
        if log is None or topic not in self._held:
            return []
        start, end = self._at[topic], len(log.records)
        self._ends[topic] = end
        if start > end or self._is_cut(topic, start):
            if self.out_of_range == "raise":
                raise OutOfRange([topic])
            if (topic, start) != self._outside:
                self._outside = (topic, start)
                self._process.scheduler.fault(OUTSIDE, f"{topic} at {start} of {end}: {self.out_of_range}")
            self._at[topic] = end if self.out_of_range == "latest" else start
            return []
        random = self._process.scheduler.random
        count = min(most, end - start)
        count = random.randint(0, count) if count and random.random() < 0.3 else count
        self._at[topic] = start + count
        return [
            LogRecord(offset, record.key, record.value, tuple(record.headers))
            for offset, record in enumerate(log.records[start : start + count], start=start)
        ]

    def _is_cut(self, topic: str, offset: int) -> bool:
        """Say whether the client learned that what it read before this offset was cut off (some brokers tell)."""
        cuts = self._broker.topics[topic].cuts
        fresh = cuts[self._cuts.get(topic, 0) :]
        self._cuts[topic] = len(cuts)
        return any(cut < offset for cut, _ in fresh) and self._process.scheduler.random.random() < LEARNS_OF_CUTS

    def beginning(self, topic: str) -> int:  # noqa: ARG002 - nothing here sets a retention
        """Return 0."""
        self._broker.reach(self._process)
        return 0

    def end(self, topic: str) -> int | None:
        """Return the end as the last fetch told it."""
        return self._ends.get(topic)

    def commit(self, offsets: Mapping[str, int]) -> None:
        """Nobody looks."""

    def close(self) -> None:
        """Leave the group, if there is anybody left to tell."""
        if self._group is not None and self._process.alive:
            self._group.members.pop(self._member, None)
