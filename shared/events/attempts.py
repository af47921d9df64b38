"""A record that kills the process which takes it, and how it is found without a write for every record.

What kills a process leaves no word of itself, so a word must be there before: a mark beside the position, "numbers up
to this one are being tried". A reader writes one mark when it has taken a feed over, before its first batch; no other
while all goes well. A mark that is still open at the next take-over tells that the process died within it: from then
on the events up to it are tried one by one, each marked before. The third death parks the event, and reading goes on.

    death 1   somewhere in a batch without a mark; the next reader marks the batch
    death 2   within the marked batch; from now on one by one
    death 3   with one event alone, and death 4 with the same: it is parked with the reason `killed-the-reader`

A reader that another one took over in the middle of its work leaves the same mark behind, and is alive. It leaves word
elsewhere (`fences.py`); before an event is parked its deaths are held against those words: where readers come and go
within a second of each other, an innocent event would be parked otherwise.

Pure: the mark is written by `reading_batch.py`. What kills while a record is only decoded is not found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

KILLED: Final = "killed-the-reader"
MOST_DEATHS: Final = 3
ATTEMPT: Final = "attempt"
"""The field of a position's document."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A mark. The numbers up to `last` are tried, those up to `until` are suspect; `deaths` were counted before.

    `place` is the log that the numbers belong to, where they are not a feed's own.
    """

    last: int
    until: int
    is_alone: bool
    deaths: int
    place: str = ""

    def document(self) -> dict[str, Any]:
        """Return what is stored."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def attempt_from(doc: dict[str, Any] | None) -> Attempt | None:
    """Return the mark that a document holds."""
    return None if doc is None else msgspec.convert(doc, Attempt)


class Attempts:
    """What one reader knows of deaths at one position.

    Args:
        left: The mark that a predecessor left, None where there is none.
        number: Where the position stands.
    """

    def __init__(self, left: Attempt | None, number: int) -> None:
        self._is_first = True
        self._until = 0
        self._pinned: tuple[int, int] = (0, 0)
        self._alive = 0
        if left is not None and left.last > number:
            self._until = left.until
            if left.is_alone:
                self._pinned = (left.last, left.deaths + 1)

    def size(self, numbers: Sequence[int]) -> int:
        """Return how many of the next numbers may be tried together."""
        return 1 if numbers and numbers[0] <= self._until else len(numbers)

    def is_killer(self, number: int) -> bool:
        """Say whether this number has killed often enough to be parked untried."""
        return self._deaths(number) - self._alive >= MOST_DEATHS

    def excuse(self, alive: int) -> None:
        """Take so many of the deaths for readers that were only fenced."""
        self._alive = alive

    def mark(self, numbers: Sequence[int]) -> Attempt | None:
        """Return the mark to write before these numbers are tried, None where none is needed."""
        if not numbers or self.is_killer(numbers[0]):
            return None
        if numbers[0] <= self._until:
            self._is_first = False
            deaths = self._deaths(numbers[0])
            return Attempt(last=numbers[0], until=self._until, is_alone=True, deaths=deaths)
        if not self._is_first:
            return None
        self._is_first = False
        return Attempt(last=numbers[-1], until=numbers[-1], is_alone=len(numbers) == 1, deaths=0)

    def _deaths(self, number: int) -> int:
        """Return how many deaths are known of: those of this number alone, or the one of its batch."""
        if number == self._pinned[0]:
            return self._pinned[1]
        return 1 if number <= self._until else 0
