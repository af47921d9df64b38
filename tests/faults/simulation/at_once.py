"""What a process does beside something else, done at once instead: one greenlet runs at a time.

What runs beside touches nothing that the other does, so that doing it first is one of the orders that may happen.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class AtOnce(Executor):
    """Runs each call when it is submitted; a crash of the process (`Crashed`) is no result, but ends the caller."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Return the call's future, over already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)
        return future
