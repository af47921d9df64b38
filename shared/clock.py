"""The one place that asks the machine for the time, or sleeps.

Everything else takes a `Clock`, so that a test or a simulation decides what time it is.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Clock(Protocol):
    """What the rooms may know of time."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""

    def monotonic(self) -> float:
        """Return seconds since some fixed point, never going back."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC, in whole milliseconds (what MongoDB keeps)."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return seconds since some fixed point, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        time.sleep(seconds)


def london_date(moment: datetime) -> date:
    """Return the civil date in England at `moment`."""
    return moment.astimezone(LONDON).date()


def wait_for(event: threading.Event, seconds: float) -> bool:
    """Return True as soon as `event` is set, False after `seconds`."""
    return event.wait(seconds)
