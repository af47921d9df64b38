"""How far the board's database has taken each feed, and how fresh the reader last found it.

Positions are the reader's own and move with the effects. What heartbeats tell stays with the reader's process, which
notes it in the collection `freshness` a few times a minute; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReplaceOne

from services.reporting.application.ports import FeedState
from shared.events.envelope import GENESIS
from shared.events.positions import POSITIONS
from shared.storage.mongo import MongoDatabase
from shared.storage.unit_of_work import Reading

FRESHNESS = "freshness"


def feed_states(reading: Reading) -> tuple[FeedState, ...]:
    """Return the state of every feed that was read, in no particular order."""
    noted = {document["_id"]: document for document in reading.rows(FRESHNESS).find({})}
    states = []
    for document in reading.rows(POSITIONS).find({}):
        fresh = noted.get(document["_id"], {})
        states.append(
            FeedState(
                feed=document["_id"],
                number=document["number"],
                head=None if document["head"] == GENESIS else document["head"],
                taken=fresh.get("taken", 0),
                announced=fresh.get("announced"),
                heard_at=fresh.get("heard_at"),
            )
        )
    return tuple(states)


def note_states(database: MongoDatabase, states: Sequence[FeedState]) -> None:
    """Note how fresh feeds are; none is fine."""
    if states:
        database[FRESHNESS].bulk_write([_noting(state) for state in states])


def _noting(state: FeedState) -> ReplaceOne[dict[str, object]]:
    document: dict[str, object] = {
        "_id": state.feed,
        "taken": state.taken,
        "announced": state.announced,
        "heard_at": state.heard_at,
    }
    return ReplaceOne({"_id": state.feed}, document, upsert=True)
