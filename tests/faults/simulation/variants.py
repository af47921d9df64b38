"""Twelve broken designs, each a small change to a production piece or to the wiring: the checker must catch every one.

The last three also take away the second line of defence (the owner's pull feed, and the gap alarm that has a feed sent
again), because with it the platform survives them; `docs/decisions/0028-*.md` says more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import msgspec

from shared.events import checking, feed_reading, reading_batch, reading_loop, relay
from shared.events.checking import Next
from shared.events.lease import Lease
from shared.events.ledger import Head, Ledger, head_from
from shared.events.marks import Mark
from shared.events.numbering import Numbering, Pending
from shared.events.parking import FOLLOWS
from shared.events.positions import PositionMoved, move
from shared.events.reading_batch import _Taking
from shared.events.relay import FeedRelay
from shared.events.tail import Tail
from shared.storage.unit_of_work import UnitOfWork, Work
from tests.faults.simulation.log_ports import OUTSIDE
from tests.faults.simulation.running import Verdict, run_seed
from tests.faults.simulation.world import World

DEDUP_SECONDS = 20.0


@dataclass(frozen=True)
class Variant:
    """One broken design: how it shows, what changes in the world, and which production pieces are others.

    `comes_to` is a fault that a run must come to before it counts as caught: two designs would look the same otherwise.
    `control` is the world in which the intact design is held beside it: it has to keep every promise there.
    """

    name: str
    shows: str
    change: Callable[[World], None] = lambda _: None
    pieces: tuple[tuple[object, str, object], ...] = ()
    comes_to: str = ""
    control: Callable[[World], None] = lambda _: None

    def run(self, seed: int) -> Verdict:
        """Play one seed with it."""
        with ExitStack() as stack:
            for owner, name, piece in self.pieces:
                stack.enter_context(patch.object(owner, name, piece))
            return run_seed(seed, self.change)

    def first_caught(self, most: int) -> int | None:
        """Return the first seed that shows it, None when none of so many does."""
        return next((seed for seed in range(1, most + 1) if self.is_caught(seed)), None)

    def is_caught(self, seed: int) -> bool:
        """Return whether the seed breaks the promise that this design cannot keep."""
        verdict = self.run(seed)
        has_come = not self.comes_to or verdict.faults[self.comes_to] > 0
        return has_come and any(re.search(self.shows, violation) for violation in verdict.violations)

    def without_it(self, seed: int) -> Verdict:
        """Play the same seed with the intact design in the same surroundings."""
        return run_seed(seed, self.control)


class DualWrite(UnitOfWork):
    """State first, its events in a transaction of their own."""

    def run(self, organisation: str, callback: Callable[[Work], Any], **options: Any) -> Any:  # noqa: ANN401
        """Commit the state, then the events."""
        told: list[Any] = []

        def first(work: Work) -> Any:  # noqa: ANN401
            result = callback(work)
            told[:] = work.emitted
            work.emitted.clear()
            work.causes.clear()
            return result

        result = super().run(organisation, first, **options)
        if told:
            super().run(organisation, lambda work: work.emit(*told), **options)
        return result


class Again(_Taking):
    """Takes whatever comes, whatever number the position has."""

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments)
        self._done: set[int] = set()

    def _todo(self) -> list[Any]:
        stop = self._stop()
        end = stop if stop is not None else max((event.number for event in self._batch.events), default=0)
        return [event for event in self._batch.events if id(event) not in self._done and event.number <= end]

    def _settle(self, part: Sequence[Any]) -> None:
        super()._settle(part)
        self._done.update(id(event) for event in part)


class Inbox(Again):
    """Remembers the ids that it took, in the same transaction; no number is looked at."""

    lasts: float | None = None

    def _callback(self, work: Work, old: Any, new: Any, part: Sequence[Any], strays: Any, why: Any) -> None:  # noqa: ANN401
        fresh = []
        for event in part:
            name = f"{event.next.envelope.id}"
            held = work.rows("inbox").find_one({"_id": name})
            now = self._writer._unit.clock.monotonic()
            if held is None or (self.lasts is not None and now - held["at"] > self.lasts):
                work.rows("inbox").replace_one({"_id": name}, {"_id": name, "at": now}, upsert=True)
                fresh.append(event)
        super()._callback(work, old, new, fresh, strays, why)

    def _plan(self, old: Any, part: Sequence[Any], *, is_last: bool) -> tuple[Any, dict[int, str]]:  # noqa: ANN401
        new, why = super()._plan(old, part, is_last=is_last)
        number, head = max((old.number, old.head), (new.number, new.head), key=lambda one: one[0])
        return msgspec.structs.replace(new, number=number, head=head), why


class ForgetfulInbox(Inbox):
    """Its ids expire."""

    lasts = DEDUP_SECONDS


class PositionAfterwards(_Taking):
    """The position is written in a transaction of its own, after the effects."""

    def _attempt(self, part: Sequence[Any], strays: Any, *, is_last: bool) -> bool:  # noqa: ANN401
        old = self._writer.position
        done = super()._attempt(part, strays, is_last=is_last)
        if done:
            try:
                self._writer.commit(lambda work: move(work, old, self._writer.position))
            except PositionMoved:
                self._writer.reload()
        return done


class PositionFirst(_Taking):
    """The position is written in a transaction of its own, before the effects."""

    def _attempt(self, part: Sequence[Any], strays: Any, *, is_last: bool) -> bool:  # noqa: ANN401
        old = self._writer.position
        new, _ = self._plan(old, part, is_last=is_last)
        try:
            self._writer.commit(lambda work: move(work, old, new))
        except PositionMoved:
            self._writer.reload()
            return False
        return super()._attempt(part, strays, is_last=is_last)


class RetryTopic(_Taking):
    """What fails is put aside to be tried later; what follows it is taken meanwhile."""

    def _plan(self, old: Any, part: Sequence[Any], *, is_last: bool) -> tuple[Any, dict[int, str]]:  # noqa: ANN401
        new, why = super()._plan(old, part, is_last=is_last)
        causes = {number: reason for number, reason in why.items() if reason != FOLLOWS}
        return msgspec.structs.replace(new, blocked=("something to try again",)), causes


class Cursor(Numbering):
    """Numbers what has an id greater than the last one numbered."""

    _last = ""

    def waiting(self, work: Work) -> list[Pending]:
        """Return what lies behind the cursor."""
        ledger = Ledger(self._unit_of_work.reading(self._name.organisation), self._name)
        found = ledger.round(ledger.head().rounds)
        self._last = max([self._last, *(entry_id for entry_id, _ in (found.entries if found else ()))])
        return [entry for entry in super().waiting(work) if entry.id > self._last]


class SharedLease(Lease):
    """Everybody has the feed."""

    def take(self, *, at_once: bool = False) -> Head | None:  # noqa: ARG002 - as the real one is called
        """Return the head, and raise nothing."""
        found = self._state()
        self._open_session()
        self.epoch = found["epoch"]
        return head_from(found)

    def renew(self) -> None:
        """Nothing to prolong."""

    def release(self) -> None:
        """Nothing to give back."""
        self.drop()


class OwnRoundsOnly(FeedRelay):
    """Sends what it numbered itself, whatever others have sent."""

    def _send(self, head: Head) -> None:
        for wanted in sorted(self._fresh):
            numbered = self._fresh.pop(wanted)
            offset = self._send_events(numbered, head.epoch)
            last, digest = numbered[-1]
            after = msgspec.structs.replace(
                self._mark, published=last.feedseq, hash=digest, round=wanted, offset=offset
            )
            self._mark = self._marks.move(self._mark, after, head.epoch)


class NoRepublish(FeedRelay):
    """Goes on where it was, on whatever log there is."""

    def _take_over_log(self, place: Any, tail: Any, index: Any) -> Mark:  # noqa: ANN401
        before = self._mark
        after = super()._take_over_log(place, tail, index)
        if before.log is None:
            return after
        return msgspec.structs.replace(after, published=before.published, hash=before.hash, round=before.round)


def _take_again(self: Any, envelope: Any, digest: str) -> list[Next]:  # noqa: ANN401
    self.high = max(self.high, envelope.feedseq)
    return [Next(envelope, digest, None)]


def _take_any(self: Any, event: Next, _: Any) -> list[Next]:  # noqa: ANN401
    if event.number > self.number:
        self.number, self.head = event.number, event.hash
    self.high = self.newest = max(self.number, self.newest)
    return [event]


def _trust_the_mark(_: Any, mark: Mark, *__: Any) -> Tail:  # noqa: ANN401
    return Tail(published=mark.published, hash=mark.hash, offset=mark.offset)


def _stay(self: Any, place: str) -> int:  # noqa: ANN401
    self.place, self.wants_rewind = place, False
    return int(self.read_to)


def _begin_there(self: Any, place: str) -> int:  # noqa: ANN401
    self.place = place
    self._restore()
    self.read_to = min(writer.position.next for writer in self._writers.values())
    return int(self.read_to)


def _no_key(world: World) -> None:
    world.has_idempotency = False


def _dual(world: World) -> None:
    world.writer_unit = DualWrite


def _parallel(world: World) -> None:
    world.make_relay = OwnRoundsOnly


def _alone(world: World) -> None:
    world.has_second_line = False


def _alone_without_republish(world: World) -> None:
    _alone(world)
    world.make_relay = NoRepublish


def _alone_at_old_offset(world: World) -> None:
    _alone(world)
    world.out_of_range = "wait"


def _alone_at_latest(world: World) -> None:
    _alone(world)
    world.out_of_range = "latest"


_NOTHING = lambda *_: None  # noqa: E731
_TAKING = (reading_batch, "_Taking")
_KEEPING = (
    (feed_reading.FeedReading, "rewind", _stay),
    (feed_reading.FeedReading, "_begin", _begin_there),
    (reading_loop.Reader, "_begin_again", _NOTHING),
)
_ANY = (checking.Chain, "_numbered", _take_any)

_OTHER = "(ledger|sums|counts|states) at gamma"
_DOUBLED = "(ledger|counts) at gamma"
_STALE = "states at gamma"
_BEHIND = "is at [0-9]+ of [0-9]+"

VARIANTS = (
    Variant("dual write instead of outbox", "told ok and happened 0 times", _dual),
    Variant("no idempotency key", "happened [2-9] times", _no_key),
    Variant(
        "no deduplication by number", _DOUBLED, pieces=((checking.Chain, "_compared", _take_again), (*_TAKING, Again))
    ),
    Variant(
        "position outside the transaction",
        _DOUBLED,
        pieces=((*_TAKING, PositionAfterwards), (reading_batch, "move", _NOTHING)),
    ),
    Variant(
        "position before the effect", _OTHER, pieces=((*_TAKING, PositionFirst), (reading_batch, "move", _NOTHING))
    ),
    Variant("cursor by id", "entries without a number", pieces=((relay, "Numbering", Cursor),)),
    Variant("relays in parallel", _STALE, _parallel, ((relay, "Lease", SharedLease), _ANY, (*_TAKING, Inbox))),
    Variant("retry topic", _STALE, pieces=((*_TAKING, RetryTopic),)),
    Variant("expiring ids", _DOUBLED, pieces=(_ANY, (*_TAKING, ForgetfulInbox))),
    Variant(
        "no republishing",
        "numbers are on the log",
        _alone_without_republish,
        ((relay, "check_tail", _trust_the_mark),),
        control=_alone,
    ),
    Variant("old offset kept", _BEHIND, _alone_at_old_offset, _KEEPING, comes_to=OUTSIDE, control=_alone),
    Variant("reset to latest", _BEHIND, _alone_at_latest, _KEEPING, comes_to=OUTSIDE, control=_alone),
)
