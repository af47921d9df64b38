"""Private plain intake topics (`in.<organisation>.<service>.v1`): no numbers, no chain, the owner's own door.

A position here is {log identity, next offset} in that organisation's database, moved in the same transaction as the
handler's effects. A new log identity starts at 0 again: the handler's own keys (reference and hash) make that
harmless. Nothing of a record's content leaves this file for a log, a metric or a parked reason.

    def when_record_arrives(work: Work, key: bytes | None, value: bytes | None, offset: int) -> None: ...

The handler answers every record itself (accepted or refused, an event on the `out` feed). It is pure apart from
`work`. `Unavailable` and database errors mean wait; anything else that it raises parks the record, and reading goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog
from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, Unavailable
from shared.events import fences
from shared.events.attempts import KILLED, Attempts
from shared.events.checking import LogRecord, Stray
from shared.events.envelope import Cause
from shared.events.feed import MOST_EVENTS
from shared.events.feed_reading import ReadingTools
from shared.events.guarded import ServiceBug, guarded
from shared.events.parking import park, stray_document
from shared.events.patience import Patience
from shared.events.positions import Position, PositionMoved, mark_attempt, move, settle, take_over
from shared.storage.unit_of_work import Work

log = structlog.get_logger(__name__)

IntakeHandler = Callable[[Work, bytes | None, bytes | None, int], None]
MOST_STUBBORN: Final = 5


class _Failed(Exception):
    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason


class _TooMuch(Exception):
    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class IntakeReader:
    """One organisation's intake topic."""

    def __init__(self, topic: str, organisation: str, handler: IntakeHandler, tools: ReadingTools) -> None:
        self.topic = topic
        self.read_to = 0
        self.place = ""
        self.wants_rewind = False
        self._organisation = organisation
        self._handler = handler
        self._tools = tools
        self._position = Position(feed=topic)
        self._attempts = Attempts(None, 0)
        self._pending: list[LogRecord] = []
        self._faults: dict[int, str] = {}
        self._size = tools.rules.batch_events
        self._stubborn = 0
        self._patience = Patience(tools.clock)
        self._look_at = 0.0

    @property
    def available(self) -> bool:
        """Say whether the database answered last."""
        return self._patience.available

    def take_over(self, place: str) -> int:
        """Make this reader the topic's only one and return the offset to read from: 0 on another log."""
        self._position = take_over(self._tools.unit, self._tools.session, self._organisation, self.topic)
        self.place = place
        self._pending.clear()
        self._faults.clear()
        is_same = self._position.place == place
        self.read_to = self._position.next if is_same else 0
        left = self._position.attempt
        self._attempts = Attempts(left if left is not None and left.place == place else None, self.read_to)
        return self.read_to

    def rewind(self, place: str) -> int:
        """Begin at 0: the log is another, or was truncated."""
        self.place = place
        self.read_to = 0
        self._pending.clear()
        self._faults.clear()
        self._attempts = Attempts(None, 0)
        return 0

    def examine(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        """Return the records as they are: what they are is the handler's to say."""
        return records

    def receive(self, records: Sequence[LogRecord], end: int | None = None) -> None:  # noqa: ARG002 - as of a feed
        """Keep the records until `apply`."""
        self._pending.extend(records)
        if records:
            self.read_to = records[-1].offset + 1

    def apply(self) -> bool:
        """Take one batch; return whether more is ready. Raises `Fenced` when another reader has taken over."""
        if not self._pending or self._patience.is_waiting():
            return False
        try:
            self._attempt(self._part())
        except Unavailable:
            self._patience.back_off()
            return False
        self._patience.end()
        return bool(self._pending)

    def tend(self) -> None:
        """Show now and then how many readers were fenced; nothing else is due by the clock."""
        now = self._tools.clock.monotonic()
        if now < self._look_at or self._patience.is_waiting():
            return
        self._look_at = now + self._tools.rules.look_seconds
        try:
            fences.show(self._tools.unit, (self._organisation,), self.topic)
        except Unavailable:
            self._patience.back_off()

    def hand_over(self) -> None:
        """Nothing is owed: every record moved the position."""

    def is_full(self) -> bool:
        """Say whether the log should not be read on for now."""
        return len(self._pending) >= self._tools.rules.most_pending

    def _part(self) -> list[LogRecord]:
        """Return what is tried next, marked where a death over it must leave a word (`attempts.py`)."""
        part = self._pending[: self._size]
        numbers = [record.offset + 1 for record in part]
        part = part[: self._attempts.size(numbers)]
        if self._attempts.is_killer(numbers[0]):
            self._attempts.excuse(fences.lately(self._tools.unit, self._organisation, self.topic))
        if self._attempts.is_killer(numbers[0]):
            self._faults[part[0].offset] = KILLED
        mark = self._attempts.mark(numbers[: len(part)])
        if mark is not None:
            unit, session = self._tools.unit, self._tools.session
            position, here = self._position, msgspec.structs.replace(mark, place=self.place)
            try:
                unit.run(self._organisation, lambda work: mark_attempt(work, position, here), session=session)
            except PositionMoved:
                self._position = settle(unit, self._organisation, position)
        return part

    def _attempt(self, part: Sequence[LogRecord]) -> None:
        old = self._position
        new = Position(
            feed=old.feed, next=part[-1].offset + 1, place=self.place, epoch=old.epoch, decisions=old.decisions
        )
        try:
            self._tools.unit.run(
                self._organisation, lambda work: self._callback(work, old, new, part), session=self._tools.session
            )
        except PositionMoved:
            self._position = settle(self._tools.unit, self._organisation, old)
            if self._position.place == self.place:  # a commit of unknown result did happen: no record is handled twice
                self._pending = [record for record in self._pending if record.offset >= self._position.next]
        except _Failed as failed:
            self._faults[failed.offset] = failed.reason
        except _TooMuch as much:
            self._shrink(part, much.index, "emits-too-much")
        except ConcurrentChange:
            self._stubborn += 1
            self._shrink(part, 1, "natural-key-conflict" if self._stubborn >= MOST_STUBBORN else None)
        except PyMongoError as error:
            self._shrink(part, len(part) // 2, f"bug:{type(error).__name__}")
        else:
            self._position = new
            self._stubborn, self._size = 0, self._tools.rules.batch_events
            del self._pending[: len(part)]

    def _shrink(self, part: Sequence[LogRecord], size: int, reason: str | None) -> None:
        if len(part) == 1 and reason is not None:
            self._faults[part[0].offset] = reason
        self._size = max(1, size)

    def _callback(self, work: Work, old: Position, new: Position, part: Sequence[LogRecord]) -> None:
        move(work, old, new)
        strays = []
        for index, record in enumerate(part):
            reason = self._faults.get(record.offset)
            if reason is not None:
                strays.append(stray_document(self.topic, self.place, Stray(_bare(record), reason), at=work.now))
                continue
            work.cause = Cause(work.new_id())
            self._handle(work, record)
            if len(work.emitted) > MOST_EVENTS:
                raise _TooMuch(index)
        park(work, strays)

    def _handle(self, work: Work, record: LogRecord) -> None:
        try:
            guarded(
                lambda: self._handler(work, record.key, record.value, record.offset),
                (PyMongoError, Unavailable, ConcurrentChange),
            )
        except ServiceBug as bug:
            log.warning("intake.parked", feed=self.topic, offset=record.offset, kind=bug.code)
            raise _Failed(record.offset, bug.code) from None


def _bare(record: LogRecord) -> LogRecord:
    """Return the record without its content: people's details are not kept where they were not asked for."""
    return LogRecord(record.offset, None, None)
