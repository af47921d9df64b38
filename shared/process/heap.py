"""What a process that has started keeps for good, and the search for garbage.

Python's collector goes through everything that is kept again and again, for what is in a circle and no longer used.
Of modules, schemas and applications nothing ever is; a reader with a backlog spent a quarter of its CPU on looking.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """Look once, and never again at what is kept now. To be called when all is built, in the process that uses it."""
    gc.collect()
    gc.freeze()
