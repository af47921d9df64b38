"""A number that does not come: wait a while, then ask the owner's own pull feed for the range.

Lives here: the patience with one gap, and the request over HTTP. What is fetched is verified by the chain like
anything else (`checking.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import msgspec

from shared.errors import Malformed, Unavailable
from shared.events.envelope import Envelope
from shared.events.feed import FeedName
from shared.events.hashing import hash_of
from shared.events.records import from_structured

FetchRange = Callable[[FeedName, int, int], Sequence[Envelope]]
"""`fetch(feed, after, limit)` returns the owner's events after that number, in order; raises `Unavailable`."""

RANGE_EVENTS: Final = 200
ANSWER_SECONDS: Final = 5.0


@dataclass(slots=True)
class GapWatch:
    """How long the feed has waited for one number."""

    patience_seconds: float = 60.0
    most_waiting: int = 10_000
    retry_seconds: float = 10.0
    _number: int | None = None
    _since: float = 0.0
    _try_at: float = 0.0

    def is_due(self, missing: int | None, waiting: int, now: float) -> bool:
        """Say whether the owner should be asked now.

        Args:
            missing: The number that is waited for, None when there is no gap.
            waiting: How many records are held back behind it.
            now: Monotonic seconds.
        """
        if missing != self._number:
            self._number, self._since, self._try_at = missing, now, 0.0
        if missing is None or now < self._try_at:
            return False
        return now - self._since >= self.patience_seconds or waiting >= self.most_waiting

    def tried(self, now: float) -> None:
        """Wait a while before the owner is asked again."""
        self._try_at = now + self.retry_seconds


@dataclass(slots=True)
class SetbackWatch:
    """Whether the owner names less than was read of it, and means it: its database came back from a backup.

    Heartbeats that are read again from a log's past also name less, however slowly they are read. Three in a row that
    were read at the log's end, each a while after the one before it, are the owner's present word.
    """

    apart_seconds: float = 1.0
    most: int = 3
    _count: int = 0
    _last: float = 0.0

    def is_set_back(self, named: int, number: int, now: float, *, is_at_end: bool = True) -> bool:
        """Say so for a heartbeat.

        Args:
            named: What it names.
            number: What was read.
            now: Monotonic seconds.
            is_at_end: Whether it was read with the last records that the log has.
        """
        is_apart = now - self._last >= self.apart_seconds
        self._last = now
        if named >= number or not is_at_end or not is_apart:
            self._count = 0
            return False
        self._count += 1
        return self._count >= self.most


class HttpFetch:
    """Fetches a range from the owner's instance: `GET <door>/v1/organisations/<owner>/feed?after=&limit=`.

    Args:
        door: The base address of an organisation's service, None where it is not known.
        token: A service token for reading a feed (of a hosted organisation that may read it).
    """

    def __init__(self, door: Callable[[str, str], str | None], token: Callable[[FeedName], str]) -> None:
        self._door = door
        self._token = token

    def __call__(self, feed: FeedName, after: int, limit: int) -> Sequence[Envelope]:
        """Return events whose hashes are confirmed by what follows them, so that bytes changed on the way are noticed.

        Raises:
            Unavailable: The door is not known, does not answer, or answers something else.
        """
        door = self._door(feed.organisation, feed.service)
        if door is None:
            raise Unavailable("the owner's door is not known")
        address = f"{door.rstrip('/')}/v1/organisations/{feed.organisation}/feed?after={after}&limit={limit + 1}"
        if urlsplit(address).scheme not in ("http", "https"):
            raise Unavailable("the owner's door is no web address")
        headers = {"Authorization": f"Bearer {self._token(feed)}", "Accept": "application/json"}
        try:
            with urlopen(Request(address, headers=headers), timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - checked
                page = msgspec.json.decode(answer.read(), type=_Page)
            return confirmed([from_structured(bytes(item)) for item in page.items], page.head)
        except (OSError, msgspec.MsgspecError, Malformed) as error:
            raise Unavailable("the owner's pull feed does not answer as it should") from error


class _Head(msgspec.Struct, frozen=True):
    number: int
    hash: str


class _Page(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw]
    head: _Head


def confirmed(envelopes: Sequence[Envelope], head: _Head) -> list[Envelope]:
    """Return the events up to the last whose hash something names: the next event, or the head.

    Raises:
        Malformed: An event does not continue the one before it.
    """
    for before, after in pairwise(envelopes):
        if after.feedseq != before.feedseq + 1 or after.prevhash != hash_of(before):
            raise Malformed("the range does not hang together")
    if envelopes and (envelopes[-1].feedseq, hash_of(envelopes[-1])) == (head.number, head.hash):
        return list(envelopes)
    return list(envelopes[:-1])
