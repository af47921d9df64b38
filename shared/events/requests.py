"""What a person asks the reader for: a replay of a parked key, or a rehearsal of one that changes nothing.

Lives here: the request as it is kept, asked for and shown. The reader that holds the feed answers it (`deciding.py`),
because it alone has the reactions and the epoch. A request stands until it was done; an answer stays to be read until
the next request for the key, or until nothing is parked under it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from shared.errors import NotFound
from shared.events.parking import waiting_of_key
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading, UnitOfWork, Work

REQUESTS: Final = "replay_requests"
ASKED: Final = "asked"
TRYING: Final = "trying"
"""Being done just now. One that a reader finds in this state and did not begin itself ended its predecessor."""
FAILED: Final = "failed"
REHEARSED: Final = "rehearsed"


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A replay that was asked for; `failed_at` and `code` say why it did not come to its end.

    `taken` says how many events it took before that: they stay taken. Of a rehearsal (`is_dry`) all of this says what
    would be, of the first `tried` of `waiting`.
    """

    feed: str
    key: str
    by: str
    reason: str
    state: str
    failed_at: int | None = None
    code: str | None = None
    is_dry: bool = False
    asked_at: datetime | None = None
    taken: int | None = None
    tried: int | None = None
    waiting: int | None = None

    @property
    def name(self) -> str:
        """Return the `_id` under which it is kept."""
        return name_of(self.feed, self.key, is_dry=self.is_dry)


def name_of(feed: str, key: str, *, is_dry: bool) -> str:
    """Return the `_id` of a request: one replay and one rehearsal per key of a feed."""
    return f"{feed}|{key}|rehearsal" if is_dry else f"{feed}|{key}"


def ask(work: Work, feed: str, key: str, *, by: str, reason: str, is_dry: bool = False) -> ReplayRequest:
    """Ask the reader to take what is parked under a key, in order, or only to say what would come of it.

    Raises:
        NotFound: Nothing waits under that key.
    """
    if not waiting_of_key(work, feed, key, most=1):
        raise NotFound("nothing waits under this key")
    name = name_of(feed, key, is_dry=is_dry)
    doc = {"feed": feed, "key": key, "by": by, "reason": reason, "state": ASKED, "at": work.now, "dry": is_dry}
    work.rows(REQUESTS).replace_one({"_id": name}, {"_id": name, **doc}, upsert=True)
    return _request(doc)


def ask_replay(
    unit: UnitOfWork, organisation: str, feed: str, key: str, *, by: str, reason: str, is_dry: bool = False
) -> None:
    """`ask` in a transaction of its own.

    Raises:
        NotFound: Nothing waits under that key.
    """
    unit.run(organisation, lambda work: ask(work, feed, key, by=by, reason=reason, is_dry=is_dry))


def forget_requests(work: Work, feed: str, key: str) -> None:
    """Forget what was asked for of a key of which nothing is parked any more."""
    for is_dry in (False, True):
        work.rows(REQUESTS).delete_one({"_id": name_of(feed, key, is_dry=is_dry)})


def requests_in(reading: Reading, feed: str | None = None) -> tuple[ReplayRequest, ...]:
    """Return the requests that wait or were answered, in no particular order; empty when there are none."""
    wanted = {} if feed is None else {"feed": feed}
    return tuple(_request(doc) for doc in reading.rows(REQUESTS).find(wanted))


def replay_requests(unit: UnitOfWork, organisation: str, feed: str | None = None) -> tuple[ReplayRequest, ...]:
    """Return `requests_in` an organisation's database."""
    return requests_in(unit.reading(organisation), feed)


def _request(doc: Document) -> ReplayRequest:
    return ReplayRequest(
        feed=doc["feed"],
        key=doc["key"],
        by=doc["by"],
        reason=doc["reason"],
        state=doc["state"],
        failed_at=doc.get("failed_at"),
        code=doc.get("code"),
        is_dry=doc.get("dry", False),
        asked_at=doc.get("at"),
        taken=doc.get("taken"),
        tried=doc.get("tried"),
        waiting=doc.get("waiting"),
    )
