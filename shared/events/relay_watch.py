"""What a relay process looks at beside its work, for its operators: what its feeds owe, and how many copies there are.

One thread each, started by `relay_process.py`. They only look and show; whatever goes wrong here stops no feed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Event
from typing import Final

from pymongo.errors import PyMongoError

from shared.clock import wait_for
from shared.errors import PlatformError
from shared.events import relay_metrics
from shared.events.feed import FeedName
from shared.events.outbox import Outbox, outbox_of
from shared.events.topics import SAFE_IN_SYNC, SAFE_REPLICATION, Copies, Topics
from shared.storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

OUTBOX_SECONDS: Final = 5.0
COPIES_SECONDS: Final = 300.0
COPIES_AGAIN_SECONDS: Final = 15.0


def watch_outboxes(unit: UnitOfWork, held: Callable[[], Iterable[FeedName]], stop: Event) -> None:
    """Show every few seconds what the feeds that this process `held` owe the broker, until `stop` is set.

    While the database is away the last answer stands, and what waits grows older.
    """
    shown: set[FeedName] = set()
    while not stop.is_set():
        now = set(held())
        for name in shown - now:
            relay_metrics.show_outbox(unit.clock, name, Outbox())
        for name in now:
            try:
                relay_metrics.show_outbox(unit.clock, name, outbox_of(unit, name))
            except (PlatformError, PyMongoError):
                continue
        shown = now
        wait_for(stop, OUTBOX_SECONDS)


def watch_copies(topics: Topics, feeds: Iterable[FeedName], stop: Event) -> None:
    """Show now and then how many brokers hold each feed, and say so in the log where they are too few."""
    names, told = list(feeds), set[FeedName]()
    while not stop.is_set():
        unanswered = False
        for name in names:
            try:
                copies = topics.copies(name.topic)
            except PlatformError:
                copies = None
            if copies is None:
                unanswered = True
                continue
            relay_metrics.show_copies(name, copies)
            if is_weak(copies) and name not in told:
                told.add(name)
                least = "?" if copies.least_in_sync is None else copies.least_in_sync
                log.warning(
                    "feed %s has %d copies, of which %s must hold what is acknowledged; it should have %d, and %d",
                    name.topic, copies.replicas, least, SAFE_REPLICATION, SAFE_IN_SYNC,
                )  # fmt: skip
        wait_for(stop, COPIES_AGAIN_SECONDS if unanswered else COPIES_SECONDS)


def is_weak(copies: Copies) -> bool:
    """Return whether the loss of one broker could lose what was acknowledged, as far as the broker tells."""
    least = SAFE_IN_SYNC if copies.least_in_sync is None else copies.least_in_sync
    return copies.replicas < SAFE_REPLICATION or least < SAFE_IN_SYNC
