"""What others hold of an owner's feed, against what its database holds: the log's records, the readers' positions.

Changes nothing. An event that was edited or removed on either side, or a history that parted, is named by its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.events.envelope import Envelope
from shared.events.ledger import HashIndex, Head, Ledger
from shared.events.log import LogRecord
from shared.events.positions import Position
from shared.events.verify import DIFFERENT, MOST_FINDINGS, Finding


def against_log(ledger: Ledger, head: Head, records: Iterable[LogRecord], published: int) -> list[Finding]:
    """Return where the log and the database differ, the first 100 places.

    Args:
        ledger: The owner's database.
        head: Its head.
        records: The whole log, in order.
        published: How far the owner's relay says that it has sent: what is missing below it is missing.
    """
    return list(_first(_in_log(HashIndex(ledger, head), head, records, published)))


def against_positions(ledger: Ledger, head: Head, positions: Iterable[tuple[str, Position]]) -> list[Finding]:
    """Return which readers have read another history, or more, than the database holds.

    Args:
        ledger: The owner's database.
        head: Its head.
        positions: Who reads (`reporting of nwl-board`) and how far.
    """
    index = HashIndex(ledger, head)
    return list(_first(_in_positions(index, head, positions)))


def _in_log(index: HashIndex, head: Head, records: Iterable[LogRecord], published: int) -> Iterator[Finding]:
    seen = bytearray(head.number + 1)
    for record in records:
        body = record.body
        if not isinstance(body, Envelope):
            continue
        number, where = body.feedseq, f"offset {record.offset}"
        known = index.hash_at(number)
        if known is None:
            yield _one(number, "on the log and not in the database", where)
        elif known != record.event_hash:
            yield _one(number, f"{DIFFERENT} what is on the log", where)
        if number <= head.number:
            seen[number] = 1
    missing = [number for number in range(1, min(published, head.number) + 1) if not seen[number]]
    for first, last in _spans(missing):
        yield Finding(number=first, last=last, what="in the database and not on the log, though it was sent")


def _in_positions(index: HashIndex, head: Head, positions: Iterable[tuple[str, Position]]) -> Iterator[Finding]:
    for who, position in positions:
        if position.number > head.number:
            yield _one(position.number, f"read by {who}, and this database ends at {head.number}", "")
        elif index.hash_at(position.number) != position.head:
            yield _one(position.number, f"{DIFFERENT} what a reader holds", who)


def _one(number: int, what: str, where: str) -> Finding:
    return Finding(number=number, last=number, what=what, where=where)


def _first(found: Iterator[Finding]) -> Iterator[Finding]:
    for _, finding in zip(range(MOST_FINDINGS), found, strict=False):
        yield finding


def _spans(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of successive numbers as (first, last)."""
    first: int | None = None
    before = 0
    for number in numbers:
        if first is not None and number != before + 1:
            yield first, before
            first = None
        first, before = (number if first is None else first), number
    if first is not None:
        yield first, before
