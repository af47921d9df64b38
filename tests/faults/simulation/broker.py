"""The log: a cluster with topics of real encoded records, which may be away, lose its tail, or be another, empty one.

What the relay and the readers see of it is `log_ports.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.errors import Unavailable
from shared.events.records import Record
from tests.faults.simulation.scheduler import Process, Scheduler


@dataclass
class Topic:
    """One topic, partition 0: offset = index. `cut_at` is where a truncation last ended it."""

    identifier: str
    records: list[Record] = field(default_factory=list)
    cuts: list[tuple[int, int]] = field(default_factory=list)


class Broker:
    """One cluster at a time. `on_append` is told of every record that stands on a log."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.cluster = "cluster-1"
        self.topics: dict[str, Topic] = {}
        self.down_until = 0.0
        self.lost_acknowledgement_rate = 0.0
        self.refusal_rate = 0.0
        self.late_rate = 0.0
        self.on_append: Callable[[str, int, Record], None] = lambda *_: None
        self.late: list[tuple[float, str, str, list[Record]]] = []
        self._made = 0

    def reach(self, process: Process) -> None:
        """A switch point on the way to the broker.

        Raises:
            Unavailable: It does not answer.
        """
        self.scheduler.pause(process)
        self._arrive_late()
        if self.scheduler.now < self.down_until or self.scheduler.random.random() < self.refusal_rate:
            self.scheduler.counts["broker did not answer"] += 1
            raise Unavailable("the broker does not answer")

    def make(self, name: str) -> Topic:
        """Return the topic, made where it is missing."""
        if name not in self.topics:
            self._made += 1
            self.topics[name] = Topic(f"topic-{self._made}")
            self.scheduler.note(f"topic {name} made")
        return self.topics[name]

    def place(self, name: str) -> tuple[str, str] | None:
        """Return cluster id and topic id, None where there is no such topic."""
        topic = self.topics.get(name)
        return None if topic is None else (self.cluster, topic.identifier)

    def append(self, name: str, records: Sequence[Record]) -> list[int]:
        """Put records at the end and return their offsets."""
        topic = self.topics[name]
        first = len(topic.records)
        for record in records:
            topic.records.append(record)
            self.on_append(name, len(topic.records) - 1, record)
        self.scheduler.note(f"{name} has {first}..{len(topic.records) - 1}")
        return list(range(first, len(topic.records)))

    def send_late(self, name: str, records: Sequence[Record]) -> None:
        """Let records arrive after their sender has given up on them: a request that was still under way."""
        place = self.place(name)
        if place is not None:
            until = self.scheduler.now + self.scheduler.random.uniform(0.1, 8.0)
            self.late.append((until, name, "/".join(place), list(records)))

    def _arrive_late(self) -> None:
        due = [entry for entry in self.late if entry[0] <= self.scheduler.now]
        if due:
            self.late = [entry for entry in self.late if entry[0] > self.scheduler.now]
        for _, name, place, records in due:
            here = self.place(name)
            if here is not None and "/".join(here) == place:
                self.scheduler.fault("records arrived late", name)
                self.append(name, records)

    def lose_everything(self) -> None:
        """Be another cluster, with nothing on it."""
        self.cluster = f"cluster-{int(self.cluster[8:]) + 1}"
        self.topics.clear()
        self.late.clear()

    def lose_tail(self, name: str, count: int) -> None:
        """Forget the last records of a topic under the same identity."""
        topic = self.topics[name]
        end = len(topic.records)
        cut = max(0, end - count)
        del topic.records[cut:]
        topic.cuts.append((cut, end))
