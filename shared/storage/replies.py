"""The stored replies to requests, in one database: how long they stand, who removes them, which go before.

What makes a reply and gives it again is HTTP's (`shared/http/idempotency.py`). Must not live here: requests, statuses,
what a reply says.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from shared.storage.mongo import MongoDatabase
from shared.storage.unit_of_work import Work

REPLIES: Final = "idempotency"
KEPT: Final = timedelta(days=400)
_EXPIRY: Final = "expires_at"


def prepare_replies(database: MongoDatabase, *, server_removes: bool = True) -> None:
    """Make the indexes: by the time when replies go, and by what they are about.

    With `server_removes` the server removes them when their time is over. The local profile's database would go through
    every one of them once a minute for that, with everybody else waiting, and until the next time keep all that is
    written in memory; there `renew_replies` removes them.
    """
    options: dict[str, Any] = {"expireAfterSeconds": 0} if server_removes else {}
    database[REPLIES].create_index(_EXPIRY, name=_EXPIRY, **options)
    database[REPLIES].create_index("about", name="about")


def renew_replies(database: MongoDatabase, now: datetime, *, server_removes: bool) -> None:
    """Make the indexes of this profile where another's may stand, and remove what nobody else does.

    One name stands for one kind of index: the other profile's goes first.
    """
    index = database[REPLIES].index_information().get(_EXPIRY)
    if index is not None and ("expireAfterSeconds" in index) != server_removes:
        database[REPLIES].drop_index(_EXPIRY)
    prepare_replies(database, server_removes=server_removes)
    if not server_removes:
        database[REPLIES].delete_many({_EXPIRY: {"$lt": now}})


def about(part: str) -> str:
    """Return how a stored reply names one part of its request's path: a hash, for a path may hold a reference."""
    return hashlib.sha256(part.encode()).hexdigest()


def forget_replies_about(work: Work, part: str) -> int:
    """Remove the stored replies to requests whose path has this part, and return how many went."""
    return work.rows(REPLIES).delete_many({"about": about(part)})
