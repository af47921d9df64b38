"""What the reader does because a person asked: take a parked key in order, or rehearse that and change nothing.

A replay is asked for elsewhere (`requests.py`) and done here by the reader that holds the feed, because it alone has
the reactions and the epoch; it happens within a quarter of a minute, in the feed's order, 50 events in a transaction.
Either the whole key is free afterwards, or the request says at which number it failed and how many were taken before:
those stay taken, and the rest waits. A rehearsal runs the same reactions in a transaction
that is rolled back, and leaves its answer in the request. A request that ends the reader's process is not tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog
from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, Forbidden, Malformed
from shared.events.attempts import KILLED
from shared.events.discarding import discard
from shared.events.parking import REPLAYED, decide, next_in, waiting_of_key
from shared.events.positions import PositionMoved, move
from shared.events.reacting import EventFailed, react
from shared.events.reading_batch import BatchWriter
from shared.events.requests import (
    ASKED,
    FAILED,
    REHEARSED,
    REQUESTS,
    TRYING,
    ReplayRequest,
    ask_replay,
    forget_requests,
    replay_requests,
)
from shared.events.routing import Routed, Router
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Work

__all__ = ["ReplayRequest", "ask_replay", "discard", "replay_asked", "replay_requests"]

log = structlog.get_logger(__name__)

MOST_PER_TRANSACTION: Final = 50


def replay_asked(writer: BatchWriter, router: Router, requests: Sequence[ReplayRequest]) -> int:
    """Do what was asked for, in the reader's own transactions; return how many events were taken.

    Raises:
        Unavailable: The database does not answer.
        Fenced: Another reader has taken over.
    """
    taken = 0
    for request in requests:
        if request.state == TRYING and request.name not in writer.trying:
            _answer(writer, request, {"state": FAILED, "code": KILLED})
        elif request.state in (ASKED, TRYING):
            taken += _begin(writer, router, request)
    return taken


def _begin(writer: BatchWriter, router: Router, request: ReplayRequest) -> int:
    """Do one request, marked so that a reader which ends over it does not begin it again for ever."""
    writer.commit(_updating(request.name, {"$set": {"state": TRYING}}))
    writer.trying.add(request.name)
    if request.is_dry:
        _answer(writer, request, rehearse(writer, router, request))
        return 0
    return _replay(writer, router, request)


def rehearse(writer: BatchWriter, router: Router, request: ReplayRequest) -> Document:
    """Return what a replay would do: how many events it would take, where it would fail and why. Nothing is kept.

    Only the first 50 events are tried, as many as a replay takes in one transaction: what comes after them builds on
    what those would have left.
    """
    state = {"taken": 0, "tried": 0, "waiting": 0}
    at: list[int | None] = [None]

    def attempt(work: Work) -> None:
        waiting = waiting_of_key(work, request.feed, request.key)
        part = waiting[:MOST_PER_TRANSACTION]
        state.update(taken=0, tried=len(part), waiting=len(waiting))
        for doc in part:
            at[0] = doc["number"]
            _replay_one(work, router.route(next_in(doc)), writer)
            state["taken"] += 1
        at[0] = None

    code = None
    try:
        writer.rehearse(attempt)
    except EventFailed as failed:
        code = failed.reason
    except ConcurrentChange:
        code = "natural-key-conflict"
    except (Malformed, Forbidden) as error:
        code = f"emitted:{error.slug}"
    except PyMongoError as error:
        code = f"bug:{type(error).__name__}"
    log.info("parked.rehearsed", feed=request.feed, count=state["taken"], code=code)
    return {"state": REHEARSED, **state, "code": code, "failed_at": at[0]}


def _replay(writer: BatchWriter, router: Router, request: ReplayRequest) -> int:
    taken = 0
    try:
        while True:
            done, is_over = _replay_some(writer, router, request)
            taken += done
            if is_over:
                writer.trying.discard(request.name)
                log.info("parked.replayed", feed=request.feed, count=taken)
                return taken
    except PositionMoved:
        writer.reload()
    except EventFailed as failed:
        _fail(writer, request, failed.number, failed.reason, taken)
    except ConcurrentChange:
        _fail(writer, request, None, "natural-key-conflict", taken)
    except (Malformed, Forbidden) as error:
        _fail(writer, request, None, f"emitted:{error.slug}", taken)
    except PyMongoError as error:
        _fail(writer, request, None, f"bug:{type(error).__name__}", taken)
    return taken


def _replay_some(writer: BatchWriter, router: Router, request: ReplayRequest) -> tuple[int, bool]:
    old = writer.position
    outcome: list[tuple[int, bool]] = []
    freed = tuple(key for key in old.blocked if key != request.key)
    new = msgspec.structs.replace(old, blocked=freed)

    def take(work: Work) -> None:
        outcome.clear()
        waiting = waiting_of_key(work, request.feed, request.key, most=MOST_PER_TRANSACTION + 1)
        part = waiting[:MOST_PER_TRANSACTION]
        is_over = len(part) == len(waiting)
        move(work, old, new if is_over else old)
        for doc in part:
            _replay_one(work, router.route(next_in(doc)), writer)
            decide(work, doc, REPLAYED, by=request.by, reason=request.reason)
        if is_over:
            forget_requests(work, request.feed, request.key)
        outcome.append((len(part), is_over))

    writer.commit(take)
    done, is_over = outcome[-1]
    if is_over:
        writer.position = new
    return done, is_over


def _replay_one(work: Work, event: Routed, writer: BatchWriter) -> None:
    if event.fault is not None:
        raise EventFailed(event.number, event.fault)
    if writer.organisation in event.takers:
        react(work, event, writer.identifiers(event))


def _fail(writer: BatchWriter, request: ReplayRequest, number: int | None, code: str, taken: int) -> None:
    """Keep word of why a replay did not come to its end; nothing of its last transaction was committed.

    Of a key with more than `MOST_PER_TRANSACTION` events earlier transactions may have been: `taken` of them.
    """
    log.warning("parked.replay_failed", feed=request.feed, number=number, code=code, count=taken)
    _answer(writer, request, {"state": FAILED, "failed_at": number, "code": code, "taken": taken})


def _answer(writer: BatchWriter, request: ReplayRequest, answer: Document) -> None:
    writer.commit(_updating(request.name, {"$set": answer}))
    writer.trying.discard(request.name)


def _updating(name: str, change: Document) -> Callable[[Work], None]:
    def write(work: Work) -> None:
        work.rows(REQUESTS).update_one({"_id": name}, change)

    return write
