"""FastStream on confluent-kafka: a batch subscriber that acknowledges by hand, after it has written.

First argument `marshmallow`: the handler gets decoded JSON and loads it with the schema. `pydantic`: its annotation is
the model, as FastStream's own pages have it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from faststream import AckPolicy
from faststream.confluent import KafkaBroker, KafkaMessage

from tests.bench.peers.errand import (
    BATCH,
    HEARTBEAT_MILLISECONDS,
    MOST_WAIT_MILLISECONDS,
    SESSION_MILLISECONDS,
    Errand,
    Meter,
    errand,
)
from tests.bench.peers.sides.faststream_handlers import clock_for, handler_for
from tests.bench.peers.sink import AsyncSink


async def main(asked: Errand, library: str) -> None:
    """Read everything."""
    meter, done = Meter(asked.events), asyncio.Event()
    handle: Any = handler_for(library, KafkaMessage, AsyncSink(asked), meter, done)
    broker = KafkaBroker(asked.servers, logger=None, middlewares=[clock_for(meter)])
    broker.subscriber(
        asked.topic,
        batch=True,
        max_records=BATCH,
        group_id=asked.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
        fetch_max_wait_ms=MOST_WAIT_MILLISECONDS,
    )(handle)
    async with broker:
        await broker.start()
        await done.wait()
        meter.tell()


if __name__ == "__main__":
    with_library = sys.argv.pop(1)
    asyncio.run(main(errand(), with_library))
