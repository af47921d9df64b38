"""A program that the supervisor keeps running: how it is started, and how it says that it is ready."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.local.ports import LOOPBACK, accepts

ReadyCheck = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process. `environment` is added to ours; `port` must be free before it is started again.

    `most_silent_seconds`: how long it may run without being ready, once it was, before it counts as dead.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    ready: ReadyCheck = lambda: True
    most_silent_seconds: float | None = None


def listens(port: int) -> ReadyCheck:
    """Return a check that something accepts connections on `port`."""
    return lambda: accepts(port)


def answers_ready(port: int) -> ReadyCheck:
    """Return a check that `/readyz` on `port` says 200."""

    def check() -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check
