"""What every row must reach, and what it is meant to reach: the one table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Target:
    """`must` and `ambitious` of one figure; where less is better `must` is the greater of the two."""

    must: float
    ambitious: float
    unit: str = "ratio"

    @property
    def wants_less(self) -> bool:
        """Say whether a smaller figure is the better one."""
        return self.must > self.ambitious or self.unit in LESS_IS_BETTER

    def is_met(self, value: float) -> bool:
        """Say whether a figure reaches what it must."""
        return value <= self.must if self.wants_less else value >= self.must

    def is_surpassed(self, value: float) -> bool:
        """Say whether a figure reaches the ambitious target."""
        return value <= self.ambitious if self.wants_less else value >= self.ambitious


LESS_IS_BETTER: Final = frozenset({"times", "s", "ms", "MiB"})
TARGETS: Final[Mapping[str, Target]] = {
    "A1 SEC": Target(0.85, 1.3),
    "A1 NULL": Target(0.85, 1.3),
    "A2 SEC": Target(0.75, 0.9),
    "A2 NULL": Target(0.35, 0.5),
    "A3 SEC": Target(0.5, 0.8),
    "A3 backlog": Target(1.1, 1.0, "times"),
    "B1 SEC": Target(0.90, 1.05),
    "B1 NULL": Target(0.50, 0.65),
    "B3 SEC": Target(0.9, 1.1),
    "B3 NULL": Target(0.9, 1.1),
    "B3 poison SEC": Target(0.85, 0.95),
    "B3 poison NULL": Target(0.85, 0.95),
    "B4 NULL": Target(1.5, 1.8),
    "C1 p95": Target(25.0, 10.0, "ms"),
    "C1 growth": Target(1.3, 1.1, "times"),
    "C2 SEC": Target(0.65, 0.85),
    "C2 NULL": Target(0.65, 0.85),
    "D1 p50": Target(26.0, 16.9, "ms"),
    "D1 p99": Target(38.0, 24.7, "ms"),
    "D2 start": Target(1.5, 1.2, "s"),
    "D2 hand-over": Target(2.0, 1.3, "s"),
    "S1 cost": Target(1.15, 1.0, "times"),
    "S2 feeds": Target(1.1, 1.0, "times"),
    "M1 reader": Target(120.0, 120.0, "MiB"),
    "M1 relay": Target(120.0, 120.0, "MiB"),
    "M1 api": Target(120.0, 120.0, "MiB"),
    "M1 in flight": Target(32.0, 32.0, "MiB"),
}
"""By the figure's key. D1's are the bare pieces' 13 and 19 ms times 2 and 1.3; S2 leaves a tenth to noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One line of `targets` in `bench.json`."""

    value: float
    must: float
    ambitious: float
    met: bool


def verdicts(values: Mapping[str, float]) -> dict[str, Verdict]:
    """Return what became of every target that has a figure, in the table's order."""
    return {
        key: Verdict(value=values[key], must=target.must, ambitious=target.ambitious, met=target.is_met(values[key]))
        for key, target in TARGETS.items()
        if key in values
    }
