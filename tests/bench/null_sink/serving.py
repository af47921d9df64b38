"""Serves a NULL sink on a loopback port until it is asked to stop. What it answers is its memory's business."""

from __future__ import annotations

import asyncio
import signal

from shared.local.ports import LOOPBACK
from shared.process import lifeline
from tests.bench.null_sink.memory import Memory
from tests.bench.null_sink.wire import Connection


def run(memory: Memory, port: int) -> None:
    """Answer until SIGTERM or SIGINT, or until the process that started this one has died."""
    lifeline.die_with_parent(signal.SIGTERM)
    asyncio.run(_serve(memory, port))


async def _serve(memory: Memory, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Connection(memory, f"{LOOPBACK}:{port}"), LOOPBACK, port)
    async with server:
        await stop.wait()
