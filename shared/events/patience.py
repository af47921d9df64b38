"""How long one waits: while a database does not answer, longer each time, and after a step that took its time."""

from __future__ import annotations

from typing import Final

from shared.clock import Clock

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
QUIET_STEP_SECONDS: Final = 0.02
LONGEST_REST_SECONDS: Final = 0.3


def rest_after(step_seconds: float) -> float:
    """Return how long to rest after a step of that length, so that a busy database is asked less often.

    A step takes as many commands for one event as for a hundred: what comes meanwhile goes together. A step of 20 ms
    rests as long again, a quicker one hardly, a slower one longer: it says that others wait for the database.
    """
    return min(step_seconds * step_seconds / QUIET_STEP_SECONDS, LONGEST_REST_SECONDS)


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
