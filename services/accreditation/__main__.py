"""`python -m services.accreditation api | consume | relay | worker | prepare`."""

from __future__ import annotations

import sys

from services.accreditation.bootstrap import PARTS
from services.accreditation.settings import SERVICE
from shared.process.run import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, PARTS))
