"""The pull feed: a page of an owner's feed by number, as structured CloudEvents. Reads the ledger, never Kafka."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.events.feed import FeedName
from shared.events.ledger import Ledger
from shared.events.records import structured
from shared.storage.unit_of_work import Reading

MOST_EVENTS: Final = 500
MOST_PAGE_BYTES: Final = 4 * 1024 * 1024


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page: structured events in order, the number to go on after (None at the end), and the feed's head."""

    items: list[bytes]
    next: int | None
    head: int
    head_hash: str

    def body(self) -> bytes:
        """Return the JSON `{items, next, head: {number, hash}}`. Send these bytes: the events' data stay as stored."""
        items = b"[" + b",".join(self.items) + b"]"
        rest = {"next": self.next, "head": {"number": self.head, "hash": self.head_hash}}
        return b'{"items":' + items + b"," + msgspec.json.encode(rest)[1:]


def feed_page(reading: Reading, name: FeedName, *, after: int, limit: int) -> FeedPage:
    """Return the events with the numbers after `after`, at most `limit` of them (and 500, and 4 MiB)."""
    ledger = Ledger(reading, name)
    head = ledger.head()
    items: list[bytes] = []
    size, last = 0, after
    for envelope, _ in ledger.walk(after, head):
        if len(items) == min(limit, MOST_EVENTS) or (items and size > MOST_PAGE_BYTES):
            break
        items.append(structured(envelope))
        size += len(items[-1])
        last = envelope.feedseq
    return FeedPage(items=items, next=last if last < head.number else None, head=head.number, head_hash=head.hash)
