"""What one feed's records are, judged one by one against its chain: next, known, held back, stray, or a fork.

Pure: records in, verdicts out; no log, no database, no clock. The number advances only for a record whose owner (topic
= envelope) and `prevhash` were verified, so that neither garbage nor a forged "next" can make the true one a duplicate.
What comes again is compared, not ignored. What becomes of a verdict is `feed_reading.py`'s business.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from shared.errors import Malformed
from shared.events.envelope import GENESIS, Envelope, Heartbeat, Opened, source_of
from shared.events.feed import FeedName, feed_of
from shared.events.hashing import hash_of
from shared.events.records import attributes_in, decode_unnumbered, envelope_from, epoch_of

HASHES_REMEMBERED: Final = 1_000


class LogRecord(msgspec.Struct, frozen=True):
    """One record as it stands in the log, whatever it is."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Next(msgspec.Struct, frozen=True):
    """An event with its hash; as a verdict: the feed's next, verified. `offset` is None for one of the pull feed."""

    envelope: Envelope
    hash: str
    offset: int | None = None

    @property
    def number(self) -> int:
        """Return the event's number."""
        return self.envelope.feedseq


@dataclass(frozen=True, slots=True)
class Stray:
    """Garbage, forged or misplaced: it has no number, no followers and no effect. `security` asks for a person."""

    record: LogRecord
    reason: str
    security: bool = False


class Examined(msgspec.Struct, frozen=True):
    """One record as far as it is known by itself, before its chain judges it; `epoch` is its relay's, 0 without one."""

    record: LogRecord
    what: Next | Opened | Heartbeat | Stray
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Fork:
    """The owner's history differs from what was read before: that feed stops until a person decides.

    `hash` is that of the record that differs, empty where it is no record's; by it the same one is known again.
    """

    number: int
    detail: str
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """Another generation of the log: it `begins` here, or a heartbeat tells that its beginning was missed."""

    generation: str
    begins: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat of the present relay. `totals` are its reconciliation figures."""

    heartbeat: Heartbeat


Verdict = Next | Stray | Fork | Opening | Beat


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: Next
    record: LogRecord


@dataclass(slots=True)
class Chain:
    """One feed as far as it is verified: `number` and `head`, and what a pass through its log has shown.

    `anchors` are heads known from positions (number -> hash) that are compared when they are passed. `settled` are
    records (number, hash) of which a person has decided that what was read before them stands.
    """

    feed: FeedName
    number: int = 0
    head: str = GENESIS
    generation: str = ""
    anchors: Mapping[int, str] = field(default_factory=dict)
    settled: frozenset[tuple[int, str]] = frozenset()
    newest: int = 0
    """The highest number that anybody has named: a record held back, or a heartbeat."""
    high: int = 0
    """The highest number read in this pass through the log; a heartbeat below it is a fork."""
    epoch: int = 0
    _memory: OrderedDict[int, str] = field(default_factory=OrderedDict)
    _walk: tuple[int, str] | None = None
    _waiting: dict[int, list[_Waiting]] = field(default_factory=dict)
    _source: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._source = source_of(self.feed.topic)
        self.newest = self.number
        self._remember(self.number, self.head)

    def rewind(self, generation: str = "") -> None:
        """Begin another pass through a log, from its start; what is verified stays verified."""
        self.generation = generation
        self.high = 0
        self.epoch = 0
        self._walk = None
        self._waiting.clear()
        self.newest = self.number

    def missing(self) -> int | None:
        """Return the number that is waited for, None when nothing newer is known to exist."""
        return self.number + 1 if self.newest > self.number else None

    def waiting(self) -> int:
        """Return how many records are held back."""
        return sum(len(candidates) for candidates in self._waiting.values())

    def lacking(self) -> int:
        """Return how many numbers below the newest known one have neither been verified nor are held back."""
        return max(0, self.newest - self.number - len(self._waiting))

    def lowest_offset_waiting(self) -> int | None:
        """Return the offset from which the log must be read again after a restart, None when nothing is held."""
        return min((one.record.offset for many in self._waiting.values() for one in many), default=None)

    def examine(self, record: LogRecord) -> Examined:
        """Return what a record is by itself. It asks only which feed this is, so that it may run beside `judge`."""
        try:
            found = attributes_in(record.headers)
            if found.get("organisation") != self.feed.organisation or found.get("source") != self._source:
                return Examined(record, self._misplaced(record, found))
            body = decode_unnumbered(record.value, found)
            if body is not None:
                return Examined(record, body)
            envelope = envelope_from(record.key, record.value, found)
        except Malformed as error:
            return Examined(record, Stray(record, error.detail))
        return Examined(record, Next(envelope, hash_of(envelope), record.offset), epoch_of(record.headers) or 0)

    def judge(self, one: Examined) -> list[Verdict]:
        """Judge one record; an empty list says that it is known already, or held back until what is before it comes.

        Where it is the next event, the verdict is the very `Next` that `examine` made.
        """
        what = one.what
        if isinstance(what, Next):
            self.epoch = max(self.epoch, one.epoch)
            return self._numbered(what, one.record)
        return [what] if isinstance(what, Stray) else self._unnumbered(what)

    def fill(self, envelopes: Iterable[Envelope]) -> list[Verdict]:
        """Take the missing range as the owner's pull feed gave it, then whatever was held back behind it."""
        verdicts: list[Verdict] = []
        for envelope in envelopes:
            if envelope.organisation != self.feed.organisation or envelope.source != self._source:
                return [*verdicts, Fork(envelope.feedseq, "the pull feed's event is not of this feed")]
            if envelope.feedseq <= self.number:
                continue
            if envelope.feedseq != self.number + 1 or envelope.prevhash != self.head:
                return [*verdicts, Fork(self.number + 1, "the owner's own feed does not continue what was read before")]
            verdicts.append(self._accept(Next(envelope, hash_of(envelope))))
        return verdicts + self._drain()

    def _misplaced(self, record: LogRecord, found: Mapping[str, str]) -> Stray:
        if "organisation" not in found or "source" not in found:
            return Stray(record, "this is no event")
        return Stray(record, "the envelope names another owner or feed than the topic", security=True)

    def _unnumbered(self, body: Opened | Heartbeat) -> list[Verdict]:
        if body.generation != self.generation:
            return [Opening(body.generation, begins=isinstance(body, Opened))]
        if isinstance(body, Opened):
            return []
        if body.epoch < self.epoch:
            return []
        self.epoch = body.epoch
        fork = self._fork_in(body)
        if fork is not None:
            return [] if (fork.number, fork.hash) in self.settled else [fork]
        self.newest = max(self.newest, body.feedseq)
        return [Beat(body)]

    def _fork_in(self, body: Heartbeat) -> Fork | None:
        if body.feedseq < self.high:
            return Fork(body.feedseq, "a heartbeat is below the number read before it")
        if self._memory.get(body.feedseq) in (None, body.head_hash):
            return None
        detail = "a heartbeat names another hash than the one read under its number"
        return Fork(body.feedseq, detail, body.head_hash)

    def _numbered(self, event: Next, record: LogRecord) -> list[Verdict]:
        number = event.number
        if number <= self.number:
            return self._compared(event.envelope, event.hash)
        if number > self.number + 1:
            candidates = self._waiting.setdefault(number, [])
            if all(one.event.hash != event.hash for one in candidates):
                candidates.append(_Waiting(event, record))
            self.newest = max(self.newest, number)
            return []
        if event.envelope.prevhash != self.head:
            return [Stray(record, "prevhash does not continue the chain", security=True)]
        return [self._accept(event), *self._drain()]

    def _compared(self, envelope: Envelope, digest: str) -> list[Verdict]:
        number = envelope.feedseq
        known = self._memory.get(number) or self.anchors.get(number)
        if known != digest and (number, digest) in self.settled:
            return []
        if known is not None and known != digest:
            return [Fork(number, "another event stands under a number that was read before", digest)]
        if self._walk is not None and self._walk[0] + 1 == number and self._walk[1] != envelope.prevhash:
            return [Fork(number, "events read before do not continue each other now", digest)]
        self._walk = (number, digest)
        self.high = max(self.high, number)
        return []

    def _drain(self) -> list[Verdict]:
        verdicts: list[Verdict] = []
        while candidates := self._waiting.pop(self.number + 1, []):
            head, true_one = self.head, None
            for one in candidates:
                if one.event.envelope.prevhash != head or true_one is not None:
                    verdicts.append(Stray(one.record, "prevhash does not continue the chain", security=True))
                else:
                    true_one = one
            if true_one is not None:
                verdicts.append(self._accept(true_one.event))
        return verdicts

    def _accept(self, event: Next) -> Next | Fork:
        number, digest = event.number, event.hash
        anchor = self.anchors.get(number)
        if anchor is not None and anchor != digest:
            return Fork(number, "another event stands under a number that another organisation's position holds")
        self.number, self.head = number, digest
        if event.offset is not None:  # what came by the pull feed stands later, behind heartbeats that name less
            self.high = max(self.high, number)
        self.newest = max(self.newest, number)
        self._walk = (number, digest)
        self._remember(number, digest)
        return event

    def _remember(self, number: int, digest: str) -> None:
        self._memory[number] = digest
        while len(self._memory) > HASHES_REMEMBERED:
            self._memory.popitem(last=False)


def chain_from(
    topic: str,
    known: Mapping[str, tuple[int, str]],
    generation: str,
    settled: frozenset[tuple[int, str]] = frozenset(),
) -> Chain:
    """Return the chain that continues the lowest of the organisations' positions and compares the others as it passes.

    Args:
        topic: The feed's topic.
        known: Organisation -> (number, head hash); number 0 where nothing was read yet.
        generation: The generation that the log had, empty where it is not known.
        settled: Records (number, hash) that differ from what was read, and that a person has decided about.
    """
    number, head = min(known.values(), default=(0, GENESIS))
    anchors = {at: digest for at, digest in known.values() if at > number}
    return Chain(feed_of(topic), number, head, generation, anchors, settled)
