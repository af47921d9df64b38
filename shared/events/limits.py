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


def flags(count: int, causes: Collection[int]) -> list[bool]:
    """Return for each of so many records whether its index is among the causes."""
    return [index in causes for index in range(count)]
