"""What the play measured: how long, how large, how soon a change reached the board's projection."""

from __future__ import annotations

import math
from collections import defaultdict

import httpx
from prometheus_client.parser import text_string_to_metric_families

_AGE = "event_age_seconds"


def age_percentile(metrics: str, share: float) -> float | None:
    """Return the smallest bucket bound (seconds) that holds `share` of the events, None where none was counted.

    The histogram counts, per event, the time from its owner's commit to the commit of its effect.
    """
    buckets: dict[float, float] = defaultdict(float)
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name.endswith(f"{_AGE}_bucket"):
                buckets[float(sample.labels["le"])] += sample.value
    total = buckets.get(math.inf, 0.0)
    if not total:
        return None
    return min(bound for bound, count in buckets.items() if count >= share * total)


def projection_age(url: str) -> tuple[float, float] | None:
    """Return the median and the 99th percentile, in seconds, of reporting's event ages; None when unreadable."""
    try:
        metrics = httpx.get(url, timeout=5.0).text
    except httpx.TransportError:
        return None
    median, p99 = age_percentile(metrics, 0.5), age_percentile(metrics, 0.99)
    return None if median is None or p99 is None else (median, p99)
