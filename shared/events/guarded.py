"""Calling a service's own function from the reader: its bug parks a record, and never stops the reader.

The only place on the Kafka side where any exception at all is caught. What may pass is named by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ServiceBug(Exception):
    """A service's function raised what nobody expects; `code` names the kind and never repeats a value."""

    def __init__(self, error: Exception) -> None:
        self.code = f"bug:{type(error).__name__}"
        super().__init__(self.code)


def guarded(call: Callable[[], T], passes: tuple[type[Exception], ...]) -> T:
    """Return what `call` returns; errors in `passes` go through as they are.

    Raises:
        ServiceBug: for any other exception.
    """
    try:
        return call()
    except passes:
        raise
    except Exception as error:
        raise ServiceBug(error) from error
