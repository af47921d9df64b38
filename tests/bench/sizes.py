"""How much is measured. One place, so that the whole run stays within its time."""

from __future__ import annotations

from dataclasses import dataclass, replace

SMOKE_ROWS = ("B1", "A3", "A1", "C1", "D2")
EVENTS_PER_OWNER = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Events per sample and row. Every row has its share of `seconds`: a slow machine measures fewer rounds of each.

    No row is begun after `seconds`; the last one may end a minute or two later.
    """

    rounds: int = 3
    read_null: int = 40_000
    read_sec: int = 20_000
    relayed: int = 10_000
    backlogs: tuple[int, int] = (10_000, 100_000)
    requests: int = 300
    uploaded: int = 5_000
    histories: tuple[int, ...] = (10_000, 100_000)
    report_reads: int = 60
    costs: tuple[int, int] = (10_000, 100_000)
    feeds: int = 33
    feed_events: int = 33_000
    through_seconds: float = 20.0
    through_per_second: float = 50.0
    starts: int = 3
    in_memory: int = 100_000
    seconds: float = 600.0


FULL = Sizes()
SMOKE = Sizes(
    read_null=20_000,
    read_sec=6_000,
    relayed=4_000,
    backlogs=(1_000, 4_000),
    requests=60,
    uploaded=500,
    histories=(1_000, 4_000),
    report_reads=30,
    costs=(4_000, 16_000),
    feed_events=9_900,
    through_seconds=5.0,
    through_per_second=20.0,
    starts=1,
    in_memory=10_000,
    seconds=85.0,
)
"""Under two minutes: the rows that say most."""
DEEP = replace(FULL, histories=(10_000, 100_000, 1_000_000), costs=(10_000, 1_000_000), seconds=3_600.0)
"""With a million events where they are asked for."""
TINY = Sizes(
    rounds=1,
    read_null=1_200,
    read_sec=1_200,
    relayed=60,
    backlogs=(20, 60),
    requests=4,
    uploaded=30,
    histories=(20, 60),
    report_reads=3,
    costs=(700, 1_400),
    feeds=3,
    feed_events=1_200,
    through_seconds=1.0,
    through_per_second=10.0,
    starts=1,
    in_memory=1_200,
    seconds=3_600.0,
)
"""Enough to see that every row works; its figures mean nothing."""


def of_owners(owners: int) -> Sizes:
    """Return the sizes of a run that shows how as many owners' feeds scale."""
    return replace(FULL, feeds=owners, feed_events=owners * EVENTS_PER_OWNER)
