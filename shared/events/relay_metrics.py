"""What a relay shows of itself. Labels are services, feeds and kinds, never a value of an event."""

from __future__ import annotations

from typing import Final

import msgspec
from prometheus_client import Gauge


class Gauges(msgspec.Struct, kw_only=True):
    """What the relay of one feed shows: numbers only."""

    head: int = 0
    published: int = 0
    epoch: int = 0
    refused: int = 0
    beginning_gone: int = 0
    foreign_records: int = 0
    rewound: int = 0
    resent_logs: int = 0


FEED: Final = Gauge("relay_feed", "The relay's figures of a feed, by kind.", ["service", "feed", "kind"])


def show(service: str, topic: str, gauges: Gauges) -> None:
    """Put a feed's figures where they are scraped."""
    for kind, value in msgspec.structs.asdict(gauges).items():
        FEED.labels(service, topic, kind).set(value)
