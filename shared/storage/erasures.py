"""Which erasures a database has answered, and what of a stranger's writing it lets go of with each.

An employer's erasure reaches every service as one event. The same one again, from a replay or a rebuild, is answered
once: per employer and person the number of the last one answered is kept, opaque ids and nothing else.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

from shared.storage.mongo import Document, MongoDatabase
from shared.storage.unit_of_work import Work

ANSWERED: Final = "erasures_answered"
STRAYS: Final = "parked"
REPLIES: Final = "idempotency"


def prepare_replies(database: MongoDatabase, *, server_removes: bool = True) -> None:
    """Make the indexes of stored replies: they go after 400 days, and those about a thing are found.

    Without `server_removes` nobody removes them but `remove_expired_replies`. The local profile's database goes
    through every one of them once a minute for a server's removal, with everybody else waiting, and until the next
    time keeps all that is written in memory.
    """
    options: dict[str, Any] = {"expireAfterSeconds": 0} if server_removes else {}
    database[REPLIES].create_index("expires_at", name="expires_at", **options)
    database[REPLIES].create_index("about", name="about")


def make_way_for_expiry(database: MongoDatabase, *, server_removes: bool) -> None:
    """Take the index of another profile away: one name stands for one kind of index."""
    index = database[REPLIES].index_information().get("expires_at")
    if index is not None and ("expireAfterSeconds" in index) != server_removes:
        database[REPLIES].drop_index("expires_at")


def remove_expired_replies(database: MongoDatabase, now: datetime) -> int:
    """Remove the stored replies whose time is over, and return how many went."""
    return database[REPLIES].delete_many({"expires_at": {"$lt": now}}).deleted_count


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


def about(part: str) -> str:
    """Return how a stored reply names one part of its request's path: a hash, for a path may hold a reference."""
    return hashlib.sha256(part.encode()).hexdigest()


def forget_replies_about(work: Work, part: str) -> int:
    """Remove the stored replies to requests whose path has this part, and return how many went."""
    return work.rows(REPLIES).delete_many({"about": about(part)})
