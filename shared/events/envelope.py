"""What an event looks like on its way: what a commit emits, what stands on the feed, what a reaction receives.

Types only, and the names that follow from them. No Kafka, no MongoDB, no hashing, no word of a service.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

SPECVERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/json"
GENESIS: Final = "0" * 64
"""The `prevhash` of number 1."""
OPENED: Final = "feed.opened.v1"
HEARTBEAT: Final = "feed.heartbeat.v1"
UNNUMBERED: Final = frozenset({OPENED, HEARTBEAT})


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a commit emits.

    `key` is the aggregate's id, order holds per key; `version` is the aggregate's version that this commit made,
    rising per key; `data` is JSON, final: these bytes are stored, hashed and sent. `feed` is `org` (the shared bus)
    or `out` (the owner's private answers). `apart` gives the event a correlation of its own, so that nobody can tell
    by it what else the same request or session did.
    """

    type: str
    key: str
    version: int
    data: bytes
    feed: str = "org"
    apart: bool = False


class Received(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One event as a reaction gets it: its owner is verified, its data is typed."""

    id: str
    type: str
    key: str
    organisation: str
    service: str
    topic: str
    number: int
    time: datetime
    correlation_id: str
    data: T


class Cause(msgspec.Struct, frozen=True):
    """Why a commit happens: what is passed on from the request or event that led to it."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered event of a feed: CloudEvents 1.0.2 attributes as the texts that are sent, and the data bytes.

    `subject` is the aggregate's id and equals the Kafka key; `source` names the feed (`source_of(topic)`).
    """

    id: str
    source: str
    type: str
    subject: str
    time: str
    dataschema: str
    organisation: str
    feedseq: int
    prevhash: str
    correlationid: str
    data: bytes
    causationid: str | None = None
    traceparent: str | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Data of `feed.opened.v1`: a log begins here, or begins again for a new generation."""

    generation: str


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Data of `feed.heartbeat.v1`: nothing newer than `feedseq` exists, and these are the owner's totals."""

    feedseq: int
    head_hash: str
    counts: dict[str, int]
    credits: int
    epoch: int
    generation: str
    partnership_version: str
    partnership_hash: str


def topic_of(feed: str, organisation: str, service: str) -> str:
    """Return the topic of a feed: `org.brent.enrolment.v1`."""
    return f"{feed}.{organisation}.{service}.v1"


def source_of(topic: str) -> str:
    """Return the CloudEvents `source` of everything on `topic`; it binds an event to the feed that it was made for."""
    return f"/feeds/{topic}"


def schema_of(event_type: str) -> str:
    """Return the CloudEvents `dataschema` of a type."""
    return f"urn:teaching-partnership:schema:{event_type}"


def instant(moment: datetime) -> str:
    """Return `moment` as RFC 3339 in UTC, always with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
