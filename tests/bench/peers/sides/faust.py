"""Faust (faust-streaming): an agent that takes up to 1,000 events at a time; commits follow every few seconds."""

from __future__ import annotations

import asyncio
import sys

import faust
from aiokafka import TopicPartition

from tests.bench.peers.errand import BATCH, HEARTBEAT_MILLISECONDS, SESSION_MILLISECONDS, Errand, Meter, errand
from tests.bench.peers.sink import AsyncSink
from tests.bench.peers.with_marshmallow import row


def application(asked: Errand, meter: Meter, done: asyncio.Event) -> faust.App:
    """Return the application."""
    app = faust.App(
        asked.group,
        broker=f"kafka://{asked.servers}",
        value_serializer="json",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=SESSION_MILLISECONDS / 1000,
        broker_heartbeat_interval=HEARTBEAT_MILLISECONDS / 1000,
        broker_max_poll_records=BATCH,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        store="memory://",
    )
    sink = AsyncSink(asked)

    def first(event):
        meter.taken()
        return event

    @app.agent(app.topic(asked.topic, value_serializer="json"))
    async def write(stream):
        stream.add_processor(first)
        async for events in stream.take(BATCH, within=1):
            rows = [row(event) for event in events]
            await sink.write(rows)
            meter.wrote(len(rows))
            if meter.is_done:
                done.set()

    return app


async def main(asked: Errand) -> None:
    """Read everything; the last commit is asked for at once instead of at the next of its intervals."""
    meter, done = Meter(asked.events), asyncio.Event()
    app = application(asked, meter, done)
    await app.start()
    await done.wait()
    place = TopicPartition(asked.topic, 0)
    while app.consumer._committed_offset.get(place) != asked.events:
        await app.consumer.commit()
        await asyncio.sleep(0.001)
    meter.committed()
    meter.tell()
    await app.stop()


if __name__ == "__main__":
    asked_for = errand()
    sys.argv[1:] = []
    asyncio.run(main(asked_for))
