"""A number that does not come: wait a while, then ask the owner's own pull feed for the range.

Lives here: the patience with one gap, and the request over HTTP. What is fetched is verified by the chain like
anything else (`checking.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.events.envelope import Envelope
from shared.events.feed import FeedName

FetchRange = Callable[[FeedName, int, int], Sequence[Envelope]]
"""`fetch(feed, after, limit)` returns the owner's events after that number, in order; raises `Unavailable`."""

RANGE_EVENTS: Final = 200


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
