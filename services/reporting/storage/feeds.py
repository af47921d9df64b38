"""How far the board's database has taken each feed, read from where the reader keeps its positions."""

from __future__ import annotations

from services.reporting.application.ports import FeedState
from shared.events.envelope import GENESIS
from shared.events.positions import POSITIONS
from shared.storage.unit_of_work import Reading


def feed_states(reading: Reading) -> tuple[FeedState, ...]:
    """Return the state of every feed that was read, in no particular order.

    What a feed's last heartbeat said stays with the reader's process, so nothing is announced here.
    """
    return tuple(
        FeedState(
            feed=document["_id"],
            number=document["number"],
            head=None if document["head"] == GENESIS else document["head"],
            announced=document.get("announced"),
            heard_at=document.get("heard_at"),
        )
        for document in reading.rows(POSITIONS).find({})
    )
