"""What the measurements come to: samples, rounds taken in turns, ratios. Pure: no clock, no database, no screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

MOST_DIFFERENCE = 0.15
"""By how much the bare side may differ before and after a block; more, and something else had the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One timed piece of work. `cpu_seconds` is the client's, all its threads; the others are the servers'."""

    events: int
    seconds: float
    cpu_seconds: float
    database_cpu_seconds: float = 0.0
    broker_cpu_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Return the events done per second."""
        return self.events / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """Return the client's CPU microseconds per event."""
        return self.cpu_seconds / self.events * 1_000_000

    @property
    def shares(self) -> tuple[float, float]:
        """Return the database's and the broker's part of all the CPU that was used."""
        whole = self.cpu_seconds + self.database_cpu_seconds + self.broker_cpu_seconds
        return (self.database_cpu_seconds / whole, self.broker_cpu_seconds / whole) if whole else (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One A and the B that followed it at once: only these two are compared."""

    platform: Sample
    bare: Sample

    @property
    def ratio(self) -> float:
        """Return the platform's speed as a part of the bare speed: 1 is as fast, 0.5 takes twice as long."""
        return self.platform.per_second / self.bare.per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The rounds of one row, and the bare side's speed before the first."""

    before: Sample
    rounds: tuple[Round, ...]

    @property
    def difference(self) -> float:
        """Return by how much the bare side differed before and after: 0.1 is a tenth."""
        speeds = self.before.per_second, self.rounds[-1].bare.per_second
        return max(speeds) / min(speeds) - 1

    @property
    def is_steady(self) -> bool:
        """Say whether the machine was the same before and after."""
        return self.difference <= MOST_DIFFERENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median with what it lies between."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        digits = 2 if abs(self.middle) < 100 else 0
        return f"{self.middle:.{digits}f} ({self.least:.{digits}f}..{self.most:.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Return the median, the least and the most of at least one value."""
    return Spread(middle=median(values), least=min(values), most=max(values))


def interleaved(
    rounds: int, platform: Callable[[], Sample], bare: Callable[[], Sample], may_go_on: Callable[[], bool]
) -> Block:
    """Return a block, measured B then A-B-A-B: one round at least, and no further one after `may_go_on` says no."""
    before = bare()
    found: list[Round] = []
    while not found or (len(found) < rounds and may_go_on()):
        first = platform()
        found.append(Round(platform=first, bare=bare()))
    return Block(before=before, rounds=tuple(found))


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least `part` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, ceil(part * len(ranked)) - 1)]
