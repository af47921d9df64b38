"""Quix Streams: a dataframe that checks each message, and a batching sink that every checkpoint flushes."""

from __future__ import annotations

from typing import Any

from quixstreams import Application
from quixstreams.checkpointing import Checkpoint
from quixstreams.sinks import BatchingSink, SinkBatch

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


class Rows(BatchingSink):
    """Writes what has come since the last checkpoint."""

    def __init__(self, asked: Errand, meter: Meter) -> None:
        super().__init__()
        self._sink = Sink(asked)
        self._meter = meter

    def write(self, batch: SinkBatch) -> None:
        """Write the batch."""
        rows = [item.value for item in batch]
        self._sink.write(rows)
        self._meter.wrote(len(rows))


def main(asked: Errand) -> None:
    """Read everything."""
    meter = Meter(asked.events)
    app = Application(
        broker_address=asked.servers,
        consumer_group=asked.group,
        auto_offset_reset="earliest",
        commit_every=BATCH,
        consumer_extra_config={
            "session.timeout.ms": SESSION_MILLISECONDS,
            "heartbeat.interval.ms": HEARTBEAT_MILLISECONDS,
            "fetch.wait.max.ms": MOST_WAIT_MILLISECONDS,
        },
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="ERROR",
    )

    def check(document: dict[str, Any]) -> dict[str, Any]:
        meter.taken()
        return row(document)

    frame = app.dataframe(app.topic(asked.topic, value_deserializer="json"))
    frame.apply(check).sink(Rows(asked, meter))

    commit = Checkpoint.commit

    def timed(checkpoint: Checkpoint, **rest) -> None:
        """Take the time when the offsets are committed; the framework has no call-back for it."""
        commit(checkpoint, **rest)
        meter.committed()
        if meter.is_done:
            app.stop()

    Checkpoint.commit = timed
    app.run()
    meter.tell()


if __name__ == "__main__":
    main(errand())
