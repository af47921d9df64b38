"""sentry-arroyo: check each message, batch them, write the batches in a thread, commit behind them.

`queued_min_messages` is raised: at arroyo's own 10,000 librdkafka waits a second between fetches, see the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.commit import IMMEDIATE
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import BatchStep, CommitOffsets, RunTask
from arroyo.processing.strategies.abstract import ProcessingStrategy, ProcessingStrategyFactory
from arroyo.processing.strategies.run_task_in_threads import RunTaskInThreads
from arroyo.types import Commit, Message, Partition, Topic

from tests.bench.peers.errand import (
    BATCH,
    HEARTBEAT_MILLISECONDS,
    MOST_WAIT_MILLISECONDS,
    SESSION_MILLISECONDS,
    Errand,
    Meter,
    errand,
)
from tests.bench.peers.sink import Sink
from tests.bench.peers.with_marshmallow import row

QUEUED_MIN_MESSAGES = 100_000


class Strategies(ProcessingStrategyFactory[KafkaPayload]):
    """The chain of steps."""

    def __init__(self, asked: Errand, meter: Meter) -> None:
        self._sink = Sink(asked)
        self._meter = meter
        self.stop: Any = None

    def create_with_partitions(
        self,
        commit: Commit,
        partitions: Mapping[Partition, int],  # noqa: ARG002 - arroyo's own
    ) -> ProcessingStrategy[KafkaPayload]:
        """Return the chain."""
        last = CommitOffsets(self._timed(commit))
        write = RunTaskInThreads(self._write, concurrency=1, max_pending_futures=2, next_step=last)
        return RunTask(self._check, BatchStep(max_batch_size=BATCH, max_batch_time=1.0, next_step=write))

    def _check(self, message: Message[KafkaPayload]) -> dict[str, Any]:
        self._meter.taken()
        return row(orjson.loads(message.payload.value))

    def _write(self, message: Message[Any]) -> int:
        rows = [value.payload for value in message.payload]
        self._sink.write(rows)
        return len(rows)

    def _timed(self, commit: Commit):
        """Return `commit`, timed; what it commits has been written. The policy commits whatever it is given."""
        meter = self._meter

        def timed(offsets: Mapping[Partition, int], force: bool = False) -> None:  # noqa: FBT001, FBT002 - arroyo's
            commit(offsets, force)
            if offsets:
                meter.wrote(max(offsets.values()) - self._known)
                self._known = max(offsets.values())
                meter.committed()
                if meter.is_done:
                    self.stop()

        self._known = 0
        return timed


def main(asked: Errand) -> None:
    """Read everything."""
    meter = Meter(asked.events)
    strategies = Strategies(asked, meter)
    config = build_kafka_consumer_configuration(
        {
            "session.timeout.ms": SESSION_MILLISECONDS,
            "heartbeat.interval.ms": HEARTBEAT_MILLISECONDS,
            "fetch.wait.max.ms": MOST_WAIT_MILLISECONDS,
        },
        group_id=asked.group,
        auto_offset_reset="earliest",
        queued_min_messages=QUEUED_MIN_MESSAGES,
        bootstrap_servers=[asked.servers],
        enable_auto_commit=False,
    )
    processor = StreamProcessor(KafkaConsumer(config), Topic(asked.topic), strategies, IMMEDIATE)
    strategies.stop = processor.signal_shutdown
    processor.run()
    meter.tell()


if __name__ == "__main__":
    main(errand())
