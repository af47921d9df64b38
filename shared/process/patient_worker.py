"""gunicorn's sync worker, patient: it takes a request up when all of it is there, and waits for nobody in between.

A sync worker serves one connection at a time, so whoever sends slowly, says nothing, or does not hang up after the
reply keeps everybody else waiting. Here such connections wait beside each other: each costs a file descriptor and what
it sent so far (64 KiB at most), has seconds to go on, and is hung up on after them. What is longer than 64 KiB is
handed over when that much is there; the rest is read as the view asks for it, under the same allowance. Requests are
parsed and answered by gunicorn alone; what stands here only looks for where one ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
from dataclasses import dataclass, field
from typing import Any, Final

from gunicorn import util
from gunicorn.workers.sync import SyncWorker

from shared.clock import SystemClock

HELD: Final = 2**16
"""So many bytes of a request are waited for; the forms and JSON of daily work are shorter."""
MOST_WAITING: Final = 500
"""So many connections wait at once in one worker; one more, and the one that has waited longest is hung up on."""
ALLOWANCE_SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 32_000
"""A client may let us wait for ten seconds, and for as long as these bytes take: a slow line, never a standstill."""
LINGER_SECONDS: Final = 2.0
SEND_SECONDS: Final = 25.0
"""For each part of a reply; less than gunicorn's own `timeout`, which would end the worker."""
TURN_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 8.0
"""How long a worker that was told to end still answers whom it had let in; less than gunicorn's `graceful_timeout`."""

_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_CONTINUE: Final = re.compile(rb"\r\nexpect[ \t]*:", re.IGNORECASE)
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")
_SIZE: Final = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]*\r\n")
_clock = SystemClock()


@dataclass(slots=True)
class Arrival:
    """What has arrived of a request, and where it will end."""

    received: bytearray = field(default_factory=bytearray)
    _at: int = 0
    _end: int | None = None
    _is_chunked: bool = False

    def is_whole(self) -> bool:
        """Return whether nothing more is to come.

        What is no request is whole as well, so that it is refused at once; so is one whose sender waits to be told
        to go on, and one that is too long to be waited for.
        """
        if len(self.received) >= HELD:
            return True
        if self._end is None and not self._is_chunked and not self._read_head():
            return False
        return self._has_last_chunk() if self._is_chunked else len(self.received) >= (self._end or 0)

    def _read_head(self) -> bool:
        """Return whether the head is there, and remember what it says of the body."""
        found = self.received.find(_END, max(self._at - len(_END), 0))
        self._at = len(self.received)
        if found < 0:
            return False
        fields, self._at = self.received[: found + 2], found + len(_END)
        lengths = _LENGTH.findall(fields)
        self._is_chunked = bool(_CHUNKED.search(fields)) and not lengths and not _CONTINUE.search(fields)
        is_told = len(lengths) == 1 and _DIGITS.fullmatch(lengths[0]) and not _CONTINUE.search(fields)
        self._end = self._at + (int(lengths[0]) if is_told else 0)
        return True

    def _has_last_chunk(self) -> bool:
        while found := _SIZE.match(self.received, self._at):
            size = int(found[1], 16)
            if size == 0:
                return self.received.startswith(b"\r\n", found.end()) or self.received.find(_END, found.end()) >= 0
            self._at = found.end() + size + 2
        return self.received.find(b"\r\n", self._at) >= 0  # no size: refused


@dataclass(frozen=True, slots=True)
class ClosedDoor:
    """What is left of a listener that is closed: requests that came in by it ask for its address."""

    address: Any

    def getsockname(self) -> Any:  # noqa: ANN401 - as a socket says it
        """Return the address that was listened on."""
        return self.address


class Connection:
    """A client's connection: what has arrived, and in front of gunicorn the socket that it reads and answers on.

    When gunicorn closes it all is answered; the worker hangs up when the client does, or a little later.
    """

    def __init__(self, client: socket.socket, address: Any, listener: Any, heartbeat: Any) -> None:  # noqa: ANN401 - gunicorn's
        self.client = client
        self.address = address
        self.listener = listener
        self.arrival = Arrival()
        self.until = _clock.monotonic() + ALLOWANCE_SECONDS
        self.is_answered = False
        self._heartbeat = heartbeat
        self._taken = 0
        self._allowed = ALLOWANCE_SECONDS

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else gunicorn asks of a socket
        """Let the socket answer."""
        return getattr(self.client, name)

    def take(self) -> bool:
        """Take what is there without waiting, and return whether the request can be handed over.

        Raises:
            BlockingIOError: there is more to come.
            OSError: the connection is broken.
        """
        while data := self.client.recv(HELD):
            self.arrival.received += data
            self.until += len(data) / BYTES_PER_SECOND
            if self.arrival.is_whole():
                return True
        return True

    def recv(self, size: int) -> bytes:
        """Return what was received already, then what comes, for as long as its sender may let us wait.

        Raises:
            TimeoutError: that is over.
        """
        if self.is_answered:
            return b""
        if self._taken < len(self.arrival.received):
            data = bytes(self.arrival.received[self._taken : self._taken + size])
            self._taken += len(data)
            return data
        self._heartbeat()
        began = _clock.monotonic()
        self.client.settimeout(max(self._allowed, 0.001))
        data = self.client.recv(size)
        earned = len(data) / BYTES_PER_SECOND + began - _clock.monotonic()
        self._allowed = min(ALLOWANCE_SECONDS, self._allowed + earned)
        self.client.settimeout(SEND_SECONDS)
        return data

    def shutdown(self, how: int) -> None:
        """Tell the client that the reply ends here; nobody waits for it to hang up."""
        self.is_answered = True
        self.client.shutdown(how)

    def close(self) -> None:
        """Leave the rest to the worker."""
        self.is_answered = True


class PatientWorker(SyncWorker):  # type: ignore[misc] # gunicorn tells no types
    """Serves one request after the other, each when it is there."""

    def run(self) -> None:
        """Serve until told to end; then what has begun to arrive is still served for a moment."""
        self._waiting: dict[Connection, None] = {}
        with selectors.DefaultSelector() as self._poller:
            self._poller.register(self.PIPE[0], selectors.EVENT_READ)
            for listener in self.sockets:
                listener.settimeout(0)
                self._poller.register(listener, selectors.EVENT_READ, listener)
            while self.alive and self.is_parent_alive():
                self._turn(TURN_SECONDS)
            self._close_the_door()
            until = _clock.monotonic() + DRAIN_SECONDS
            while any(not one.is_answered for one in self._waiting) and _clock.monotonic() < until:
                self._turn(LINGER_SECONDS / 10)
            for connection in list(self._waiting):
                self._hang_up(connection)

    def _close_the_door(self) -> None:
        """Take in whom the kernel has let in already, then let nobody in: who comes now is refused, not cut off."""
        for listener in self.sockets:
            door = ClosedDoor(listener.getsockname())
            self._poller.unregister(listener)
            while len(self._waiting) < MOST_WAITING and self._take_in(listener) is not None:
                continue
            listener.close()  # at once: whom the kernel lets in between is cut off
            for connection in self._waiting:
                connection.listener = door if connection.listener is listener else connection.listener
        soon = _clock.monotonic() + LINGER_SECONDS
        for connection in self._waiting:
            connection.until = min(connection.until, soon)

    def _turn(self, seconds: float) -> None:
        self.notify()
        for key, _ in self._poller.select(seconds):
            if isinstance(key.data, Connection):
                self._go_on(key.data)
            elif key.data is not None:
                self._welcome(key.data)
            else:
                os.read(self.PIPE[0], 64)
        now = _clock.monotonic()
        for connection in [one for one in self._waiting if one.until < now]:
            self._hang_up(connection)

    def _welcome(self, listener: Any) -> None:  # noqa: ANN401 - gunicorn's own socket
        if len(self._waiting) >= MOST_WAITING:
            self._hang_up(next(iter(self._waiting)))
        connection = self._take_in(listener)
        if connection is not None:
            self._go_on(connection)

    def _take_in(self, listener: Any) -> Connection | None:  # noqa: ANN401 - gunicorn's own socket
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None  # another worker was quicker, or the client has gone
        client.settimeout(0)
        util.close_on_exec(client)
        connection = Connection(client, address, listener, self.notify)
        self._waiting[connection] = None
        self._poller.register(client, selectors.EVENT_READ, connection)
        return connection

    def _go_on(self, connection: Connection) -> None:
        """Take what has come; answer where the request is there, hang up where the client did."""
        if connection not in self._waiting:
            return  # hung up on in this very turn
        try:
            if connection.is_answered:
                if not connection.client.recv(HELD):
                    self._hang_up(connection)
            elif connection.take():
                self._answer(connection)
        except BlockingIOError:
            return
        except OSError:
            self._hang_up(connection)

    def _answer(self, connection: Connection) -> None:
        self.notify()
        began = _clock.monotonic()
        connection.client.settimeout(SEND_SECONDS)
        self.handle(connection.listener, connection, connection.address)
        connection.client.settimeout(0)
        connection.arrival = Arrival()
        now = _clock.monotonic()
        for other in self._waiting:
            other.until += now - began  # what they sent meanwhile nobody has looked at yet
        connection.until = now + LINGER_SECONDS

    def _hang_up(self, connection: Connection) -> None:
        del self._waiting[connection]
        with contextlib.suppress(KeyError, ValueError):
            self._poller.unregister(connection.client)
        connection.client.close()
