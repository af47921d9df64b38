"""Bytewax: a dataflow of its Kafka source, a map that checks, and a sink that writes each batch. Commits nothing."""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from tests.bench.peers.errand import BATCH, MOST_WAIT_MILLISECONDS, Errand, Meter, errand
from tests.bench.peers.sink import Sink
from tests.bench.peers.with_marshmallow import row


class Part(StatelessSinkPartition[dict[str, Any]]):
    """The one worker's part of the sink."""

    def __init__(self, sink: Sink, meter: Meter) -> None:
        self._sink = sink
        self._meter = meter

    def write_batch(self, items: list[dict[str, Any]]) -> None:
        """Write the rows."""
        self._sink.write(items)
        self._meter.wrote(len(items))
        self._meter.committed()


class Rows(DynamicSink[dict[str, Any]]):
    """The sink."""

    def __init__(self, asked: Errand, meter: Meter) -> None:
        self._asked = asked
        self._meter = meter

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Part:  # noqa: ARG002 - bytewax's own
        """Return the worker's part."""
        return Part(Sink(self._asked), self._meter)


def main(asked: Errand) -> None:
    """Read everything up to the topic's end."""
    meter = Meter(asked.events)

    def check(message: KafkaSourceMessage[bytes, bytes]) -> dict[str, Any]:
        meter.taken()
        return row(orjson.loads(message.value))

    config = {"fetch.wait.max.ms": str(MOST_WAIT_MILLISECONDS)}
    source = KafkaSource([asked.servers], [asked.topic], tail=False, add_config=config, batch_size=BATCH)
    flow = Dataflow("enrolments")
    op.output("write", op.map("check", op.input("read", flow, source), check), Rows(asked, meter))
    run_main(flow)
    meter.tell()


if __name__ == "__main__":
    main(errand())
