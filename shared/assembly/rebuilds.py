"""The part of a reader's process that builds a projection anew when somebody asks for it. Wired from settings alone."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from pymongo.errors import PyMongoError

from shared.clock import SystemClock, wait_for
from shared.errors import ConcurrentChange, Unavailable

if TYPE_CHECKING:
    from shared.events.reader import Reader
    from shared.events.rebuilding import Rebuilder, Rebuilt
    from shared.events.subscriptions import Subscription
    from shared.process.settings import CommonSettings
    from shared.storage.unit_of_work import UnitOfWork

LOOK_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


def make_rebuilder(
    service: str,
    given: CommonSettings,
    organisation: str,
    subscriptions: Iterable[Subscription[Any]],
    ignored: Collection[str],
    feeds: Collection[str],
    rebuilt: Rebuilt,
    *,
    unit: UnitOfWork,
    reader: Reader,
) -> Rebuilder:
    """Return what builds the organisation's projection of this service anew, from the owners' pull feeds.

    `subscriptions` write the rebuilt one. The projection has the service's name. `reader` takes the running one on.
    """
    from shared.events.reader import followed_feeds, owners_fetch, router_of
    from shared.events.rebuilding import Rebuilder, RebuildTools
    from shared.events.subscriptions import SubscriptionBook

    partnership, clock = given.partnership(), SystemClock()
    book = SubscriptionBook(subscriptions, ignored)
    names = followed_feeds(partnership, feeds, (organisation,))
    tools = RebuildTools(
        name=service,
        unit=unit,
        organisation=organisation,
        rebuilt=rebuilt,
        fetch=owners_fetch(given, partnership, names, clock),
        clock=clock,
        standing=reader.turnstile.held,
    )
    return Rebuilder(tools, {name: router_of(name, book, allowed, partnership) for name, allowed in names.items()})


def keep_rebuilding(rebuilders: Sequence[Rebuilder], stop: threading.Event) -> None:
    """Do what is asked of the rebuilders, until `stop` is set; what the database refuses is done at a later look."""
    while not wait_for(stop, LOOK_SECONDS):
        for rebuilder in rebuilders:
            try:
                rebuilder.look(stop)
            except (Unavailable, ConcurrentChange, PyMongoError) as error:
                log.info("rebuild.waiting", reason=type(error).__name__)
