"""`python -m tests.bench.peers`."""

from __future__ import annotations

import sys

from tests.bench.peers.main import main

sys.exit(main(sys.argv[1:]))
