"""When too much of one feed is parked, it is our bug or an attack, and reading on would only park more.

Pure. More than 5 % of the last 1,000 records, or 50 in a row, stop the feed. Only causes count, not their followers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

WINDOW_RECORDS: Final = 1_000
MOST_IN_WINDOW: Final = 50
MOST_IN_A_ROW: Final = 50


@dataclass(slots=True)
class CauseLimit:
    """What was parked lately on one feed."""

    window: int = WINDOW_RECORDS
    most_in_window: int = MOST_IN_WINDOW
    most_in_a_row: int = MOST_IN_A_ROW
    _recent: deque[bool] = field(default_factory=deque)
    _in_a_row: int = 0

    def first_trip(self, causes: Sequence[bool]) -> int | None:
        """Return the index of the record at which the feed must stop, None when all of them may be taken.

        Args:
            causes: For each record to come, in order, whether it is parked as a cause.
        """
        if True not in causes:
            return None
        recent, parked, in_a_row = list(self._recent), sum(self._recent), self._in_a_row
        for index, cause in enumerate(causes):
            recent.append(cause)
            parked += cause
            if len(recent) > self.window:
                parked -= recent[-self.window - 1]
            in_a_row = in_a_row + 1 if cause else 0
            if cause and (in_a_row >= self.most_in_a_row or parked > self.most_in_window):
                return index
        return None

    def note(self, causes: Sequence[bool]) -> None:
        """Remember what became of these records."""
        for cause in causes:
            self._recent.append(cause)
            self._in_a_row = self._in_a_row + 1 if cause else 0
        while len(self._recent) > self.window:
            self._recent.popleft()


class Trial:
    """One batch, held against the limit before and while it is taken.

    Args:
        limit: What was parked before.
        numbers: For each record, in order, its event's number; None for a stray, which is a cause by itself.
    """

    def __init__(self, limit: CauseLimit, numbers: Sequence[int | None]) -> None:
        self._limit = limit
        self._numbers = numbers
        self._causes = frozenset[int]()

    def add(self, causes: Collection[int]) -> None:
        """Count these numbers as causes from now on."""
        self._causes |= frozenset(causes)

    def cut(self) -> int:
        """Return how many of the records may be taken."""
        trip = self._trip()
        return len(self._numbers) if trip is None else trip + 1

    def stop(self, causes: frozenset[int]) -> int | None:
        """Return the last number that may be taken if these are causes, too; None when all may."""
        trip = self._trip(causes)
        if trip is None or (not causes and trip + 1 == len(self._numbers)):
            return None
        return max((number for number in self._numbers[: trip + 1] if number is not None), default=0)

    def note(self) -> bool:
        """Let the limit remember what became of what was taken; return whether the feed must stop."""
        trip, cut = self._trip(), self.cut()
        self._limit.note(self._flags()[:cut])
        return trip is not None

    def _trip(self, more: frozenset[int] = frozenset()) -> int | None:
        return self._limit.first_trip(self._flags(more))

    def _flags(self, more: frozenset[int] = frozenset()) -> list[bool]:
        return [number is None or number in self._causes or number in more for number in self._numbers]
