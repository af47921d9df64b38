"""Two things at once, where neither touches what the other does: the next records, while a transaction waits.

A reader with much to read spends most of a transaction waiting for the database. What comes next can be polled and
examined meanwhile, because polling touches the log alone and taking never does: it is as if it were polled afterwards.
Lives here: the one thread that does it. Must not live here: what is polled, and when there is much to read.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from typing import TypeVar

Ahead = TypeVar("Ahead")
Work = TypeVar("Work")


class Beside:
    """A thread of its own for what is done ahead, begun when it is needed and ended by `close`.

    Args:
        executor: What runs it instead, one call at a time; a simulation gives one that runs each call at once.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self._executor = executor

    def both(self, work: Callable[[], Work], ahead: Callable[[], Ahead]) -> tuple[Work, Ahead]:
        """Do `work` here and `ahead` beside it, and return what both returned once both are over.

        Raises:
            Exception: What `work` raised, after `ahead` is over, too; else what `ahead` raised.
        """
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        beside = self._executor.submit(ahead)
        try:
            done = work()
        finally:
            wait((beside,))
        return done, beside.result()

    def close(self) -> None:
        """End the thread."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()
