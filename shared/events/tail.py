"""The tail check: does the log hold what the database says was sent, and nothing that the database does not know?

Decides and reports; it sends nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import msgspec

from shared.errors import Conflict
from shared.events.envelope import GENESIS, Envelope, Heartbeat, Opened
from shared.events.ledger import HashIndex, Head
from shared.events.log import LogRecord
from shared.events.marks import Mark

ReadLog = Callable[[int], Iterator[LogRecord]]


class FeedRefused(Conflict):
    """The log holds events of this feed that the database does not know: it came back from a backup, or is not alone.

    Sending would fork the feed. A person decides; `recover-feed` shows what the log knows and brings it back.
    """

    slug = "feed-refused"


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the end of a log.

    `published`, `hash` and `offset` are the furthest event that the log holds without a gap from what the mark says;
    `generation` and `opened` belong to the last opening that was read, if one was.
    """

    published: int
    hash: str
    offset: int
    generation: str | None = None
    opened: int = -1
    epoch: int = 0
    foreign: int = 0
    rewound: bool = False


def check_tail(read: ReadLog, mark: Mark, head: Head, index: HashIndex) -> Tail:
    """Return what the log holds beyond the mark; nothing published, where the marked record is not there.

    Also with nothing published a mark stands at a record that was looked at before. Where it is gone, the log was cut,
    and what was written since may stand before that offset.

    Raises:
        FeedRefused: The log knows a number or hash of this feed that the database does not.
        Unavailable: The log cannot be read to its end.
    """
    records = read(max(0, mark.offset))
    first = next(records, None)
    if first is not None and first.offset == mark.offset and _is_marked(first, mark, index):
        return _follow(records, Tail(published=mark.published, hash=mark.hash, offset=mark.offset), head, index)
    found = _follow(_since_opening(read, mark), Tail(published=0, hash=GENESIS, offset=-1), head, index)
    return msgspec.structs.replace(found, published=0, hash=GENESIS, rewound=True)


def scan_log(read: ReadLog, head: Head, index: HashIndex) -> Tail:
    """Return what a log holds that the mark knows nothing of, from its first record on.

    Raises:
        FeedRefused: As in `check_tail`.
        Unavailable: The log cannot be read to its end.
    """
    return _follow(read(0), Tail(published=0, hash=GENESIS, offset=-1), head, index)


def _is_marked(record: LogRecord, mark: Mark, index: HashIndex) -> bool:
    """Say whether this is the record that the mark was left at: else the log, or the database, is not what it was."""
    body = record.body
    if mark.published == 0:
        return _is_opening(record, mark) or (
            isinstance(body, Envelope) and index.hash_at(body.feedseq) == record.event_hash
        )
    is_known = index.hash_at(mark.published) == mark.hash  # else it was moved over a database from a backup
    return is_known and isinstance(body, Envelope) and record.event_hash == mark.hash


def _is_opening(record: LogRecord, mark: Mark) -> bool:
    body = record.body
    return isinstance(body, Opened) and mark.log is not None and body.generation == mark.log.generation


def _since_opening(read: ReadLog, mark: Mark) -> Iterator[LogRecord]:
    """Yield what the log holds since it was opened; all of it where the opening is not there any more."""
    opened = 0 if mark.log is None else mark.log.opened
    records = read(opened)
    first = next(records, None)
    if first is None or first.offset != opened or not _is_opening(first, mark):
        return read(0)
    return chain((first,), records)


def _follow(records: Iterator[LogRecord], tail: Tail, head: Head, index: HashIndex) -> Tail:
    """Go on over records: refuse what is unknown, take what continues, count what is foreign."""
    replace = msgspec.structs.replace
    for record in records:
        body = record.body
        tail = replace(tail, epoch=max(tail.epoch, record.epoch))
        if body is None:
            tail = replace(tail, foreign=tail.foreign + 1)
        elif isinstance(body, Opened):
            tail = replace(
                tail, generation=body.generation, opened=record.offset, published=0, hash=GENESIS, offset=record.offset
            )
        elif isinstance(body, Heartbeat):
            _refuse_unless(body.feedseq <= head.number and index.hash_at(body.feedseq) == body.head_hash, body.feedseq)
        else:
            _refuse_unless(index.hash_at(body.feedseq) == record.event_hash, body.feedseq)
            if body.feedseq == tail.published + 1:
                tail = replace(tail, published=body.feedseq, hash=record.event_hash, offset=record.offset)
    return tail


def _refuse_unless(known: bool, number: int) -> None:  # noqa: FBT001
    if not known:
        raise FeedRefused(
            f"the log holds number {number} of this feed as the database does not know it: nothing is numbered or sent "
            "until somebody runs partnership recover-feed"
        )
