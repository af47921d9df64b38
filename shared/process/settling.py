"""What a process sets once all is built in it: what the collector looks through, and how its threads take turns.

Python's collector goes through everything that is kept again and again, for what is in a circle and no longer used.
Of modules, schemas and applications nothing ever is; a reader with a backlog spent a quarter of its CPU on looking.
Two threads that both compute change turns after 5 milliseconds, which one of them waits for each answer of a database.
Must not live here: what is set by the environment (`settings.py`), and anything that is undone again.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

TURN_SECONDS: Final = 0.0005


def settle() -> None:
    """Look for garbage once, and never again among what is kept now; let threads take short turns from now on."""
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(TURN_SECONDS)
