"""Equal access to learning, monitored: how many of whom were nominated and given a place. An employer's own figures.

Source: domain report, E24 ("be accessible to everyone"). Counts of one employer for that employer only; what the
partnership sees is reporting's, with disclosure control.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

UNKNOWN = "unknown"
FULL_TIME, MOST_OF_IT, LESS = "full_time", "from_0.6", "below_0.6"


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the headcount, and what became of them in the period."""

    groups: Mapping[str, str]
    nominated: bool
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Uptake:
    """One group: how many people there are, how many were nominated, how many had a place."""

    by: str
    group: str
    headcount: int
    nominated: int
    confirmed: int


def groups_of(level: str | None, team: str | None, fte: str | None) -> dict[str, str]:
    """Return which group of each kind somebody belongs to."""
    return {"pcf_level": level or UNKNOWN, "team": team or UNKNOWN, "fte": fte_band(fte)}


def fte_band(fte: str | None) -> str:
    """Return the band of a contract's share of full time."""
    if fte is None:
        return UNKNOWN
    share = Decimal(fte)
    return FULL_TIME if share >= 1 else MOST_OF_IT if share >= Decimal("0.6") else LESS


def uptake(members: Iterable[Member]) -> tuple[Uptake, ...]:
    """Return every group's figures and everybody's together, in order of kind and name."""
    counts: dict[tuple[str, str], list[int]] = {("all", "all"): [0, 0, 0]}
    for member in members:
        for kind, group in (("all", "all"), *member.groups.items()):
            count = counts.setdefault((kind, group), [0, 0, 0])
            count[0] += 1
            count[1] += member.nominated
            count[2] += member.confirmed
    return tuple(Uptake(kind, group, *count) for (kind, group), count in sorted(counts.items()))
