"""Starts what a round runs on, afresh, and ends it: broker and database of the local profile, and the NULL sink."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from shared.clock import Clock
from shared.local import backbone
from shared.local.platform import ROOT
from shared.local.ports import LOOPBACK, any_free
from shared.local.programs import Program, listens
from shared.local.supervisor import Supervisor
from shared.storage.mongo import connect
from tests.bench.peers.publishing import publish
from tests.bench.peers.running import SEC, Place

PATIENCE_MILLISECONDS = 30_000
"""For the recount: a busy database reads thousands of rows slowly."""


@contextmanager
def surroundings(sink: str, events: int, clock: Clock) -> Iterator[Place]:
    """Yield a place with `events` published, whose writes go to `sink`.

    Raises:
        Unavailable: the local extra is not installed, or something does not start.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peers-")))
        database_port, broker_port = any_free(), any_free()
        if sink == SEC:
            uri, program = backbone.database_uri(database_port), backbone.database_program(directory, database_port)
        else:
            uri = f"mongodb://{LOOPBACK}:{database_port}/?directConnection=true&retryWrites=false"
            program = Program(
                name="null",
                command=(sys.executable, "-m", "tests.bench.peers.null_sink", str(database_port)),
                environment={"PYTHONPATH": str(ROOT)},
                port=database_port,
                ready=listens(database_port),
            )
        supervisor = Supervisor(directory / "logs", clock, lambda _: None)
        stack.callback(supervisor.stop)
        supervisor.start((program, backbone.broker_program(broker_port)), Event())
        client = stack.enter_context(connect(f"{uri}&timeoutMS={PATIENCE_MILLISECONDS}", appname="bench-peers"))
        servers = f"{LOOPBACK}:{broker_port}"
        publish(servers, events, clock)
        yield Place(servers=servers, sink=sink, uri=uri, client=client, events=events)
