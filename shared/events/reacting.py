"""Calling a service's reactions inside a transaction: what they may raise, and what it means for the event.

Lives here: reading ahead for many events, reacting to one. Must not live here: which events, and what becomes of one
that fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, Forbidden, Malformed, Unavailable
from shared.events.envelope import Received
from shared.events.guarded import ServiceBug, guarded
from shared.events.positions import PositionMoved
from shared.events.routing import Routed
from shared.events.subscriptions import Subscription
from shared.identifiers import NewIdentifier
from shared.storage.unit_of_work import Work
from shared.telemetry import correlation

PASSES: Final = (PyMongoError, Unavailable, ConcurrentChange, PositionMoved, Malformed, Forbidden)
"""What a service's own function may raise and mean."""


class EventFailed(Exception):
    """One event's reaction failed for good; the text is a code that quotes nothing."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


def read_ahead(work: Work, events: Sequence[Routed]) -> None:
    """Let the service read at once what its reactions to these events will ask for, where it has a way to."""
    together: dict[str, list[Received[Any]]] = {}
    rows: dict[str, Subscription[Any]] = {}
    for event in events:
        row, received = event.subscription, event.received
        if row is not None and received is not None:
            together.setdefault(row.type, []).append(received)
            rows[row.type] = row
    for event_type, heard in together.items():
        _ahead(work, rows[event_type], heard)


def _ahead(work: Work, row: Subscription[Any], heard: Sequence[Received[Any]]) -> None:
    ahead = row.ahead
    if ahead is not None and len(heard) > 1:
        with suppress(ServiceBug):  # whose bug it is shows when the event's own reaction asks
            guarded(lambda: ahead(work, heard), (PyMongoError, Unavailable, ConcurrentChange))


def react(work: Work, event: Routed, identifiers: NewIdentifier | None = None) -> None:
    """Have the reaction take one event; the ids that it makes are `identifiers`, where they are given.

    Raises:
        EventFailed: It never will.
    """
    if event.subscription is None or event.received is None:
        return
    work.cause = event.cause()
    if identifiers is not None:
        work.draw_ids_from(identifiers)
    reaction, received = event.subscription.reaction, event.received
    try:
        with correlation.following(event.next.envelope.correlationid, event.next.envelope.traceparent):
            guarded(lambda: reaction(work, received), PASSES)
    except Malformed:
        raise EventFailed(event.number, "malformed") from None
    except Forbidden:
        raise EventFailed(event.number, "forbidden") from None
    except ServiceBug as bug:
        raise EventFailed(event.number, bug.code) from bug
