"""A door in front of a real database: passes everything on, and answers some commands as another deployment would.

Speaks the wire protocol's two message forms (OP_MSG, and OP_QUERY for the first greeting). One thread per connection.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HEADER = struct.Struct("<iiii")


class Front:
    """Listens on a port of its own. `greets` is added to what `hello` says; `answers` are whole answers by command."""

    def __init__(
        self, port: int, *, greets: Mapping[str, object] | None = None, answers: Mapping[str, dict] | None = None
    ) -> None:
        self._behind = port
        self._greets = dict(greets or {})
        self._answers = dict(answers or {})
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._welcome, daemon=True)]
        self._threads[0].start()

    @property
    def uri(self) -> str:
        """How to connect: no streaming greetings, each question has one answer."""
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true&retryWrites=false&serverMonitoringMode=poll"

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._behind)) as server, contextlib.suppress(OSError):
            while message := _read(client):
                number, code, command = _command(message)
                name = next(iter(command), "")
                if name in self._answers:
                    client.sendall(_message(number, self._answers[name]))
                    continue
                server.sendall(message)
                answer = _read(server)
                client.sendall(self._greeting(answer, number, code) if name in ("hello", "ismaster") else answer)

    def _greeting(self, answer: bytes, number: int, code: int) -> bytes:
        if not self._greets:
            return answer
        start = HEADER.size + (20 if code == OP_QUERY else 5)
        said = {**bson.decode(answer[start:]), **self._greets}
        said = {name: value for name, value in said.items() if value is not None}
        return _reply(number, said) if code == OP_QUERY else _message(number, said)


def _read(connection: socket.socket) -> bytes:
    head = _exactly(connection, HEADER.size)
    return head + _exactly(connection, HEADER.unpack(head)[0] - HEADER.size) if head else b""


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            return b""
        got += part
    return got


def _command(message: bytes) -> tuple[int, int, dict]:
    """Return the request's number, its form and its command."""
    _, number, _, code = HEADER.unpack(message[: HEADER.size])
    if code == OP_MSG:
        return number, code, bson.decode(_first_document(message[HEADER.size + 5 :]))
    if code == OP_QUERY:
        rest = message[HEADER.size + 4 :]
        return number, code, bson.decode(_first_document(rest[rest.index(b"\0") + 1 + 8 :]))
    return number, code, {}


def _first_document(content: bytes) -> bytes:
    return content[: struct.unpack("<i", content[:4])[0]]


def _message(answers: int, document: Mapping[str, object]) -> bytes:
    return _framed(answers, OP_MSG, b"\0\0\0\0\0" + bson.encode(document))


def _reply(answers: int, document: Mapping[str, object]) -> bytes:
    return _framed(answers, OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(document))


def _framed(answers: int, code: int, content: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(content), 1, answers, code) + content
