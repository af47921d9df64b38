"""Wakes processes on the same machine: a service's relays when something waits for a number, readers when it was sent.

Every commit that emits rings: one datagram to each relay of the service that listens in the directory. Every relay
rings for the readers of all services once the broker has what it sent. It is there for speed alone and may be lost: who
listens looks by itself, too. Where processes run on several machines a change stream wakes the relay instead
(`relay_process.py`, decision 40), and the broker wakes the readers. No database and no Kafka here.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from shared.events.feed import FeedName

READERS: Final = "readers"
"""As what readers listen, whatever their service: a feed has readers in several."""
LONGEST_DIRECTORY_BYTES: Final = 72
"""The address of a socket holds 104 bytes on some systems; its name takes up to 27."""
LONGEST_RING_BYTES: Final = 256
FEWEST_KEPT: Final = 10
"""How many rings a system keeps at the least for a listener that does not take them in."""


def is_usable(directory: Path) -> bool:
    """Say whether sockets can be made there: their addresses are short."""
    return len(os.fsencode(directory)) <= LONGEST_DIRECTORY_BYTES


def ring_of(directory: Path | None, listeners: str) -> Callable[[FeedName], None] | None:
    """Return what wakes a service's relays, or `READERS`; None where no bell hangs."""
    return None if directory is None else Bell(directory, listeners).ring


class Bell:
    """What is rung for all who listen as `listeners`: a service's relays, or `READERS`. Safe to share by threads."""

    def __init__(self, directory: Path, listeners: str) -> None:
        self._directory = directory
        self._pattern = f"{listeners}.*.bell"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)

    def ring(self, feed: FeedName) -> None:
        """Wake whoever relays or reads `feed`; never waits, never fails. What the dead left behind is removed."""
        with contextlib.suppress(OSError):
            for path in self._directory.glob(self._pattern):
                with contextlib.suppress(OSError):  # one is gone, or so much lies there that it looks at all feeds
                    self._send(feed.topic.encode(), path)

    def _send(self, said: bytes, path: Path) -> None:
        try:
            self._socket.sendto(said, os.fspath(path))
        except ConnectionRefusedError:
            if path.is_socket():
                path.unlink(missing_ok=True)


class Listener:
    """What one listens at, from `with` to its end: a socket of its own, so that several stand side by side."""

    def __init__(self, directory: Path, listeners: str) -> None:
        self._path = directory / f"{listeners}.{secrets.token_hex(4)}.bell"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            OSError: The directory is not to be written to, or its name is too long.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket.bind(os.fspath(self._path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no longer."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._socket.close()

    def heard(self, seconds: float) -> set[str] | None:
        """Return the topics of all feeds that were rung for, none after `seconds` of silence.

        None says that it was so much that the system may have kept no more: every feed is to be looked at.

        Raises:
            OSError: Somebody has taken the socket away: nothing will ever be heard here.
        """
        found: set[str] = set()
        count = 0
        self._socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while True:
                found.add(self._socket.recv(LONGEST_RING_BYTES).decode(errors="replace"))
                count += 1
                self._socket.settimeout(0.0)
        if not count and not self._path.is_socket():
            message = f"{self._path} is gone"
            raise FileNotFoundError(message)
        return found if count < FEWEST_KEPT else None
