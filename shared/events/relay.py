"""The relay of one feed: holds the lease, numbers, checks the log's tail, sends, marks, announces.

`step()` does all that can be done now and returns; threads, waiting and waking belong to `relay_process.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from itertools import chain
from typing import Final

import msgspec

from shared.errors import Unavailable
from shared.events.feed import FeedName
from shared.events.heartbeat import Announcer
from shared.events.lease import Lease
from shared.events.ledger import RECOVERY, HashIndex, Head, Ledger, Numbered, Round
from shared.events.log import OwnLog
from shared.events.marks import Mark, MarkedLog, MarkMoved, Marks
from shared.events.numbering import Fenced, Numbering
from shared.events.records import Encoded
from shared.events.refusals import RefusedByBroker
from shared.events.relay_metrics import Gauges
from shared.events.sending import Sender
from shared.events.tail import FeedRefused, Tail, check_tail, scan_log
from shared.events.topics import LogPlace, Topics
from shared.storage.unit_of_work import Reading, UnitOfWork

log = logging.getLogger(__name__)

IDENTITY_SECONDS: Final = 15.0
MOST_FRESH_ROUNDS: Final = 8
MUCH_BYTES: Final = 1024 * 1024
"""Rounds are sent together, with one mark, until their data reach this or there are so many."""


class Outcome(Enum):
    """What a step came to."""

    WORKED = "worked"
    IDLE = "idle"
    STANDBY = "standby"


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """What all feeds of a relay process share.

    `own_log` makes what reads a feed's own topic back. `at` is called with the name of each step that was just
    finished: tests and simulations raise there. `sent` is called when the broker has events of a feed.
    """

    unit_of_work: UnitOfWork
    topics: Topics
    sender: Sender
    bootstrap_servers: str
    holder: str
    heartbeat_seconds: float
    partnership_version: str
    partnership_hash: str
    lease_seconds: float = 30.0
    summed: dict[str, str] = msgspec.field(default_factory=dict)
    kafka_config: dict[str, object] = msgspec.field(default_factory=dict)
    own_log: Callable[..., OwnLog] = OwnLog
    at: Callable[[str], None] = lambda _: None
    sent: Callable[[FeedName], None] | None = None


class FeedRelay:
    """Numbers and sends one feed. Not safe to share by threads."""

    def __init__(self, name: FeedName, links: Links) -> None:
        unit = links.unit_of_work
        self.name = name
        self.gauges = Gauges()
        self._links = links
        self._clock = unit.clock
        self._lease = Lease(unit, name, holder=links.holder, lease_seconds=links.lease_seconds)
        self._numbering = Numbering(unit, name, links.summed)
        self._marks = Marks(unit, name)
        self._announcer = Announcer(
            unit, name, partnership_version=links.partnership_version, partnership_hash=links.partnership_hash
        )
        self._own_log = links.own_log(links.bootstrap_servers, name.topic, unit.clock, config=links.kafka_config)
        self._head: Head | None = None
        self._known = 0
        self._mark = Mark()
        self._fresh: dict[int, list[Numbered]] = {}
        self._checked = False
        self._was_checked = False
        self._sender_generation = -1
        self._last_offset = -1
        self._look_at = 0.0
        self._beat_at = 0.0

    def step(self) -> Outcome:
        """Do all that can be done now.

        Raises:
            Unavailable: The database or the broker does not answer; try again later.
            RefusedByBroker: The broker does not let this relay do it; a person is told, and it is tried again.
            FeedRefused: The log knows more than the database; a person decides.
        """
        try:
            return self._step()
        except Fenced:
            log.warning("relay of %s was fenced", self.name.topic)
            self._forget()
            return Outcome.STANDBY
        except MarkMoved:
            self._doubt()
            return Outcome.WORKED
        except RefusedByBroker:
            self.gauges.forbidden = 1
            self._doubt()
            raise
        except FeedRefused:
            self.gauges.refused = 1
            self._was_checked = False
            self._doubt()
            raise
        except BaseException:
            self._doubt()
            raise

    def release(self) -> None:
        """Give the feed back at a clean end."""
        self._lease.release()

    def due_in(self) -> float:
        """Return the seconds until this feed wants a step though nothing happens, 0 where it is in doubt.

        What is committed during a step wakes the relay again: to look once more at once would find nothing.
        """
        if not self._checked:
            return 0.0
        seconds: float = min(self._beat_at, self._look_at) - self._clock.monotonic()
        return max(0.0, seconds)

    def _step(self) -> Outcome:
        head = self._hold()
        if head is None:
            return Outcome.STANDBY
        self._notice_changes(head)
        if not self._checked:
            head = self._check_or_number(head)
        before = (head.number, self._mark.published)
        head = self._number(head, sends=True)
        self._send(head)
        self._beat(head)
        return Outcome.WORKED if before != (head.number, self._mark.published) else Outcome.IDLE

    def _hold(self) -> Head | None:
        """Return the head if this relay has the feed now, else None."""
        if self._lease.epoch == 0:
            self._head = self._lease.take()
            if self._head is None:
                return None
        self._renew()
        if self._head is None:
            self._head = Ledger(self._reading(), self.name).head()
            if self._head.epoch != self._lease.epoch:
                raise Fenced("another relay has this feed")
            if self._head.number < self._known:  # the database came back from a backup: nothing is numbered over it
                self._was_checked = False
        self._known = self._head.number
        self.gauges.epoch, self.gauges.head = self._head.epoch, self._head.number
        return self._head

    def _renew(self) -> None:
        """Prolong the lease; after a whole one of silence nothing is numbered or sent before the log was looked at."""
        if self._lease.renew():
            self._was_checked = False
            raise MarkMoved("this relay stood still for as long as its lease: another may have had the feed")

    def _notice_changes(self, head: Head) -> None:
        """Ask for a check when a command, another producer or another log calls for one."""
        mark = self._marks.read(head.epoch)
        if mark.turn != self._mark.turn or self._links.sender.generation != self._sender_generation:
            self._checked = False
        elif self._checked and mark != self._mark:  # nobody else moves it: the database came back from a backup
            self._was_checked = False
            raise MarkMoved("how far this feed was sent is not what this relay wrote")
        self._mark = mark
        if self._checked and self._clock.monotonic() >= self._look_at:
            place = self._links.topics.place(self.name.topic)
            self._look_at = self._clock.monotonic() + IDENTITY_SECONDS
            if place is None or mark.log is None or not mark.log.is_at(place):
                self._checked = False

    def _check_or_number(self, head: Head) -> Head:
        """Check the log; while the broker is away, number all the same, once a check has succeeded before."""
        try:
            return self._check(head)
        except FeedRefused:
            self._renew()  # who stood still meanwhile and lost the feed to another: it is the other one's log by now
            raise
        except Unavailable:
            self._lease.renew()  # a broker that lets one wait is no silence either
            if self._was_checked:
                self._number(self._head or head)  # its epoch may have risen above a producer's that was thrown away
            raise

    def _check(self, head: Head) -> Head:
        head = self._outrank(head)
        place = self._links.topics.ensure_feed(self.name.topic)  # also for a recovery, which reads what there is
        self._refuse_half_recovered()
        index = HashIndex(Ledger(self._reading(), self.name), head)
        if self._mark.new_generation is not None:
            after = self._open(place, self._mark.new_generation)
        elif self._mark.log is not None and self._mark.log.is_at(place):
            tail = check_tail(self._own_log.read, self._mark, head, index)
            head = self._report(tail, head)
            after = self._continue(self._mark.log, tail, index)
        else:
            tail = scan_log(self._own_log.read, head, index)
            head = self._report(tail, head)
            after = self._take_over_log(place, tail, index)
        self._mark = self._marks.move(self._mark, msgspec.structs.replace(after, turn=self._mark.turn), head.epoch)
        self._last_offset = max(self._mark.offset, self._mark.log.opened if self._mark.log else -1)
        self._watch_beginning()
        self._look_at = self._clock.monotonic() + IDENTITY_SECONDS
        self._checked = self._was_checked = True
        self.gauges.refused = self.gauges.forbidden = 0
        self.gauges.published = self._mark.published
        self._lease.renew()  # a long look at the log is no silence
        self._links.at("checked")
        return head

    def _refuse_half_recovered(self) -> None:
        """Number nothing while a recovery stands half done: what waits here may be what it brought back already."""
        if self._reading().rows(self.name.state).find_one({"_id": RECOVERY}) is not None:
            raise FeedRefused("bringing this feed back was broken off: run partnership recover-feed again")

    def _continue(self, marked: MarkedLog, tail: Tail, index: HashIndex) -> Mark:
        if tail.opened > marked.opened and tail.generation is not None:
            marked = msgspec.structs.replace(marked, generation=tail.generation, opened=tail.opened)
        return self._marked(marked, tail, index)

    def _take_over_log(self, place: LogPlace, tail: Tail, index: HashIndex) -> Mark:
        """Return the mark on a log that is new to the database: opened already, or to be opened now."""
        if self._mark.log is not None:
            self.gauges.resent_logs += 1
            self.gauges.resent_at = int(self._clock.now().timestamp())
            log.warning("feed %s is on another log; it is sent again", self.name.topic)
        if tail.generation is None:
            return self._open(place, self._links.unit_of_work.new_identifier())
        marked = MarkedLog(
            cluster_id=place.cluster_id, topic_id=place.topic_id, generation=tail.generation, opened=tail.opened
        )
        return self._marked(marked, tail, index)

    def _open(self, place: LogPlace, generation: str) -> Mark:
        [offset] = self._links.sender.send(self.name.topic, [self._announcer.opening(generation, self._lease.epoch)])
        marked = MarkedLog(cluster_id=place.cluster_id, topic_id=place.topic_id, generation=generation, opened=offset)
        self._links.at("opened")
        return Mark(log=marked, offset=offset)

    def _marked(self, marked: MarkedLog, tail: Tail, index: HashIndex) -> Mark:
        rounds = index.round_before(tail.published)
        return Mark(log=marked, published=tail.published, hash=tail.hash, round=rounds, offset=tail.offset)

    def _outrank(self, head: Head) -> Head:
        """Rise above the producer that was thrown away: what it had under way may reach the log behind newer records.

        Readers tell a late heartbeat by its older epoch; without that it would look like a history that went back.
        """
        generation, before = self._links.sender.generation, self._sender_generation
        if generation != before and before >= 0:
            head = self._rise(head, head.epoch)
        self._sender_generation = generation
        return head

    def _rise(self, head: Head, above: int) -> Head:
        self._head = msgspec.structs.replace(head, epoch=self._lease.raise_above(above))
        self.gauges.epoch = self._head.epoch
        return self._head

    def _report(self, tail: Tail, head: Head) -> Head:
        """Show what the check found; stay above any epoch that the log has seen."""
        self.gauges.foreign_records = tail.foreign
        if tail.foreign:
            log.warning("feed %s: %d unreadable or foreign records at the tail, skipped", self.name.topic, tail.foreign)
        if tail.rewound:
            self.gauges.rewound += 1
            log.warning("feed %s: the log lost what was sent; everything is sent again", self.name.topic)
        return self._rise(head, tail.epoch) if tail.epoch > head.epoch else head

    def _watch_beginning(self) -> None:
        gone = self._mark.log is not None and self._own_log.beginning() > self._mark.log.opened
        self.gauges.beginning_gone = int(gone)
        if gone:
            log.error("feed %s: the log's first records are gone; somebody set a retention", self.name.topic)

    def _number(self, head: Head, *, sends: bool = False) -> Head:
        """Number all that waits; with `sends`, send it in between, so that little of it lies in memory at a time.

        A broker that takes nothing stops the sending, not the numbering: what is numbered can be had from the owner.
        """
        if self._lease.session is None or not self._numbering.is_waiting():
            return head
        fault: Unavailable | None = None
        for after, numbered in self._numbering.rounds(head, self._lease.session, lambda: self._links.at("read")):
            self._head, self._known, head = after, after.number, after
            self.gauges.head = head.number
            self._links.at("numbered")
            self._renew()
            if not sends or fault is not None:
                continue
            self._fresh[head.rounds] = numbered
            if _is_much(self._fresh.values()):
                try:
                    self._send(head)
                except Unavailable as error:
                    fault = error
        if fault is not None:
            raise fault
        return head

    def _send(self, head: Head) -> None:
        while self._mark.round < head.rounds:
            last_round, numbered = self._unsent(head)
            unsent = [one for one in numbered if one[0].feedseq > self._mark.published]
            offset = self._send_events(unsent, head.epoch) if unsent else self._mark.offset
            last, digest = numbered[-1]
            after = msgspec.structs.replace(
                self._mark, published=last.feedseq, hash=digest, round=last_round, offset=offset
            )
            self._mark = self._marks.move(self._mark, after, head.epoch)
            self.gauges.published = last.feedseq
            self._links.at("marked")
            self._renew()
        self._fresh.clear()

    def _unsent(self, head: Head) -> tuple[int, list[Numbered]]:
        """Return the next rounds to send, as many as make a good deal: the last one's number, and their events."""
        ledger, rounds, number = Ledger(self._reading(), self.name), list[list[Numbered]](), self._mark.round
        while number < head.rounds and not _is_much(rounds):
            number += 1
            rounds.append(self._fresh.pop(number, []) or ledger.events(_existing(ledger.round(number))))
        return number, list(chain.from_iterable(rounds))

    def _send_events(self, unsent: list[Numbered], epoch: int) -> int:
        records = Encoded([envelope for envelope, _ in unsent], epoch)
        self._links.at("sending")
        offsets = self._links.sender.send(self.name.topic, records)
        self._links.at("acknowledged")
        self._see_offset(offsets[0])
        self._last_offset = offsets[-1]
        if self._links.sent is not None:
            self._links.sent(self.name)
        return offsets[-1]

    def _see_offset(self, offset: int) -> None:
        """Notice that the log is shorter than it was, or another: an offset at or below one acknowledged before."""
        if offset <= self._last_offset:
            raise Unavailable(f"the log of {self.name.topic} went back; its tail is checked again")

    def _beat(self, head: Head) -> None:
        if self._clock.monotonic() < self._beat_at or self._mark.log is None or self._mark.published != head.number:
            return
        record = self._announcer.heartbeat(head, self._mark.log.generation)
        [offset] = self._links.sender.send(self.name.topic, [record])
        self._see_offset(offset)
        self._last_offset = offset
        self._beat_at = self._clock.monotonic() + self._links.heartbeat_seconds

    def _reading(self) -> Reading:
        return self._links.unit_of_work.reading(self.name.organisation)

    def _doubt(self) -> None:
        self._checked = False
        self._head = None
        self._fresh.clear()

    def _forget(self) -> None:
        self._doubt()
        self._was_checked = False
        self._lease.drop()


def _is_much(rounds: Collection[Sequence[Numbered]]) -> bool:
    """Return whether this is so much that it is sent before more is numbered or read."""
    size = sum(len(envelope.data) for numbered in rounds for envelope, _ in numbered)
    return len(rounds) >= MOST_FRESH_ROUNDS or size >= MUCH_BYTES


def _existing(found: Round | None) -> Round:
    if found is None:
        raise Fenced("a numbering document has gone")
    return found
