"""`python -m services.assessment api | consume | relay | prepare`."""

from __future__ import annotations

import sys

from services.assessment.bootstrap import PARTS
from services.assessment.settings import SERVICE
from shared.process.run import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, PARTS))
