"""How far the board's database has taken each feed, and how fresh the reader last found it.

Positions are the reader's own and move with the effects. What heartbeats tell stays with the reader's process, which
notes it in the collection `freshness` a few times a minute; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pymongo import ReplaceOne

from services.reporting.application.ports import FeedState
from shared.events.alarms import ALARMS, OPEN
from shared.events.envelope import GENESIS
from shared.events.heard import Heard
from shared.events.positions import POSITIONS
from shared.events.tally import Tally, differing, document_of, tally_from
from shared.storage.mongo import MongoDatabase
from shared.storage.unit_of_work import Reading

FRESHNESS = "freshness"


def feed_states(reading: Reading) -> tuple[FeedState, ...]:
    """Return the state of every feed that was read, in no particular order."""
    noted = {document["_id"]: document for document in reading.rows(FRESHNESS).find({})}
    stopped = {found["_id"]: found["kind"] for found in reading.rows(ALARMS).find({"state": OPEN})}
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
                is_other_partnership=fresh.get("other_partnership"),
                differences=_differences(document.get("tally"), fresh.get("totals")),
                stopped=stopped.get(document["_id"]),
            )
        )
    return tuple(states)


def note_states(
    database: MongoDatabase, states: Sequence[FeedState], told: Callable[[str], Heard | None] = lambda _: None
) -> None:
    """Note how fresh feeds are; none is fine. What owners told in their last heartbeats is noted beside it."""
    if states:
        database[FRESHNESS].bulk_write([_noting(state, told(state.feed)) for state in states])


def _noting(state: FeedState, told: Heard | None) -> ReplaceOne[dict[str, object]]:
    document: dict[str, object] = {
        "_id": state.feed,
        "taken": state.taken,
        "announced": state.announced,
        "heard_at": state.heard_at,
    }
    if told is not None:
        beat = told.heartbeat
        document["other_partnership"] = told.is_other_partnership
        document["totals"] = document_of(Tally(number=beat.feedseq, counts=beat.counts, credits=beat.credits))
    return ReplaceOne({"_id": state.feed}, document, upsert=True)


def _differences(counted: Mapping[str, object] | None, told: Mapping[str, object] | None) -> tuple[str, ...]:
    """Return in which figures what was counted here and what the owner told of the same number differ."""
    ours, theirs = tally_from(counted), tally_from(told)
    if ours is None or theirs is None or ours.number != theirs.number:
        return ()
    return tuple(str(one) for one in differing(ours, theirs))
