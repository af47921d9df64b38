"""The indexes of the board's database: none beyond `_id`, because everything is found by `_id` or read whole.

Roll-ups are as many as buckets are (tens of thousands at most), publications a few a year.
"""

from __future__ import annotations

from pymongo.database import Database

from shared.storage.mongo import Document


def prepare(_: Database[Document]) -> None:
    """Make nothing: see the module."""
