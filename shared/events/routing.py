"""From a verified event to what this service makes of it: typed data, the reaction, the organisations concerned.

Everything that can be found out before a transaction is found out here. No database, no log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.errors import Forbidden, Malformed
from shared.events.checking import Chain, Examined, LogRecord, Next, Stray
from shared.events.envelope import Cause, Envelope, Received
from shared.events.feed import FeedName
from shared.events.guarded import ServiceBug, guarded
from shared.events.subscriptions import Subscription, SubscriptionBook

NOBODY: Final[frozenset[str]] = frozenset()


class Routed(msgspec.Struct, frozen=True):
    """One event, ready to be taken.

    `fault` is why it must be parked, None where it can be tried; `takers` are the organisations that take it (or park
    it). `take` is None where there is nothing to do.
    """

    next: Next
    at: datetime | None
    takers: frozenset[str]
    fault: str | None = None
    received: Received[Any] | None = None
    subscription: Subscription[Any] | None = None

    @property
    def number(self) -> int:
        """Return the event's number."""
        return self.next.envelope.feedseq

    @property
    def key(self) -> str:
        """Return the aggregate's id."""
        return self.next.envelope.subject

    def cause(self) -> Cause:
        """Return what an event emitted in answer names as its cause."""
        envelope = self.next.envelope
        return Cause(envelope.correlationid, envelope.id, envelope.traceparent)


Item = Routed | Stray
"""What waits to be taken."""


Arrived = tuple[Examined, Routed | None]
"""A record that was read, and what becomes of it where it is an event that may be next."""


def offset_of(item: Item) -> int | None:
    """Return where the item stands in the log, None for one that was fetched from its owner."""
    return item.record.offset if isinstance(item, Stray) else item.next.offset


class Router:
    """Routes the events of one feed.

    Args:
        feed: The feed.
        book: The service's subscriptions.
        takers: The hosted organisations that may read this feed.
        concerned: Asks a subscription's `concerns` (the partnership is the caller's).
    """

    def __init__(
        self,
        feed: FeedName,
        book: SubscriptionBook,
        takers: Collection[str],
        concerned: Callable[[Subscription[Any], Received[Any]], Collection[str]],
    ) -> None:
        self._feed = feed
        self._topic = feed.topic
        self._book = book
        self._takers = frozenset(takers)
        self._concerned = concerned
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}

    def route(self, event: Next) -> Routed:
        """Return what becomes of an event. What cannot be understood concerns every taker: nobody may overtake it."""
        envelope = event.envelope
        subscription = self._book.find(envelope.type)
        if subscription is None:
            if self._book.ignores(envelope.type):
                return Routed(event, None, NOBODY)
            return Routed(event, None, self._takers, fault="unknown-type")
        try:
            received = self._received(subscription, envelope)
            named = guarded(lambda: self._concerned(subscription, received), (Malformed, Forbidden))
        except (Malformed, msgspec.MsgspecError, ValueError):
            return Routed(event, None, self._takers, fault="malformed-data")
        except Forbidden:
            return Routed(event, None, self._takers, fault="forbidden")
        except ServiceBug as bug:
            return Routed(event, None, self._takers, fault=bug.code)
        return Routed(event, received.time, frozenset(named) & self._takers, None, received, subscription)

    def examined(self, chain: Chain, records: Sequence[LogRecord]) -> list[Arrived]:
        """Return what records are by themselves, and what would become of those that the chain does not know yet.

        Nothing is verified here. What the chain holds back is routed again when its turn comes.
        """
        known, arrived = chain.number, list[Arrived]()
        for record in records:
            one = chain.examine(record)
            what = one.what
            arrived.append((one, self.route(what) if isinstance(what, Next) and what.number > known else None))
        return arrived

    def _received(self, subscription: Subscription[Any], envelope: Envelope) -> Received[Any]:
        decoder = self._decoders.get(subscription.type)
        if decoder is None:
            decoder = self._decoders[subscription.type] = msgspec.json.Decoder(subscription.struct)
        moment = datetime.fromisoformat(envelope.time)
        if moment.tzinfo is None:
            raise Malformed("an instant without its offset")
        return Received(
            id=envelope.id,
            type=envelope.type,
            key=envelope.subject,
            organisation=envelope.organisation,
            service=self._feed.service,
            topic=self._topic,
            number=envelope.feedseq,
            time=moment,
            correlation_id=envelope.correlationid,
            data=decoder.decode(envelope.data),
        )
