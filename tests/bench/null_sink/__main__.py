"""Runs the NULL sink on a loopback port until it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import sys

from shared.local.ports import LOOPBACK
from shared.process import lifeline
from tests.bench.null_sink.memory import Memory
from tests.bench.null_sink.wire import Connection


async def serve(port: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    memory, stop = Memory(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Connection(memory, f"{LOOPBACK}:{port}"), LOOPBACK, port)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    lifeline.die_with_parent(signal.SIGTERM)
    asyncio.run(serve(int(sys.argv[1])))
