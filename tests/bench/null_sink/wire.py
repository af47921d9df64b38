"""MongoDB's wire protocol as far as the driver uses it: OP_MSG, and OP_QUERY for the first greeting. No compression."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions

from tests.bench.null_sink.memory import Document, Memory, Refused

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
HEADER: Final = struct.Struct("<iiii")
INT: Final = struct.Struct("<i")
MORE_TO_COME: Final = 2
CHECKSUM: Final = 1
OPTIONS: Final = CodecOptions(tz_aware=True)
GREETINGS: Final = frozenset({"hello", "ismaster", "isMaster"})


class Connection(asyncio.Protocol):
    """One client's connection: takes requests apart, has them answered, in order."""

    def __init__(self, memory: Memory, address: str) -> None:
        self._memory = memory
        self._address = address
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        received = self._received
        received += data
        while len(received) >= HEADER.size:
            length, request, _, kind = HEADER.unpack_from(received)
            if len(received) < length:
                return
            message = bytes(received[HEADER.size : length])
            del received[:length]
            self._answer(request, kind, message)

    def _answer(self, request: int, kind: int, message: bytes) -> None:
        if kind == OP_QUERY:
            head = struct.pack("<iqii", 8, 0, 0, 1)
            self._send(request, OP_REPLY, head + bson.encode(self._greeting()))
            return
        flags, command, sequences = taken_apart(message)
        reply = self._reply(command, sequences)
        if not flags & MORE_TO_COME:
            self._send(request, OP_MSG, INT.pack(0) + b"\0" + bson.encode(reply))

    def _reply(self, command: Document, sequences: dict[str, list[bytes]]) -> Document:
        if GREETINGS & command.keys():
            return self._greeting()
        try:
            return self._memory.answer(command, sequences)
        except Refused as error:
            return {"ok": 0.0, "errmsg": str(error), "code": 59, "codeName": "CommandNotFound"}

    def _send(self, request: int, kind: int, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(HEADER.pack(HEADER.size + len(body), 0, request, kind) + body)

    def _greeting(self) -> Document:
        return {
            "helloOk": True,
            "isWritablePrimary": True,
            "ismaster": True,
            "setName": "null",
            "hosts": [self._address],
            "me": self._address,
            "primary": self._address,
            "maxBsonObjectSize": 16 * 1024 * 1024,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
            "minWireVersion": 0,
            "maxWireVersion": 25,
            "ok": 1.0,
        }


def taken_apart(message: bytes) -> tuple[int, Document, dict[str, list[bytes]]]:
    """Return an OP_MSG's flags, its command, and the raw documents that were sent beside it, by their argument."""
    flags = INT.unpack_from(message)[0]
    end = len(message) - (4 if flags & CHECKSUM else 0)
    command: dict[str, Any] = {}
    sequences: dict[str, list[bytes]] = {}
    at = INT.size
    while at < end:
        size = INT.unpack_from(message, at + 1)[0]
        if message[at] == 0:
            command = bson.decode(message[at + 1 : at + 1 + size], OPTIONS)
        else:
            name_end = message.index(b"\0", at + 5)
            name = message[at + 5 : name_end].decode()
            sequences[name] = raw_documents(message, name_end + 1, at + 1 + size)
        at += 1 + size
    return flags, command, sequences


def raw_documents(message: bytes, at: int, end: int) -> list[bytes]:
    """Return the documents that stand one after the other, undecoded."""
    found = []
    while at < end:
        size = INT.unpack_from(message, at)[0]
        found.append(message[at : at + size])
        at += size
    return found
