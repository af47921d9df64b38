"""Wakes a service's relay on the same machine as soon as something waits for a number.

Every commit that emits rings: one datagram to each relay of the service that listens in the directory. It is there for
speed alone and may be lost: the relay looks by itself every `RELAY_POLL_SECONDS`. Where processes run on several
machines a change stream wakes the relay instead (`relay_process.py`, decision 40). No database and no Kafka here.
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

LONGEST_DIRECTORY_BYTES: Final = 72
"""The address of a socket holds 104 bytes on some systems; its name takes up to 27."""
LONGEST_RING_BYTES: Final = 256
FEWEST_KEPT: Final = 10
"""How many rings a system keeps at the least for a listener that does not take them in."""


def is_usable(directory: Path) -> bool:
    """Say whether sockets can be made there: their addresses are short."""
    return len(os.fsencode(directory)) <= LONGEST_DIRECTORY_BYTES


def ring_of(directory: Path | None, service: str) -> Callable[[FeedName], None] | None:
    """Return what a process of the service calls after its commits, None where a change stream wakes the relay."""
    return None if directory is None else Bell(directory, service).ring


class Bell:
    """What a process of the service rings after its commits. Safe to share by threads."""

    def __init__(self, directory: Path, service: str) -> None:
        self._directory = directory
        self._pattern = f"{service}.*.bell"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)

    def ring(self, feed: FeedName) -> None:
        """Wake whoever relays `feed`; never waits, never fails. What a dead relay left behind is removed."""
        with contextlib.suppress(OSError):
            for path in self._directory.glob(self._pattern):
                self._send(f"{feed.organisation}/{feed.feed}".encode(), path)

    def _send(self, said: bytes, path: Path) -> None:
        try:
            self._socket.sendto(said, os.fspath(path))
        except ConnectionRefusedError:
            if path.is_socket():
                path.unlink(missing_ok=True)
        except BlockingIOError:  # so much lies there that all feeds are looked at
            pass


class Listener:
    """What a relay listens at, from `with` to its end: a socket of its own, so that several stand side by side."""

    def __init__(self, directory: Path, service: str) -> None:
        self._path = directory / f"{service}.{secrets.token_hex(4)}.bell"
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
        self._path.unlink(missing_ok=True)
        self._socket.close()

    def heard(self, seconds: float) -> set[tuple[str, str]] | None:
        """Return (organisation, feed) of everything that was rung for, nothing after `seconds` of silence.

        None says that it was so much that the system may have kept no more: every feed is to be looked at.

        Raises:
            OSError: Somebody has taken the socket away: nothing will ever be heard here.
        """
        found: set[tuple[str, str]] = set()
        count = 0
        self._socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while True:
                organisation, _, feed = self._socket.recv(LONGEST_RING_BYTES).decode(errors="replace").partition("/")
                found.add((organisation, feed))
                count += 1
                self._socket.settimeout(0.0)
        if not count and not self._path.is_socket():
            message = f"{self._path} is gone"
            raise FileNotFoundError(message)
        return found if count < FEWEST_KEPT else None
