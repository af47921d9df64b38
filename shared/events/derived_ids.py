"""Ids that a reaction makes: they follow from the event that is taken, so that taking it again makes the same ones.

An owner's database that came back from a backup takes again what it had taken: with ids of chance the same seat,
registration or credit would get another name the second time, and others would know it twice. The database's own secret
(`Position.seed`, restored with it) keeps anybody else from working them out. They are UUIDv7 like all others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from itertools import count
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def derived_identifiers(seed: str, service: str, event_id: str, at: datetime) -> Callable[[], str]:
    """Return a maker of ids: the same in the same order for the same database, service and event.

    Args:
        seed: The database's secret.
        service: Whose reaction; two services of one organisation never share an id.
        event_id: The event that is taken.
        at: The event's own time, which the ids carry as UUIDv7 do.
    """
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    numbers = count()

    def make() -> str:
        number = next(numbers)
        digest = hashlib.sha256(f"{seed}|{service}|{event_id}|{number}".encode()).digest()
        chance = int.from_bytes(digest[:8], "big") & ((1 << 62) - 1)
        return str(UUID(int=(milliseconds << 80) | _VERSION | ((number & 0xFFF) << 64) | _VARIANT | chance))

    return make
