"""An Apache Kafka of a test's own, to be stopped, killed or asked for passwords; skipped loudly where it cannot run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.local import kafka
from shared.local.ports import accepts
from shared.testing.backbone import Server, free_port


def kafka_server(folder: Path, *, more: str = "", users: Mapping[str, str] | None = None) -> Server:
    """Return an Apache Kafka, not yet started, that keeps its records in `folder` over restarts.

    Args:
        folder: Where everything of the broker is kept.
        more: See `shared.local.kafka.prepare`.
        users: See `shared.local.kafka.prepare`.
    """
    if not kafka.JARS.exists():
        pytest.skip("NOT RUN: there is no Apache Kafka here to start; make test-kafka fetches it (Java, Maven)")
    try:
        kafka.check_java()
    except Unavailable as error:
        pytest.skip(f"NOT RUN: {error.detail}")
    port = free_port()
    program = kafka.program(kafka.prepare(folder, port, more=more, users=users), port)
    return Server(list(program.command), port, folder / "broker.log", accepts)
