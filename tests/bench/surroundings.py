"""Starts what a row runs on, afresh for each row, and ends it: database and broker of the local profile, the NULL sink.

With an external backbone (KAFKA_BOOTSTRAP_SERVERS, MONGODB_URI) nothing is started but the NULL sink.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

from shared.clock import Clock
from shared.identifiers import new_identifier
from shared.local import backbone as backbones
from shared.local.platform import ROOT
from shared.local.ports import any_free
from shared.local.programs import Program, listens
from shared.local.supervisor import Supervisor
from shared.storage.mongo import connect
from tests.bench.sizes import Sizes
from tests.bench.stage import NULL, SEC, Sink, Stage, null_uri

PARTNERSHIP = ROOT / "scenarios" / "north-west-london" / "partnership.yaml"


@contextmanager
def surroundings(asked: str | None, sizes: Sizes, clock: Clock) -> Iterator[Stage]:
    """Yield the stage of one row.

    Raises:
        Malformed: external was asked for without addresses.
        Unavailable: the local extra is not installed, or something does not start.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        if asked == backbones.EXTERNAL:
            chosen = backbones.choose(asked, directory, 0)
        else:
            chosen = backbones.local(directory, any_free(), any_free())
        stack.callback(chosen.close)
        null_port = any_free()
        null = Program(
            name="null",
            command=(sys.executable, "-m", "tests.bench.null_sink", str(null_port)),
            environment={"PYTHONPATH": str(ROOT)},
            port=null_port,
            ready=listens(null_port),
        )
        supervisor = Supervisor(directory / "logs", clock, lambda _: None)
        stack.callback(supervisor.stop)
        supervisor.start((*chosen.programs, null), Event())
        uris = {SEC: chosen.mongodb_uri, NULL: null_uri(null_port)}
        sinks = {name: Sink(name=name, uri=uri, client=connect(uri, appname="bench")) for name, uri in uris.items()}
        for sink in sinks.values():
            stack.callback(sink.client.close)
        yield Stage(
            bootstrap_servers=chosen.kafka_bootstrap_servers,
            kafka_config=chosen.kafka_config,
            sinks=sinks,
            pids=supervisor.pids(),
            clock=clock,
            sizes=sizes,
            partnership_file=PARTNERSHIP,
            directory=directory,
            run=f"b{new_identifier()[-6:]}" if asked == backbones.EXTERNAL else "bench",
        )
