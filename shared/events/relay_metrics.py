"""What a relay shows of itself. Labels are services, feeds and kinds, never a value of an event."""

from __future__ import annotations

from typing import Final

import msgspec
from prometheus_client import Counter, Gauge

from shared.clock import Clock
from shared.events.feed import FeedName
from shared.events.outbox import Outbox
from shared.events.topics import Copies


class Gauges(msgspec.Struct, kw_only=True):
    """What the relay of one feed shows: numbers only."""

    head: int = 0
    published: int = 0
    epoch: int = 0
    refused: int = 0
    forbidden: int = 0
    beginning_gone: int = 0
    foreign_records: int = 0
    rewound: int = 0
    resent_logs: int = 0
    resent_at: int = 0
    """Unix seconds: the first scrape of a process that was started into an empty cluster may come after it."""


FEED: Final = Gauge("relay_feed", "The relay's figures of a feed, by kind.", ["service", "feed", "kind"])

OUTBOX: Final = Gauge("outbox_events", "Events that no broker has acknowledged.", ["service", "feed"])
OUTBOX_AGE: Final = Gauge(
    "outbox_oldest_seconds", "Seconds since the oldest event was committed that no broker has acknowledged.",
    ["service", "feed"],
)  # fmt: skip
COPIES: Final = Gauge(
    "feed_copies", "Brokers that hold the feed's topic, and how many must.", ["service", "feed", "kind"]
)
FENCED: Final = Counter("relay_fenced_total", "How often another relay had taken over.", ["service", "feed"])


def show_outbox(clock: Clock, name: FeedName, outbox: Outbox) -> None:
    """Put what a feed owes the broker where it is scraped; its age grows by itself."""
    labels, oldest = (name.service, name.topic), outbox.oldest_at
    OUTBOX.labels(*labels).set(outbox.events)
    OUTBOX_AGE.labels(*labels).set_function(
        lambda: 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
    )


def show_copies(name: FeedName, copies: Copies) -> None:
    """Put how many brokers hold a feed where it is scraped."""
    COPIES.labels(name.service, name.topic, "replicas").set(copies.replicas)
    if copies.least_in_sync is not None:
        COPIES.labels(name.service, name.topic, "least_in_sync").set(copies.least_in_sync)


def show(service: str, topic: str, gauges: Gauges) -> None:
    """Put a feed's figures where they are scraped."""
    for kind, value in msgspec.structs.asdict(gauges).items():
        FEED.labels(service, topic, kind).set(value)
