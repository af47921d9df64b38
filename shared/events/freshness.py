"""How far each reader is with each feed, held against the owner's own word: what is missing, what differs, by name.

Pure: positions and the owner's last word in, a judgement out. The owner's word is its last heartbeat on the log, or the
newest event after it. Nothing is written: a heartbeat never causes a write, nor does looking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from shared.events.alarms import Alarm
from shared.events.envelope import Envelope, Heartbeat
from shared.events.log import LogRecord
from shared.events.positions import Position
from shared.events.tally import Difference, differences

LATE_SECONDS: Final = 90.0
"""How long something may be on its way: positions that nothing concerns are moved once a minute."""
SILENT_SECONDS: Final = 120.0
TAIL_RECORDS: Final = 300


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed's owner last said on its log: the newest number, its last totals, and when it named which number."""

    number: int
    named: Mapping[int, datetime | None]
    heard_at: datetime | None
    beat: Heartbeat | None


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """One organisation in one service, with one feed. `faults` names everything that a person has to look at."""

    service: str
    organisation: str
    feed: str
    number: int
    owner_number: int | None
    delay_seconds: int | None
    missing: int | None
    parked: int
    faults: tuple[str, ...]
    differences: tuple[Difference, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Return whether there is nothing to look at."""
        return not self.faults


def word_of(records: Iterable[LogRecord]) -> Word:
    """Return what the owner said last, from the last records of its log."""
    number, heard, beat = 0, None, None
    named: dict[int, datetime | None] = {}
    for record in records:
        body = record.body
        if isinstance(body, Heartbeat):
            beat = body
        elif not isinstance(body, Envelope):
            continue
        number = max(number, body.feedseq)
        named.setdefault(body.feedseq, _moment(record))
        heard = _moment(record) or heard
    return Word(number=number, named=named, heard_at=heard, beat=beat)


def first_after(number: int, records: Iterable[LogRecord]) -> tuple[int, datetime | None] | None:
    """Return the first of these records that is beyond a number, and when it was sent; None where there is none."""
    for record in records:
        if isinstance(record.body, Envelope) and record.body.feedseq > number:
            return record.body.feedseq, _moment(record)
    return None


def judged(
    who: tuple[str, str],
    position: Position,
    word: Word | None,
    *,
    alarm: Alarm | None,
    parked: int,
    partnership_hash: str,
    now: datetime,
    late_seconds: float = LATE_SECONDS,
    silent_seconds: float = SILENT_SECONDS,
    look_further: Callable[[], datetime | None] = lambda: None,
) -> Freshness:
    """Return how fresh one feed is for one organisation.

    Args:
        who: The reading service and the organisation that takes the effects.
        position: How far it is.
        word: The owner's last word, None where the log does not answer.
        alarm: What stops the feed, if anything does.
        parked: How many of its records wait for a person.
        partnership_hash: Of the partnership file here.
        now: The time.
        late_seconds: How long something may be on its way.
        silent_seconds: How long an owner may say nothing at all.
        look_further: Returns when the first event that is missing was sent, None where nobody knows; asked where it
            lies before the records that the owner's word was taken from.
    """
    faults = [] if alarm is None else [f"stands still since number {alarm.number}: {alarm.kind}, {alarm.detail}"]
    delay = missing = None
    found: tuple[Difference, ...] = ()
    if word is None:
        faults.append("the log does not answer")
    else:
        missing = max(0, word.number - position.number)
        delay = None if word.heard_at is None else max(0, int((now - word.heard_at).total_seconds()))
        if delay is None or delay > silent_seconds:
            faults.append("its owner is silent")
        if missing and _is_late(position.number, word, now, late_seconds, look_further):
            faults.append(f"{missing} missing")
        found = _totals(position, word)
        faults += [str(one) for one in found]
        faults += _history(position, word)
        if word.beat is not None and word.beat.partnership_hash != partnership_hash:
            faults.append(f"another partnership file: {word.beat.partnership_hash[:16]}")
    service, organisation = who
    return Freshness(
        service=service,
        organisation=organisation,
        feed=position.feed,
        number=position.number,
        owner_number=None if word is None else word.number,
        delay_seconds=delay,
        missing=missing,
        parked=parked,
        faults=tuple(faults),
        differences=found,
    )


def _is_late(
    number: int, word: Word, now: datetime, late_seconds: float, look_further: Callable[[], datetime | None]
) -> bool:
    """Return whether the first number that is missing has been missing for too long: the newest is always young."""

    def is_old(since: datetime | None) -> bool:
        return since is None or (now - since).total_seconds() > late_seconds

    first = min(named for named in word.named if named > number)
    if is_old(word.named[first]):
        return True
    further = look_further() if first > number + 1 else None
    return further is not None and is_old(further)


def _history(position: Position, word: Word) -> list[str]:
    """Return whether the owner's history is another than what was read."""
    if position.number > word.number:
        return [f"read to {position.number}, and its owner names {word.number}: its database is from a backup"]
    if word.beat is not None and (position.number, True) == (word.beat.feedseq, position.head != word.beat.head_hash):
        return [f"another history under number {position.number}"]
    return []


def _totals(position: Position, word: Word) -> tuple[Difference, ...]:
    if position.tally is None or word.beat is None or position.tally.number != word.beat.feedseq:
        return ()
    return differences(position.tally, word.beat)


def _moment(record: LogRecord) -> datetime | None:
    try:
        return datetime.fromisoformat(record.time)
    except ValueError:
        return None
