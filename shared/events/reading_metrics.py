"""What a reader shows of itself. Labels are services, feeds and kinds, never a value of an event."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

EVENT_AGE: Final = Histogram(
    "event_age_seconds",
    "Seconds from an event's own time to the commit of its effect.",
    ["service", "source"],
    buckets=(0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30),
)
LAG: Final = Gauge("feed_lag_records", "Records of the log that are not read yet.", ["service", "feed"])
NUMBER: Final = Gauge("feed_number", "The last number of the feed that was taken.", ["service", "feed"])
ANNOUNCED: Final = Gauge("feed_announced", "The highest number that the feed's owner has named.", ["service", "feed"])
HEARD: Final = Gauge("feed_heard_at_seconds", "When the feed was last heard of, in Unix seconds.", ["service", "feed"])
TAKEN_UP: Final = Gauge(
    "feed_taken_up_at_seconds", "When this reader took the feed up, in Unix seconds.", ["service", "feed"]
)
LAG_EVENTS: Final = Gauge(
    "feed_lag_events", "Events that the owner has named and that are not taken yet.", ["service", "feed"]
)
LAG_SECONDS: Final = Gauge(
    "feed_lag_seconds", "Seconds since the oldest event was committed that is not taken yet.", ["service", "feed"]
)
MISSING: Final = Gauge(
    "feed_missing_events", "Numbers below the newest known one that have not come.", ["service", "feed"]
)
PARKED_KEYS: Final = Gauge(
    "parked_keys", "Keys that wait for a person, by the code of the reason.", ["service", "feed", "reason"]
)
WAITING: Final = Gauge("parked_records", "Records that are parked and wait for a person.", ["service", "feed"])
PARKED: Final = Counter("parked_total", "Records that were parked, causes and followers.", ["service", "feed"])
ALARMS: Final = Gauge("feed_alarms", "1 while the feed stands still for this reason.", ["service", "feed", "kind"])
OTHER_PARTNERSHIP: Final = Gauge(
    "feed_other_partnership_file", "1 while the feed's owner has another partnership file.", ["service", "feed"]
)
REFUSED: Final = Gauge("reader_refused", "1 while the broker does not let this reader in, or read.", ["service"])
ABSENT: Final = Gauge(
    "feed_absent", "1 while the broker shows no such topic: not made yet, or not to be read.", ["service", "feed"]
)
DIFFERENCES: Final = Gauge(
    "feed_reconcile_differences",
    "In how many figures (events by type, credits) the reader's own count differs from the owner's.",
    ["service", "feed"],
)
FENCED: Final = Counter("reader_fenced_total", "How often another reader had taken over.", ["service"])
FENCED_LATELY: Final = Gauge(
    "feed_readers_fenced_lately",
    "How many readers of the feed found another in their place in the last 15 minutes, this process or others.",
    ["service", "feed"],
)
EFFECTS: Final = Counter("events_taken_total", "Effects committed.", ["service", "source"])

OF_ONE_FEED: Final = (
    LAG,
    NUMBER,
    ANNOUNCED,
    HEARD,
    TAKEN_UP,
    LAG_EVENTS,
    LAG_SECONDS,
    MISSING,
    PARKED_KEYS,
    WAITING,
    ALARMS,
    OTHER_PARTNERSHIP,
    DIFFERENCES,
    FENCED_LATELY,
)
"""What only the reader that holds a feed can tell of it."""


def forget(service: str, feed: str) -> None:
    """Show nothing more of a feed that this process reads no longer: what it showed would stand as it was for ever."""
    for gauge in OF_ONE_FEED:
        gauge.remove_by_labels({"service": service, "feed": feed})
