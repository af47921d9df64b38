"""The correlation id and the W3C trace context of the work in hand, carried by context variables.

The correlation id is always made here: it travels on the shared bus, where no text of a partner's choosing may stand,
and one id over a whole session would tie together what must not be. A partner's own id, if it is a UUID, is noted
beside it in this service's logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from shared.identifiers import new_identifier

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")


@dataclass(frozen=True, slots=True)
class Correlation:
    """What ties log lines, events and problems of one piece of work together."""

    correlation_id: str
    traceparent: str | None = None


_current: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def begin(partners_id: str | None = None, traceparent: str | None = None) -> Correlation:
    """Start a piece of work under a new id; a partner's own id is logged with it when it is a UUID."""
    started = Correlation(new_identifier(), next_traceparent(traceparent))
    _current.set(started)
    structlog.contextvars.clear_contextvars()
    if partners_id and _UUID.match(partners_id):
        structlog.contextvars.bind_contextvars(partners_correlation_id=partners_id)
    return started


def current() -> Correlation:
    """Return the correlation of the work in hand, beginning one where there is none."""
    return _current.get() or begin()


@contextmanager
def following(correlation_id: str, traceparent: str | None) -> Iterator[None]:
    """Let what is logged in the block belong to somebody else's piece of work: an event's, while it is taken."""
    token = _current.set(Correlation(correlation_id, traceparent))
    try:
        yield
    finally:
        _current.reset(token)


def note_in_log(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the correlation id and the trace id of the work in hand to a log line: structlog's form of a processor."""
    known = _current.get()
    if known is not None:
        event.setdefault("correlation_id", known.correlation_id)
        if known.traceparent is not None:
            event.setdefault("trace_id", known.traceparent.split("-")[1])
    return event


def next_traceparent(traceparent: str | None) -> str | None:
    """Return our own child of `traceparent` (W3C Trace Context), None when it is absent or not valid.

    Source: W3C Trace Context, section 3.2: all-zero trace and parent ids are not valid.
    """
    parts = _TRACEPARENT.match(traceparent or "")
    if parts is None or set(parts[1]) == {"0"} or set(parts[2]) == {"0"}:
        return None
    span = new_identifier().replace("-", "")[-16:]
    return f"00-{parts[1]}-{span}-{parts[3]}"
