"""What the runs come to: pairs, ratios, and what became of the targets. Pure: no clock, no process, no screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.bench.peers.catalogue import MARSHMALLOW, PYDANTIC, Peer
from tests.bench.peers.running import NULL, SEC, Run
from tests.bench.ratios import Spread, spread
from tests.bench.targets import Target, Verdict

TARGETS: Final = {
    (SEC, MARSHMALLOW): Target(1.4, 1.7),
    (NULL, MARSHMALLOW): Target(2.5, 3.3),
    (SEC, PYDANTIC): Target(1.2, 1.4),
    (NULL, PYDANTIC): Target(1.4, 2.0),
}
"""How many times a peer's speed the platform's must be, and is meant to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A run of the platform and the peer's that followed it at once: only these two are compared."""

    platform: Run
    peer: Run

    @property
    def ratio(self) -> float:
        """Return the platform's speed by the peer's."""
        return self.platform.per_second / self.peer.per_second


@dataclass(slots=True, kw_only=True)
class Row:
    """One peer on one sink. `why_not` says why there is no (further) figure."""

    peer: Peer
    sink: str
    pairs: list[Pair] = field(default_factory=list)
    why_not: str = ""

    @property
    def key(self) -> str:
        """Return the row's name among the targets."""
        return f"B2 {self.sink} {self.peer.id}"

    @property
    def target(self) -> Target:
        """Return what its ratio must be."""
        return TARGETS[self.sink, self.peer.checks_with]

    @property
    def ratio(self) -> Spread | None:
        """Return the ratio with its bounds, None where nothing was measured."""
        return spread([pair.ratio for pair in self.pairs]) if self.pairs and not self.why_not else None

    @property
    def verdict(self) -> Verdict | None:
        """Return what became of the target, None where nothing was measured."""
        if self.ratio is None:
            return None
        value, target = self.ratio.middle, self.target
        return Verdict(value=value, must=target.must, ambitious=target.ambitious, met=target.is_met(value))


def per_second(runs: Sequence[Run]) -> Spread:
    """Return how many events a second, of at least one run."""
    return spread([run.per_second for run in runs])


def cpu(runs: Sequence[Run]) -> Spread:
    """Return the microseconds of the side's own CPU per event."""
    return spread([run.cpu_microseconds for run in runs])


def peak(runs: Sequence[Run]) -> float:
    """Return the most memory of any of the runs, in MiB."""
    return max(run.peak_mebibytes for run in runs)
