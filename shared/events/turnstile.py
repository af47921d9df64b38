"""A reader goes through a turnstile before each round; whoever holds it has the reader stand between two rounds.

For what must see a reader's positions stand for a moment, in the same process: a reader that has much to do would
otherwise move on each time. Fair: who waits to hold it is let in after the round under way, however soon the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turnstile:
    """One reader passes; others, one at a time, hold it up."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_held = False
        self._is_passing = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Do one round, once nobody holds the reader up."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_held)
            self._is_passing = True
        try:
            yield
        finally:
            with self._changed:
                self._is_passing = False
                self._changed.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the reader stand until the block ends; not to be waited in for long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_held)
            self._is_held = True
            self._changed.wait_for(lambda: not self._is_passing)
        try:
            yield
        finally:
            with self._changed:
                self._is_held = False
                self._changed.notify_all()
