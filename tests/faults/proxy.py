"""A small TCP proxy on loopback that stands between a client and a server and makes the line as bad as a test asks.

    with Proxy(server.port) as line:
        connect(f"mongodb://127.0.0.1:{line.port}/?directConnection=true")
        line.latency_seconds = 0.5            # each way
        line.bytes_per_second = 1000          # each way, over all connections together
        line.loss = 0.05                      # chance for each piece of data that its connection is reset instead
        line.cut(UP)                          # what clients send is swallowed; DOWN: what the server sends; both
        line.drop_next_reply(b"commitTransaction")   # the server does it, its answer is lost, the connection too
        line.refuse()                         # nobody gets in, and who was in is reset
        line.heal()                           # a good line again

A broker sends its clients to the address that it advertises: `broker_behind` starts one that advertises the proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from pathlib import Path
from random import Random
from typing import Final

from shared.local.ports import any_free
from shared.testing.backbone import Server
from shared.testing.kafka import IS_REAL, broker_of_this_run

UP: Final = "up"
DOWN: Final = "down"
LOOPBACK: Final = "127.0.0.1"
PIECE: Final = 65_536
SLOW_PIECE: Final = 512
MOST_PIECES_UNDER_WAY: Final = 256
_RESET: Final = struct.pack("ii", 1, 0)


class Proxy:
    """One line to one server on loopback. `port` stays the same until `close`; attributes may be set at any time."""

    def __init__(self, target: int, *, port: int | None = None, seed: int = 0) -> None:
        self.port = port or any_free()
        self.latency_seconds = 0.0
        self.bytes_per_second: int | None = None
        self.loss = 0.0
        self.opened = 0
        self.resets = 0
        self.dropped_replies = 0
        self.passed = {UP: 0, DOWN: 0}
        self.swallowed = {UP: 0, DOWN: 0}
        self._target = target
        self._random = Random(seed)  # noqa: S311 - chance that can be had again, no secret
        self._cut: frozenset[str] = frozenset()
        self._drop_after: list[bytes] = []
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)
        self._line: dict[str, asyncio.Lock] = {}

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def open(self) -> int:
        """Return how many connections go through it now."""
        return len(self._connections)

    def cut(self, *directions: str) -> None:
        """Swallow what goes these ways, from now until `heal`; nobody is told, as when packets are lost."""
        self._cut = frozenset(directions or (UP, DOWN))

    def drop_next_reply(self, to: bytes = b"") -> None:
        """Let the next request that holds these bytes through, and lose its answer together with the connection."""
        self._drop_after.append(to)

    def refuse(self) -> None:
        """Stop accepting and reset what is open, as a server that is gone does."""
        self._call(self._stop_listening())
        self.reset()

    def reset(self) -> None:
        """Reset every connection that is open now."""
        self._call(self._reset(list(self._connections)))

    def heal(self) -> None:
        """Be a good line again. A connection that lost bytes to a cut is reset: its stream is no stream any more."""
        self.latency_seconds, self.bytes_per_second, self.loss = 0.0, None, 0.0
        self._drop_after.clear()
        self._cut = frozenset()
        self._call(self._reset([one for one in self._connections if one.is_torn]))
        self._call(self._listen())

    def close(self) -> None:
        """End everything; nothing of it is left behind."""
        if self._loop.is_closed():
            return
        self._call(self._stop_listening())
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        self._line = self._line or {UP: asyncio.Lock(), DOWN: asyncio.Lock()}
        if self._server is None:
            self._server = await asyncio.start_server(self._welcome, LOOPBACK, self.port)

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _reset(self, connections: list[_Connection]) -> None:
        for one in connections:
            one.reset()

    async def _end(self) -> None:
        tasks = [task for one in self._connections for task in one.tasks]
        await self._reset(list(self._connections))
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            there = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            _hang_up(writer)
            return
        connection = _Connection(self, writer, there[1])
        self._connections.add(connection)
        connection.tasks = [
            asyncio.ensure_future(connection.carry(UP, reader, there[1])),
            asyncio.ensure_future(connection.carry(DOWN, there[0], writer)),
        ]
        await asyncio.gather(*connection.tasks, return_exceptions=True)
        self._connections.discard(connection)
        connection.hang_up()


class _Connection:
    """A client's connection and its other half to the server."""

    def __init__(self, line: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.is_torn = False
        self.tasks: list[asyncio.Future[None]] = []
        self._line = line
        self._ends = (client, server)
        self._loses_reply = False

    def reset(self) -> None:
        """End both halves at once."""
        self._line.resets += 1
        self.hang_up()
        for task in self.tasks:
            task.cancel()

    def hang_up(self) -> None:
        """Close both halves without a word more."""
        for end in self._ends:
            _hang_up(end)

    async def carry(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what comes, piece by piece in order, until an end closes; each piece as late as the line is then."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_PIECES_UNDER_WAY)
        sending = asyncio.ensure_future(self._send(way, pieces, writer))
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(PIECE):
                    if not self._lets_through(way, data):
                        continue
                    await pieces.put((asyncio.get_running_loop().time() + self._line.latency_seconds, data))
            await pieces.put((0.0, b""))
            await sending
        finally:
            sending.cancel()

    def _lets_through(self, way: str, data: bytes) -> bool:
        line = self._line
        if way in line._cut:
            line.swallowed[way] += len(data)
            self.is_torn = True
            return False
        if way == UP:
            self._look_for_request(data)
        elif self._loses_reply:
            line.dropped_replies += 1
            self.reset()
            return False
        if line.loss and line._random.random() < line.loss:
            self.reset()
            return False
        return True

    def _look_for_request(self, data: bytes) -> None:
        found = next((wanted for wanted in self._line._drop_after if wanted in data), None)
        if found is not None:
            self._line._drop_after.remove(found)
            self._loses_reply = True

    async def _send(self, way: str, pieces: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        line = self._line
        while True:
            due, data = await pieces.get()
            if not data:
                break
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            try:
                await self._write(way, data, writer)
            except OSError:
                return
            line.passed[way] += len(data)
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _write(self, way: str, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Write at the line's pace; all connections share one line, a little of each in turn."""
        line = self._line
        while data and line.bytes_per_second:
            async with line._line[way]:
                await asyncio.sleep(min(len(data), SLOW_PIECE) / (line.bytes_per_second or len(data)))
                writer.write(data[:SLOW_PIECE])
            data = data[SLOW_PIECE:]
        writer.write(data)
        await writer.drain()


def _hang_up(end: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, AttributeError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()


def broker_behind(folder: Path) -> tuple[Server, Proxy]:
    """Return a broker, not yet started, that sends its clients to the proxy, and the proxy (enter it first)."""
    port = any_free()
    server = broker_of_this_run(folder, more=f"advertised.listeners=PLAINTEXT://{LOOPBACK}:{port}")
    if not IS_REAL:
        place = server.command.index("--advertised-listener-url") + 1
        server.command[place] = f"tcp://{LOOPBACK}:{port}"
    return server, Proxy(server.port, port=port)
