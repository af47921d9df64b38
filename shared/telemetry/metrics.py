"""The counters that every service has, and their exposition. Labels are routes, codes and slugs, never values."""

from __future__ import annotations

from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

HTTP_REQUESTS: Final = Counter("http_requests_total", "Requests answered.", ["service", "method", "route", "status"])
HTTP_SECONDS: Final = Histogram(
    "http_request_seconds",
    "Seconds to answer a request.",
    ["service", "method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TOKENS_REFUSED: Final = Counter("tokens_refused_total", "Bearer tokens refused.", ["service", "reason"])
FOREIGN_ASKED: Final = Counter(
    "foreign_resources_asked_total", "Requests for another organisation's resources.", ["service", "organisation"]
)

STARTED: Final = Gauge(
    "process_started_at_seconds",
    "When the process was started, in Unix seconds.",
    ["service", "part"],
    multiprocess_mode="max",
)
CLOCK_SKEW: Final = Gauge(
    "database_clock_skew_seconds",
    "By how much the database's clock was ahead of the process's own when it started.",
    ["service"],
    multiprocess_mode="max",
)


def own_exposition() -> tuple[bytes, str]:
    """Return all metrics of this process alone: for one that shares its work with no other."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


def exposition() -> tuple[bytes, str]:
    """Return all metrics of this process, or of all gunicorn workers where PROMETHEUS_MULTIPROC_DIR is set."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_LATEST
