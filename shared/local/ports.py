"""Which loopback ports the local run takes. The four services' are fixed; what nobody calls by hand may move."""

from __future__ import annotations

import socket
from itertools import cycle, islice
from random import SystemRandom
from typing import Final

from shared.errors import Unavailable

LOOPBACK = "127.0.0.1"
DEFAULT_BASE = 8000
_NOBODYS: Final = range(11_000, 21_000)
"""Ports for what nobody calls by hand. Systems give higher ones to outgoing connections: a server that is started some
seconds later, or again, would find its own taken by whoever tried to reach it."""
_PORTS: Final = cycle(SystemRandom().sample(_NOBODYS, len(_NOBODYS)))


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def needed(port: int, name: str) -> int:
    """Return `port`.

    Raises:
        Unavailable: another program listens there; the message says what to do.
    """
    if not is_free(port):
        raise Unavailable(
            f"port {port}, where {name} should listen, is taken by another program: "
            f"stop that one, or choose others with PORT_BASE (PORT_BASE=9000 gives 9001 to 9004)"
        )
    return port


def preferred(port: int) -> int:
    """Return `port`, or some free one where it is taken."""
    return port if is_free(port) else any_free()


def any_free() -> int:
    """Return some port that is free just now, another one each time.

    Raises:
        Unavailable: none of them is.
    """
    found = next((port for port in islice(_PORTS, len(_NOBODYS)) if is_free(port)), None)
    if found is None:
        raise Unavailable(f"no port from {_NOBODYS[0]} to {_NOBODYS[-1]} is free: end what listens there")
    return found


def accepts(port: int) -> bool:
    """Return whether something listens on `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
