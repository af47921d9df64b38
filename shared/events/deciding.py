"""What a person decides about parked records: discard one with a reason, or have a key replayed in order.

A discard happens at once. A replay is asked for here and done by the reader that holds the feed, because it alone has
the reactions and the epoch; it happens within a quarter of a minute, in the feed's order, and either the whole key is
free afterwards or the request says at which number it failed. Both are audited. Who may decide is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog
from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, NotFound
from shared.events.parking import DISCARDED, PARKED, REPLAYED, WAITING, decide, next_in, waiting_of_key
from shared.events.positions import POSITIONS, PositionMoved, move
from shared.events.reading_batch import BatchWriter, EventFailed, react
from shared.events.routing import Routed, Router
from shared.storage.mongo import Document
from shared.storage.unit_of_work import UnitOfWork, Work

log = structlog.get_logger(__name__)

REQUESTS: Final = "replay_requests"
ASKED: Final = "asked"
FAILED: Final = "failed"
MOST_PER_TRANSACTION: Final = 50


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A replay that was asked for; `failed_at` and `code` say why it did not happen."""

    feed: str
    key: str
    by: str
    reason: str
    state: str
    failed_at: int | None = None
    code: str | None = None


def ask_replay(unit: UnitOfWork, organisation: str, feed: str, key: str, *, by: str, reason: str) -> None:
    """Ask the reader to take what is parked under a key, in order.

    Raises:
        NotFound: Nothing waits under that key.
    """

    def write(work: Work) -> None:
        if not waiting_of_key(work, feed, key):
            raise NotFound("nothing waits under this key")
        doc = {"feed": feed, "key": key, "by": by, "reason": reason, "state": ASKED, "at": work.now}
        name = f"{feed}|{key}"
        work.rows(REQUESTS).replace_one({"_id": name}, {"_id": name, **doc}, upsert=True)

    unit.run(organisation, write)


def replay_requests(unit: UnitOfWork, organisation: str, feed: str | None = None) -> tuple[ReplayRequest, ...]:
    """Return the replays that wait or failed, in no particular order; empty when there are none."""
    wanted = {} if feed is None else {"feed": feed}
    return tuple(_request(doc) for doc in unit.reading(organisation).rows(REQUESTS).find(wanted))


def discard(unit: UnitOfWork, organisation: str, identifier: str, *, by: str, reason: str) -> None:
    """Give up one parked record for good; every rebuild skips it. Its key is free when nothing else waits under it.

    Raises:
        NotFound: Nothing waits under that id.
    """

    def write(work: Work) -> None:
        doc = work.rows(PARKED).find_one({"_id": identifier, "state": WAITING})
        if doc is None:
            raise NotFound("nothing waits under this id")
        decide(work, doc, DISCARDED, by=by, reason=reason)
        if doc["number"] is not None and not waiting_of_key(work, doc["feed"], doc["key"]):
            _free(work, doc["feed"], doc["key"])

    unit.run(organisation, write)
    log.info("parked.discarded", organisation=organisation, parked_id=identifier, by=by)


def replay_asked(writer: BatchWriter, router: Router, requests: Sequence[ReplayRequest]) -> int:
    """Replay what was asked for, in the reader's own transactions; return how many events were taken.

    Raises:
        Unavailable: The database does not answer.
        Fenced: Another reader has taken over.
    """
    return sum(_replay(writer, router, request) for request in requests if request.state == ASKED)


def _replay(writer: BatchWriter, router: Router, request: ReplayRequest) -> int:
    taken = 0
    try:
        while True:
            done, is_over = _replay_some(writer, router, request)
            taken += done
            if is_over:
                log.info("parked.replayed", feed=request.feed, count=taken, by=request.by)
                return taken
    except PositionMoved:
        writer.reload()
    except EventFailed as failed:
        _mark_failed(writer, request, failed.number, failed.reason)
    except ConcurrentChange:
        _mark_failed(writer, request, None, "natural-key-conflict")
    except PyMongoError as error:
        _mark_failed(writer, request, None, f"bug:{type(error).__name__}")
    return taken


def _replay_some(writer: BatchWriter, router: Router, request: ReplayRequest) -> tuple[int, bool]:
    old = writer.position
    outcome: list[tuple[int, bool]] = []
    freed = tuple(key for key in old.blocked if key != request.key)
    new = msgspec.structs.replace(old, blocked=freed)

    def take(work: Work) -> None:
        outcome.clear()
        waiting = waiting_of_key(work, request.feed, request.key)
        part = waiting[:MOST_PER_TRANSACTION]
        is_over = len(part) == len(waiting)
        move(work, old, new if is_over else old)
        for doc in part:
            _replay_one(work, router.route(next_in(doc)), writer.organisation)
            decide(work, doc, REPLAYED, by=request.by, reason=request.reason)
        if is_over:
            work.rows(REQUESTS).delete_one({"_id": f"{request.feed}|{request.key}"})
        outcome.append((len(part), is_over))

    writer.commit(take)
    done, is_over = outcome[-1]
    if is_over:
        writer.position = new
    return done, is_over


def _replay_one(work: Work, event: Routed, organisation: str) -> None:
    if event.fault is not None:
        raise EventFailed(event.number, event.fault)
    if organisation in event.takers:
        react(work, event)


def _mark_failed(writer: BatchWriter, request: ReplayRequest, number: int | None, code: str) -> None:
    """Keep word of why a replay did not happen; nothing of it was committed."""
    log.warning("parked.replay_failed", feed=request.feed, number=number, code=code)
    name = f"{request.feed}|{request.key}"
    change = {"$set": {"state": FAILED, "failed_at": number, "code": code}}
    writer.commit(_updating(name, change))


def _updating(name: str, change: Document) -> Callable[[Work], None]:
    def write(work: Work) -> None:
        work.rows(REQUESTS).update_one({"_id": name}, change)

    return write


def _free(work: Work, feed: str, key: str) -> None:
    rows = work.rows(POSITIONS)
    position = rows.find_one({"_id": feed})
    if position is not None:
        blocked = [other for other in position["blocked"] if other != key]
        rows.update_one({"_id": feed}, {"$set": {"blocked": blocked, "decisions": position["decisions"] + 1}})


def _request(doc: Document) -> ReplayRequest:
    return ReplayRequest(
        feed=doc["feed"],
        key=doc["key"],
        by=doc["by"],
        reason=doc["reason"],
        state=doc["state"],
        failed_at=doc.get("failed_at"),
        code=doc.get("code"),
    )
