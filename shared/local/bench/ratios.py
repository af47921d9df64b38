"""What the measurements come to: samples, rounds taken in turns, ratios. Pure: no clock, no database, no screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One timed piece of work. `cpu_seconds` is the whole process's, all its threads."""

    events: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Return the events done per second."""
        return self.events / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """Return this process's CPU microseconds per event."""
        return self.cpu_seconds / self.events * 1_000_000


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
class Spread:
    """A median with what it lies between."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f}..{self.most:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """Return the median, the least and the most of at least one value."""
    return Spread(middle=median(values), least=min(values), most=max(values))


def interleaved(
    rounds: int, platform: Callable[[], Sample], bare: Callable[[], Sample], may_go_on: Callable[[], bool]
) -> tuple[Round, ...]:
    """Return the rounds, measured A-B-A-B: one at least, and no further one after `may_go_on` says no."""
    found: list[Round] = []
    while not found or (len(found) < rounds and may_go_on()):
        first = platform()
        found.append(Round(platform=first, bare=bare()))
    return tuple(found)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least `part` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, ceil(part * len(ranked)) - 1)]
