"""One feed's batch for one organisation in one transaction: effects, emitted events, parked events, position.

Lives here: the transaction and what happens when a reaction fails in it (the batch runs again with that event and its
followers parked). Must not live here: the log, the chain, when to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, Forbidden, Malformed, Unavailable
from shared.events import fences
from shared.events.attempts import KILLED, Attempt, Attempts
from shared.events.checking import Stray
from shared.events.derived_ids import derived_identifiers
from shared.events.feed import MOST_BYTES, MOST_EVENTS
from shared.events.parking import FOLLOWS, discarded_numbers, event_document, park, stray_document
from shared.events.positions import Fenced, Position, PositionMoved, mark_attempt, move, read, settle, went_back
from shared.events.reacting import EventFailed, react, read_ahead
from shared.events.retold import leave_out_told
from shared.events.routing import Routed
from shared.events.tally import Tally
from shared.identifiers import NewIdentifier
from shared.storage.mongo import Document, server_is_gone
from shared.storage.unit_of_work import UnitOfWork, Work

MOST_STUBBORN: Final = 5
"""How often an event that meets `ConcurrentChange` alone is tried before it counts as a bug (each of 3 tries)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one organisation takes now, in the feed's order, and where its position is afterwards."""

    events: Sequence[Routed]
    strays: Sequence[Stray]
    number: int
    head: str
    next: int
    place: str
    generation: str
    tally: Callable[[int], Tally | None] | None = None
    """What is counted up to a number, for the feed's home organisation."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch. `causes` are the numbers that were parked for a fault of their own."""

    position: Position
    causes: frozenset[int]
    taken: tuple[Routed, ...]
    parked: int


class _TooMuch(Exception):
    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class BatchWriter:
    """Takes batches for one organisation of one feed.

    `stop_at` (see `take`) is asked each time an event turns out to be a cause; what it returns is the last number that
    may still be taken (None: all of them).
    """

    def __init__(
        self,
        unit: UnitOfWork,
        session: ClientSession,
        organisation: str,
        position: Position,
        discarded: frozenset[int],
        *,
        was_recovered: bool = False,
    ) -> None:
        self._unit = unit
        self._session = session
        self.organisation = organisation
        self._discarded = discarded
        self._was_recovered = was_recovered
        self.position = position
        self.attempts = Attempts(position.attempt, position.number)
        self.trying: set[str] = set()
        """Requests of people that this reader has begun and not answered yet."""

    def take(self, batch: Batch, stop_at: Callable[[frozenset[int]], int | None]) -> Applied:
        """Commit the batch, in as few transactions as it allows, and return what became of it.

        Raises:
            Unavailable: The database does not answer, or a reaction says so; what is committed is committed.
            Fenced: Another reader has taken over.
        """
        return _Taking(self, batch, stop_at).run()

    def commit(self, callback: Callable[[Work], None]) -> None:
        """Run one transaction on the organisation's database in the reader's own session."""
        try:
            self._unit.run(self.organisation, self._telling_once(callback), session=self._session)
        except PyMongoError as error:
            if server_is_gone(error):
                raise Unavailable("the database does not answer") from error
            raise

    def mark(self, attempt: Attempt) -> None:
        """Write what is going to be tried, before it is tried.

        Raises:
            Fenced: Another reader has taken over.
        """
        try:
            self.commit(lambda work: mark_attempt(work, self.position, attempt))
        except PositionMoved:
            self.reload()

    def fenced_lately(self) -> int:
        """Return how many readers of this feed were taken over lately, and lived."""
        return fences.lately(self._unit, self.organisation, self.position.feed)

    def rehearse(self, callback: Callable[[Work], None]) -> None:
        """Run what one transaction would do, and roll it back."""
        try:
            self._unit.rehearse(self.organisation, callback, session=self._session)
        except PyMongoError as error:
            if server_is_gone(error):
                raise Unavailable("the database does not answer") from error
            raise

    def _telling_once(self, callback: Callable[[Work], None]) -> Callable[[Work], None]:
        """Return the callback, after which nothing is told again that the recovered feed told already."""
        if not self._was_recovered:
            return callback

        def once(work: Work) -> None:
            callback(work)
            leave_out_told(work)

        return once

    def identifiers(self, event: Routed) -> NewIdentifier | None:
        """Return the ids that a reaction to the event makes; None for those of chance."""
        if event.at is None or not self.position.seed:
            return None
        return derived_identifiers(self.position.seed, self._unit.service, event.next.envelope.id, event.at)

    def reload(self, *, may_go_back: bool = False) -> bool:
        """Read the position again after it was found moved; return whether it went back, as it may after a decision.

        Then what is discarded is read again, too.

        Raises:
            Fenced: It belongs to another reader now, or went back without a person's decision.
        """
        number = self.position.number
        self.position = settle(self._unit, self.organisation, self.position, may_go_back=may_go_back)
        if may_go_back:  # what was discarded of a history that is given up is put aside: its numbers come anew
            self._discarded = discarded_numbers(self._unit, self.organisation, self.position.feed)
        return self.position.number < number

    def confirm(self) -> None:
        """Notice that the stored position is another's, or went back with its database, though nothing is written.

        Raises:
            Fenced: It is so; what is stored has to be read from there.
        """
        stored = read(self._unit, self.organisation, self.position.feed)
        if stored is not None and stored.epoch > self.position.epoch:
            raise Fenced(self.organisation, self.position.feed)
        if stored is None or stored.epoch < self.position.epoch or went_back(stored, self.position):
            raise Fenced

    def is_discarded(self, number: int) -> bool:
        """Say whether a person discarded this number; rebuilds obey."""
        return number in self._discarded


class _Taking:
    """One call of `BatchWriter.take`."""

    def __init__(self, writer: BatchWriter, batch: Batch, stop_at: Callable[[frozenset[int]], int | None]) -> None:
        self._writer = writer
        self._batch = batch
        self._stop_at = stop_at
        self._faults = {event.number: event.fault for event in batch.events if event.fault is not None}
        self._blocked = writer.position.blocked
        self._stubborn = 0
        self._size = max(1, len(batch.events))
        self._taken: list[Routed] = []
        self._parked = 0

    def run(self) -> Applied:
        """Go on until everything up to the stop is committed."""
        strays: Sequence[Stray] = self._batch.strays
        owed = bool(strays) or not self._batch.events
        todo = self._todo()
        while todo or owed:
            part = self._part(todo)
            if self._attempt(part, strays, is_last=len(part) == len(todo)):
                strays, owed = (), False
            todo = self._todo()
        return Applied(self._writer.position, self._causes(), tuple(self._taken), self._parked)

    def _part(self, todo: Sequence[Routed]) -> Sequence[Routed]:
        """Return what is tried next, marked where a death over it must leave a word (`attempts.py`)."""
        attempts, numbers = self._writer.attempts, [event.number for event in todo[: self._size]]
        part = todo[: attempts.size(numbers)] if numbers else todo[:0]
        if part and attempts.is_killer(part[0].number):
            attempts.excuse(self._writer.fenced_lately())
        if part and attempts.is_killer(part[0].number):
            self._faults[part[0].number] = KILLED
        mark = attempts.mark(numbers[: len(part)])
        if mark is not None:
            self._writer.mark(mark)
        return part

    def _causes(self) -> frozenset[int]:
        """Return the numbers that are parked for a fault of their own, not because they follow one."""
        if not self._faults:
            return frozenset()
        blocked, causes = set(self._blocked), set()
        for event in self._batch.events:
            is_fault = event.number in self._faults and not self._writer.is_discarded(event.number)
            if is_fault and event.key not in blocked:
                causes.add(event.number)
                blocked.add(event.key)
        return frozenset(causes)

    def _stop(self) -> int | None:
        return self._stop_at(self._causes())

    def _todo(self) -> list[Routed]:
        low, stop = self._writer.position.number, self._stop()
        end = self._batch.number if stop is None else stop
        return [event for event in self._batch.events if low < event.number <= end]

    def _attempt(self, part: Sequence[Routed], strays: Sequence[Stray], *, is_last: bool) -> bool:
        """Try one transaction and return whether it was committed; a failure leaves word of what to do otherwise."""
        old = self._writer.position
        new, documents_for = self._plan(old, part, is_last=is_last)
        try:
            self._writer.commit(lambda work: self._callback(work, old, new, part, strays, documents_for))
        except PositionMoved:
            self._writer.reload()
        except EventFailed as failed:
            self._faults[failed.number] = failed.reason
        except _TooMuch as much:
            self._shrink(part, much.index, "emits-too-much")
        except ConcurrentChange:
            self._on_conflict(part)
        except (Malformed, Forbidden) as error:
            self._shrink(part, len(part) // 2, f"emitted:{error.slug}")
        except PyMongoError as error:
            self._shrink(part, len(part) // 2, f"bug:{type(error).__name__}")
        else:
            self._writer.position = new
            self._settle(part)
            return True
        return False

    def _plan(self, old: Position, part: Sequence[Routed], *, is_last: bool) -> tuple[Position, dict[int, str]]:
        """Return the position after the part, and for each number that is parked why: causes and their followers."""
        blocked = dict.fromkeys(old.blocked)
        why: dict[int, str] = {}
        for event in part:
            if self._writer.is_discarded(event.number):
                continue
            if event.key in blocked:
                why[event.number] = FOLLOWS
            elif event.number in self._faults:
                why[event.number] = self._faults[event.number]
                blocked[event.key] = None
        number, head = old.number, old.head  # which belong together: a batch may end below what was taken before
        is_whole = is_last and self._stop() is None
        if is_whole and self._batch.number > old.number:
            number, head = self._batch.number, self._batch.head
        elif part:
            number, head = part[-1].number, part[-1].next.hash
        new = msgspec.structs.replace(
            old,
            next=self._batch.next if is_whole else self._safe_next(old),
            number=number,
            head=head,
            place=self._batch.place,
            generation=self._batch.generation,
            blocked=tuple(blocked),
            tally=old.tally if number == old.number or self._batch.tally is None else self._batch.tally(number),
        )
        return new, why

    def _safe_next(self, old: Position) -> int:
        """Return an offset that is not beyond what is still to be taken: where this organisation began."""
        return old.next if old.place == self._batch.place else 0

    def _callback(
        self,
        work: Work,
        old: Position,
        new: Position,
        part: Sequence[Routed],
        strays: Sequence[Stray],
        why: dict[int, str],
    ) -> None:
        move(work, old, new)
        documents: list[Document] = [
            stray_document(old.feed, self._batch.place, stray, at=work.now) for stray in strays
        ]
        read_ahead(work, [event for event in part if event.number not in why])
        for index, event in enumerate(part):
            reason = why.get(event.number)
            if reason is not None:
                is_cause = reason != FOLLOWS
                documents.append(event_document(old.feed, event.next, reason, is_cause=is_cause, at=work.now))
            elif not self._writer.is_discarded(event.number):
                react(work, event, self._writer.identifiers(event))
            if _emits_too_much(work):
                raise _TooMuch(index)
        park(work, documents)

    def _shrink(self, part: Sequence[Routed], size: int, reason: str) -> None:
        if not part:
            raise Unavailable("the position cannot be written")
        if len(part) == 1:
            self._faults[part[0].number] = reason
        self._size = max(1, size)

    def _on_conflict(self, part: Sequence[Routed]) -> None:
        """Take the events one by one, so that one that can never be taken is found and does not hold the others."""
        if len(part) > 1:
            self._size = 1
            return
        self._stubborn += 1
        if self._stubborn < MOST_STUBBORN:
            return
        self._stubborn = 0
        if part:
            self._faults[part[0].number] = "natural-key-conflict"
        else:
            raise Unavailable("the position cannot be written")

    def _settle(self, part: Sequence[Routed]) -> None:
        self._stubborn = 0
        done = [event for event in part if event.number not in self._faults]
        self._taken.extend(done)
        self._parked += len(part) - len(done)


def _emits_too_much(work: Work) -> bool:
    return len(work.emitted) > MOST_EVENTS or sum(len(event.data) for event in work.emitted) > MOST_BYTES
