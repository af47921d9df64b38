"""What a worker does now and then beside its own work: each action at most once per so many seconds."""

from __future__ import annotations

from collections.abc import Callable

from shared.clock import Clock


class Timer:
    """One action and how often it is due; the first time at once."""

    def __init__(self, seconds: float, act: Callable[[], object]) -> None:
        self._seconds = seconds
        self._act = act
        self._acted: float | None = None

    def tick(self, clock: Clock) -> None:
        """Act if it is time; an action that fails is due again at once."""
        if self._acted is None or clock.monotonic() - self._acted >= self._seconds:
            self._act()
            self._acted = clock.monotonic()
