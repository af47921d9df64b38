"""The NULL sink of this benchmark: the benchmark's own, which counts rows, and adds their serials up besides.

A process of its own (`python -m tests.bench.peers.null_sink PORT`). What it counted, the command `tally` says.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import bson

from tests.bench.null_sink.memory import Memory
from tests.bench.null_sink.serving import run

EFFECTS = "effects"
INT = struct.Struct("<i")
AT_SERIAL = 4 + len(b"\x02_id\0") + 4 + 36 + 1
"""Where the second element of a row stands: behind its length and an `_id` of 36 letters."""
SERIAL = b"\x10serial\0"


class AddingMemory(Memory):
    """Counts and adds up what is written to `effects`; everything else is as the benchmark's sink answers it."""

    def __init__(self) -> None:
        super().__init__()
        self._tallies: dict[str, tuple[int, int]] = {}

    def answer(self, command: dict[str, Any], sequences: Mapping[str, list[bytes]]) -> dict[str, Any]:
        """Return the reply to one command."""
        verb = next(iter(command))
        if verb == "tally":
            count, total = self._tallies.get(command["$db"], (0, 0))
            return {"count": count, "sum": total, "ok": 1.0}
        if verb != "insert" or command[verb] != EFFECTS:
            return super().answer(command, sequences)
        given = command.get("documents") or ()
        serials = [document["serial"] for document in given] + [
            serial_of(raw) for raw in sequences.get("documents", ())
        ]
        count, total = self._tallies.get(command["$db"], (0, 0))
        self._tallies[command["$db"]] = (count + len(serials), total + sum(serials))
        return {"n": len(serials), "ok": 1.0}


def serial_of(raw: bytes) -> int:
    """Return a row's serial; where it is the first thing behind the `_id`, without decoding the row."""
    if raw[AT_SERIAL : AT_SERIAL + len(SERIAL)] == SERIAL:
        return int(INT.unpack_from(raw, AT_SERIAL + len(SERIAL))[0])
    return int(bson.decode(raw)["serial"])


def main(arguments: Sequence[str]) -> None:
    """Serve on the port that is named."""
    run(AddingMemory(), int(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
