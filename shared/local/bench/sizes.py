"""How much is measured. One place, so that the whole run stays within its time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Events per sample and row. Every row has its share of `seconds`: a slow machine measures fewer rounds of each."""

    rounds: int = 3
    single_commits: int = 150
    bulk_commits: int = 4
    bulk_events: int = 500
    relayed: int = 4_000
    read: int = 2_000
    read_singly: int = 1_000
    replayed: int = 2_000
    history: int = 300
    history_times: int = 10
    report_reads: int = 30
    through_seconds: float = 10.0
    through_per_second: float = 20.0
    seconds: float = 115.0


TINY = Sizes(
    rounds=1,
    single_commits=5,
    bulk_commits=1,
    bulk_events=20,
    relayed=50,
    read=50,
    read_singly=20,
    replayed=50,
    history=5,
    report_reads=2,
    through_seconds=1.0,
    through_per_second=10.0,
    seconds=60.0,
)
"""Enough to see that every row works; its figures mean nothing."""
