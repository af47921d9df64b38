"""Which erasures a database has answered, and what of a stranger's writing it lets go of with each.

An employer's erasure reaches every service as one event. The same one again, from a replay or a rebuild, is answered
once: per employer and person the number of the last one answered is kept, opaque ids and nothing else.
"""

from __future__ import annotations

from typing import Final

from shared.storage.mongo import Document
from shared.storage.unit_of_work import Work

ANSWERED: Final = "erasures_answered"
STRAYS: Final = "parked"


def is_news(work: Work, employer: str, practitioner_id: str, number: int) -> bool:
    """Return whether the erasure that the employer's feed has at `number` is still to be answered, and keep that.

    With every new one the contents of what lies parked without a number go as well: nobody can replay such a record,
    and whoever wrote it onto the wrong topic may have written names. Its size, hash and reason stay.
    """
    rows = work.rows(ANSWERED)
    name = f"{employer}/{practitioner_id}"
    known = rows.find_one({"_id": name})
    if known is not None and known["number"] >= number:
        return False
    rows.replace_one({"_id": name}, {"_id": name, "number": number, "at": work.now}, upsert=True)
    forget_strays(work)
    return True


def forget_strays(work: Work) -> int:
    """Empty what is parked without a number and return how many of those there are."""
    emptied: Document = {"raw_key": None, "raw_value": None, "raw_headers": []}
    return work.rows(STRAYS).update_many({"number": None, "raw_headers": {"$ne": []}}, {"$set": emptied})
