"""What one side of the benchmark is told, and what it says at the end: one line of JSON. Imports the standard library.

The clock runs from the first record that the side takes to its last commit; what starts and joins is not timed.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROC_STATUS = Path("/proc/self/status")
BATCH = 1000
"""How many rows one write has at most."""
SESSION_MILLISECONDS = 2000
HEARTBEAT_MILLISECONDS = 300
"""A short session: the local broker lets the first member of a group wait half of it. Nothing of it is timed."""
MOST_WAIT_MILLISECONDS = 20
"""How long the broker may hold a fetch back: the local one does not wake up when records come."""

LONGEST_SECONDS = 300
"""After this a side ends by itself, should whoever started it have been killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Read `events` events of `topic` and write them to `collection` of `database` at `mongodb_uri`."""

    servers: str
    topic: str
    group: str
    mongodb_uri: str
    database: str
    collection: str
    events: int


def errand() -> Errand:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser()
    for name in ("servers", "topic", "group", "mongodb-uri", "database", "collection"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--events", type=int, required=True)
    signal.alarm(LONGEST_SECONDS)
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    return Errand(**vars(parser.parse_args()))


class Meter:
    """Takes the time. `taken` at the first record, `wrote` after each write, `committed` after each commit."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._written = 0
        self._begun: tuple[float, float] | None = None
        self._ended = (0.0, 0.0)

    def taken(self) -> None:
        """Start the clock, if this is the first record."""
        if self._begun is None:
            self._begun = _now()

    def wrote(self, rows: int) -> None:
        """Count rows that are in the sink."""
        self._written += rows

    def committed(self) -> None:
        """Take the time: all that was written so far is committed too, as far as this side commits anything."""
        self._ended = _now()

    @property
    def is_done(self) -> bool:
        """Say whether everything was written."""
        return self._written >= self._events

    def tell(self) -> None:
        """Print the line."""
        assert self._begun is not None, "no record came"
        (wall, cpu), (wall_end, cpu_end) = self._begun, self._ended
        line = {
            "events": self._written,
            "seconds": wall_end - wall,
            "cpu_seconds": cpu_end - cpu,
            "peak_mebibytes": peak_mebibytes(),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def peak_mebibytes() -> float:
    """Return the most memory that this process ever had. Linux' own account: getrusage's begins with the parent's."""
    try:
        kibibytes = int(PROC_STATUS.read_text().partition("VmHWM:")[2].split()[0])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1_048_576 if sys.platform == "darwin" else 1024)
    return kibibytes / 1024


def _now() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), used.ru_utime + used.ru_stime
