"""A real database and a real broker for tests: separate processes on loopback, gone when the test run ends.

The local profile's own programs (`shared.local.backbone`), started barely; supervision belongs to `shared/local`.
"""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Final

from pymongo.errors import PyMongoError

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.topics import Topics
from shared.local import backbone
from shared.local.ports import any_free
from shared.storage.mongo import connect

START_SECONDS: Final = 180.0


def free_port_base(span: int = 100) -> int:
    """Return a base with `span` free ports above it, below those that outgoing connections take.

    Raises:
        RuntimeError: There are not so many free ports in a row.
    """
    bases = range(21_000, 31_000, span)
    for base in SystemRandom().sample(bases, len(bases)):  # two runs at once would both take the first
        with ExitStack() as held:
            try:
                for port in range(base, base + span):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    message = f"there are no {span} free ports in a row on loopback"
    raise RuntimeError(message)


@dataclass
class Server:
    """One server process on a port that stays the same over restarts."""

    command: list[str]
    port: int
    log: Path
    answers: Callable[[int], bool]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.log.parent)  # noqa: S603
        until = SystemClock().monotonic() + START_SECONDS
        while not self.answers(self.port):
            if self.process.poll() is not None or SystemClock().monotonic() > until:
                self.kill()
                message = f"the server did not start: {self.log.read_text(errors='replace')[-2000:]}"
                raise RuntimeError(message)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Ask it to stop, and make sure that it does."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        if self.process is None:
            message = "the server does not run"
            raise RuntimeError(message)
        return self.process.pid


def database_server(folder: Path) -> Server:
    """Return a SecantusDB, not yet started, that keeps its data in `folder` and every acknowledged commit."""
    program = backbone.database_program(folder, any_free())
    return Server(list(program.command), program.port or 0, folder / "database.log", _database_answers)


def broker_server(folder: Path) -> Server:
    """Return a Tansu, not yet started, that keeps its records in memory: a restart is the loss of a cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    program = backbone.broker_program(any_free())
    return Server(list(program.command), program.port or 0, folder / "broker.log", _broker_answers)


def database_uri(server: Server) -> str:
    """Return the connection string of a database server."""
    return backbone.database_uri(server.port)


def bootstrap(server: Server) -> str:
    """Return the bootstrap address of a broker."""
    return f"127.0.0.1:{server.port}"


def _port_answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return True
    SystemClock().sleep(0.05)
    return False


def _database_answers(port: int) -> bool:
    if not _port_answers(port):
        return False
    try:
        with connect(f"mongodb://127.0.0.1:{port}/?directConnection=true", appname="probe") as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _broker_answers(port: int) -> bool:
    if not _port_answers(port):
        return False
    topics = Topics(f"127.0.0.1:{port}", SystemClock())
    try:
        topics.place("org.probe.probe.v1")
    except Unavailable:
        return False
    finally:
        topics.close()
    return True
