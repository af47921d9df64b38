"""The one place that makes identifiers. UUIDv7: unique everywhere, and roughly in order of time."""

from __future__ import annotations

from collections.abc import Callable

import uuid_utils

NewIdentifier = Callable[[], str]


def new_identifier() -> str:
    """Return a new UUIDv7 in its canonical lower-case form."""
    return str(uuid_utils.uuid7())
