"""How a reader behaves, and what all feeds of one reader share: what `feed_reading.py` and `intake.py` are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pymongo.client_session import ClientSession

from shared.clock import Clock
from shared.events.gap import FetchRange
from shared.storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """How a reader behaves; the defaults are the platform's.

    A batch begins with `batch_events` and grows to `most_batch_events` where reactions are quick (`batch_size.py`).
    """

    batch_events: int = 200
    most_batch_events: int = 1_000
    most_pending: int = 2_000
    lazy_numbers: int = 1_000
    lazy_seconds: float = 60.0
    gap_seconds: float = 60.0
    gap_records: int = 10_000
    gap_retry_seconds: float = 10.0
    look_seconds: float = 15.0
    setback_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTools:
    """What all feeds of one reader share."""

    unit: UnitOfWork
    session: ClientSession
    clock: Clock
    rules: ReadingRules = field(default_factory=ReadingRules)
    fetch: FetchRange | None = None
    partnership_hash: str = ""
    summed: Mapping[str, str] = field(default_factory=dict)
