"""How many events of a feed are taken in one transaction: as many as a short transaction has room for.

A commit has its price whatever is in it, so that many events share one where reactions are quick; where they ask the
database for each event a long transaction would hold up others who change the same rows. Pure.
"""

from __future__ import annotations

from typing import Final

LEAST: Final = 50
SHORT_SECONDS: Final = 0.1
LONG_SECONDS: Final = 0.4


class BatchSize:
    """The size that the last batches suggest.

    Args:
        first: What to begin with.
        most: Never more than this.
    """

    def __init__(self, first: int, most: int) -> None:
        self.events = first
        self._least = min(first, LEAST)
        self._most = max(first, most)

    def took(self, events: int, seconds: float) -> None:
        """Learn from a batch: a full one that was quick grows the next, a slow one shrinks it."""
        if seconds > LONG_SECONDS:
            self._shrink()
        elif seconds < SHORT_SECONDS and events >= self.events:
            self.events = min(self._most, self.events * 2)

    def failed(self) -> None:
        """Learn from a batch that could not be committed: the next is smaller, as it may have been too long."""
        self._shrink()

    def _shrink(self) -> None:
        self.events = max(self._least, self.events // 2)
