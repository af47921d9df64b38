"""What the readers of this process last heard of each feed's owner. Kept in memory: a heartbeat never causes a write.

Whoever wants it elsewhere (reporting's `freshness`) notes it at its own pace.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from shared.events.envelope import Heartbeat


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's last heartbeat and when it came; `is_other_partnership` when its partnership file is not ours."""

    heartbeat: Heartbeat
    at: datetime
    is_other_partnership: bool


_LAST: Final[dict[tuple[str, str], Heard]] = {}


def note(service: str, topic: str, heard: Heard) -> None:
    """Keep what was heard."""
    _LAST[service, topic] = heard


def forget(service: str, topic: str) -> None:
    """Know nothing more of a feed that this process reads no longer."""
    _LAST.pop((service, topic), None)


def last(service: str, topic: str) -> Heard | None:
    """Return what was last heard, None before the first heartbeat."""
    return _LAST.get((service, topic))
