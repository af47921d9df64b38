"""How long one topic waits while its database does not answer: longer each time, until it answers again."""

from __future__ import annotations

from typing import Final

from shared.clock import Clock

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0


class Patience:
    """Of one topic. `available` says whether the database answered last."""

    def __init__(self, clock: Clock) -> None:
        self.available = True
        self._clock = clock
        self._retry_at = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def is_waiting(self) -> bool:
        """Say whether it is too early to ask again."""
        return self._clock.monotonic() < self._retry_at

    def back_off(self) -> bool:
        """Wait a while, as it did not answer; return whether that is news."""
        was_available, self.available = self.available, False
        self._retry_at = self._clock.monotonic() + self._pause
        self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2)
        return was_available

    def end(self) -> None:
        """It answers."""
        self.available, self._pause = True, FIRST_PAUSE_SECONDS
