"""Runs the NULL sink on the loopback port that is named (`serving.py`)."""

from __future__ import annotations

import sys

from tests.bench.null_sink.memory import Memory
from tests.bench.null_sink.serving import run

if __name__ == "__main__":
    run(Memory(), int(sys.argv[1]))
