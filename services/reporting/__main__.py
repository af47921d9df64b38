"""`python -m services.reporting api | consume | relay | prepare`."""

from __future__ import annotations

import sys

from services.reporting.bootstrap import PARTS
from services.reporting.settings import SERVICE
from shared.process.run import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, PARTS))
