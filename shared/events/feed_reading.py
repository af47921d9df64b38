"""One feed in one reader: its chain, what is verified and not yet taken, its organisations' positions.

Lives here: the order of things for one feed (judge, route, take per organisation, advance lazily, wait for a gap, stop
on an alarm). Must not live here: the log itself, other feeds, what an event means.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shared.errors import Unavailable
from shared.events.alarms import FORK, GAP, LIMIT, Alarm
from shared.events.batch_size import BatchSize
from shared.events.checking import Fork, LogRecord, Next, Opening, Stray, Verdict, chain_from
from shared.events.deciding import replay_asked, replay_requests
from shared.events.envelope import Heartbeat
from shared.events.feed import FeedName
from shared.events.feed_watch import FeedWatch
from shared.events.gap import RANGE_EVENTS, GapWatch, SetbackWatch
from shared.events.limits import CauseLimit, Trial
from shared.events.parking import discarded_numbers
from shared.events.patience import Patience
from shared.events.positions import Fenced, take_over
from shared.events.reading_batch import Batch, BatchWriter
from shared.events.reading_rules import ReadingRules, ReadingTools
from shared.events.retold import was_recovered
from shared.events.routing import Arrived, Item, Routed, Router, offset_of
from shared.events.tally import Tally, counted

log = structlog.get_logger(__name__)

__all__ = ["FeedReading", "ReadingRules", "ReadingTools"]


class FeedReading:
    """One numbered feed. `takers` are the hosted organisations that may read it, at least one."""

    def __init__(self, feed: FeedName, takers: Sequence[str], router: Router, tools: ReadingTools) -> None:
        rules = tools.rules
        self._partnership_hash = tools.partnership_hash
        self.feed = feed
        self.topic = feed.topic
        self.read_to = 0
        self.place = ""
        self.wants_rewind = False
        self._takers = tuple(takers)
        self._home = feed.organisation if feed.organisation in self._takers else self._takers[0]
        self._router = router
        self._tools = tools
        self._watch = FeedWatch(tools.unit, feed, self._home, self._takers)
        self._writers: dict[str, BatchWriter] = {}
        self._moved_at: dict[str, float] = {}
        self._pending: list[Item] = []
        self._chain = chain_from(self.topic, {}, "")
        self._taken = (0, self._chain.head)
        self._from_start = True
        self._limit = CauseLimit()
        self._size = BatchSize(rules.batch_events, rules.most_batch_events)
        self._gap = GapWatch(rules.gap_seconds, rules.gap_records, rules.gap_retry_seconds)
        self._setback = SetbackWatch(rules.setback_seconds)
        self._tally: Tally | None = None
        self._went_back = False
        self._is_at_end = True
        self._patience = Patience(tools.clock)
        self._look_at = 0.0

    @property
    def alarm(self) -> Alarm | None:
        """Return why the feed stands still, None when it does not."""
        return self._watch.alarm

    @property
    def available(self) -> bool:
        """Say whether the database answered last."""
        return self._patience.available

    @property
    def number(self) -> int:
        """Return the last verified number."""
        return self._chain.number

    def take_over(self, place: str) -> int:
        """Make this reader the feed's only one (epochs rise once) and return the offset to read from.

        Raises:
            Unavailable: The database does not answer.
        """
        unit, session, now = self._tools.unit, self._tools.session, self._tools.clock.monotonic()
        for organisation in self._takers:
            position = take_over(unit, session, organisation, self.topic)
            discarded = discarded_numbers(unit, organisation, self.topic)
            recovered = was_recovered(unit.reading(organisation))
            writer = BatchWriter(unit, session, organisation, position, discarded, was_recovered=recovered)
            self._writers[organisation] = writer
            self._moved_at[organisation] = now
        self._watch.load()
        self._look_at = now + self._tools.rules.look_seconds
        return self._begin(place)

    def rewind(self, place: str) -> int:
        """Begin the log again (another one, or truncated) with every number kept; return the offset to read from."""
        self.place = place
        self.wants_rewind = False
        if self._went_back:
            self._went_back = False
            return self._begin(place)
        self._from_start = True
        self._restore()
        self._chain.rewind()
        self.read_to = 0
        log.warning("feed.rewound", feed=self.topic, number=self._chain.number)
        return 0

    def examine(self, records: Sequence[LogRecord]) -> Sequence[Arrived]:
        """Return what records are by themselves. It asks for nothing that `apply` changes: it may run beside it."""
        return self._router.examined(self._chain, records)

    def receive(self, records: Sequence[Arrived], end: int | None = None) -> None:
        """Judge examined records of the log, which ends at `end`, in order; what is next waits for `apply`."""
        self._is_at_end = end is None or not records or records[-1][0].record.offset + 1 >= end
        for one, routed in records:
            if self.wants_rewind or self._watch.is_stopped(FORK):
                return
            verdicts = self._chain.judge(one)
            self.read_to = one.record.offset + 1
            self._accept(verdicts, routed)
        if records:
            self._watch.heard(self._chain.newest, self._tools.clock.now())

    def apply(self) -> bool:
        """Take one batch of what is verified; return whether more is ready.

        Raises:
            Fenced: Another reader has taken over.
        """
        if not self._pending or self._patience.is_waiting():
            return False
        try:
            self._keep_alarm()  # before the position can pass what it was raised over
            if self.wants_rewind or self._watch.is_stopped(LIMIT):
                return False
            began, items = self._tools.clock.monotonic(), self._pending[: self._size.events]
            if self._take(items):  # what concerns nobody says nothing about how long reactions take
                self._size.took(len(items), self._tools.clock.monotonic() - began)
        except Unavailable:
            self._size.failed()
            self._back_off()
            return False
        self._patience.end()
        return bool(self._pending)

    def tend(self) -> None:
        """Do what is due by the clock: alarms, gaps, lazy positions.

        Raises:
            Fenced: Another reader has taken over.
        """
        now = self._tools.clock.monotonic()
        self._watch.lag(self._taken[0], self._chain, self._pending)
        if self._patience.is_waiting():
            return
        try:
            self._keep_alarm()
            if now >= self._look_at:
                self._look_at = now + self._tools.rules.look_seconds
                self._look()
            if not self.alarm or self.alarm.kind == GAP:
                self._mind_gap(now)
            self._advance(now, at_once=False)
        except Unavailable:
            self._back_off()
        else:
            if not self._pending:
                self._patience.end()

    def hand_over(self) -> None:
        """Leave every organisation's position where the feed was taken to, if that is still ours to write."""
        try:
            self._keep_alarm()
            self._advance(self._tools.clock.monotonic(), at_once=True)
        except (Unavailable, Fenced):
            log.info("feed.handed_over_without_positions", feed=self.topic)

    def is_full(self) -> bool:
        """Say whether the log should not be read on for now."""
        rules = self._tools.rules
        too_many = len(self._pending) >= rules.most_pending or self._chain.waiting() >= rules.gap_records
        return too_many or self._watch.is_stopped()

    def _begin(self, place: str) -> int:
        positions = [writer.position for writer in self._writers.values()]
        self.place = place
        self._restore()
        self._watch.reached(self._taken[0])
        if any(position.place != place for position in positions):
            self._from_start = True
            self._chain.rewind()
            self.read_to = 0
        else:
            self.read_to = min(position.next for position in positions)
            self._from_start = self.read_to == 0
        return self.read_to

    def _restore(self) -> None:
        """Let the chain continue the lowest position, compare the others as it passes them; what waits comes again."""
        self._pending.clear()
        positions = {name: writer.position for name, writer in self._writers.items()}
        known = {name: (position.number, position.head) for name, position in positions.items()}
        lowest = min(positions.values(), key=lambda position: position.number)
        self._chain = chain_from(self.topic, known, lowest.generation, self._watch.settled)
        self._taken = (self._chain.number, self._chain.head)
        self._setback = SetbackWatch(self._tools.rules.setback_seconds)
        home = positions[self._home]
        self._tally = home.tally if home.number else Tally()

    def _accept(self, verdicts: Sequence[Verdict], routed: Routed | None = None) -> None:
        for verdict in verdicts:
            if routed is not None and verdict is routed.next:
                self._pending.append(routed)
            elif isinstance(verdict, Next):
                self._pending.append(self._router.route(verdict))
            elif isinstance(verdict, Stray):
                self._pending.append(verdict)
            elif isinstance(verdict, Fork):
                self._watch.sound(FORK, verdict.number, verdict.detail, verdict.hash)
                return
            elif isinstance(verdict, Opening):
                self._meet_generation(verdict)
            else:
                self._heed(verdict.heartbeat)

    def _heed(self, beat: Heartbeat) -> None:
        """Hold the owner's own figures against what was read of it."""
        now = self._tools.clock.monotonic()
        if self._partnership_hash:
            self._watch.compare_partnership(beat.partnership_hash, self._partnership_hash)
        self._watch.heard_totals(beat, self._tools.clock.now(), self._partnership_hash)
        # Organisations that a feed seldom concerns stand behind: the chain then begins below what others have taken.
        known = max(self._chain.number, *(writer.position.number for writer in self._writers.values()))
        if self._setback.is_set_back(beat.feedseq, known, now, is_at_end=self._is_at_end):
            self._watch.sound(FORK, beat.feedseq + 1, f"the owner names less than {known}, read before")
        elif beat.feedseq == known == self._chain.number:
            self._watch.compare_totals(self._tally_at(beat.feedseq, self._pending), beat)

    def _tally_at(self, number: int, items: Sequence[Item]) -> Tally | None:
        if self._tally is None:
            return None
        events = (item.next.envelope for item in items if isinstance(item, Routed) and item.number <= number)
        return counted(self._tally, events, self._tools.summed)

    def _meet_generation(self, opening: Opening) -> None:
        """Adopt another generation where all of it is still to be read; otherwise begin the log again."""
        if opening.begins or self._from_start or not self._chain.generation:
            self._chain.rewind(opening.generation)
        else:
            self.wants_rewind = True

    def _take(self, items: Sequence[Item]) -> bool:
        """Take these; return whether anything was committed for anybody."""
        is_committed = False
        trial = Trial(self._limit, [None if isinstance(item, Stray) else item.number for item in items])
        for organisation, writer in self._writers.items():
            cut = trial.cut()
            batch = self._batch(items[:cut], organisation, cut)
            if not batch.events and not batch.strays:
                continue
            applied = writer.take(batch, trial.stop)
            is_committed = True
            self._moved_at[organisation] = self._tools.clock.monotonic()
            trial.add(applied.causes)
            self._watch.taken(applied, self._tools.clock.now())
        self._finish(items, trial)
        return is_committed

    def _batch(self, items: Sequence[Item], organisation: str, cut: int) -> Batch:
        events = [item for item in items if isinstance(item, Routed)]
        strays = [item for item in items if isinstance(item, Stray)] if organisation == self._home else []
        number, head = (events[-1].number, events[-1].next.hash) if events else self._taken
        return Batch(
            events=[event for event in events if organisation in event.takers],
            strays=strays,
            number=number,
            head=head,
            next=self._next_offset(cut),
            place=self.place,
            generation=self._chain.generation,
            tally=(lambda at: self._tally_at(at, items)) if organisation == self._home else None,
        )

    def _next_offset(self, done: int) -> int:
        """Return the offset from which everything that is not taken yet can be read again."""
        offsets = [offset_of(item) for item in self._pending[done:]]
        known = [offset for offset in (*offsets, self._chain.lowest_offset_waiting()) if offset is not None]
        return min(known, default=self.read_to)

    def _finish(self, items: Sequence[Item], trial: Trial) -> None:
        cut, is_tripped = trial.cut(), trial.note()
        events = [item for item in items[:cut] if isinstance(item, Routed)]
        if events:
            self._tally = self._tally_at(events[-1].number, events)
            self._taken = (events[-1].number, events[-1].next.hash)
        del self._pending[:cut]
        self._watch.reached(self._taken[0])
        if is_tripped:
            self._watch.sound(
                LIMIT, self._taken[0], "too much is parked: more than 5 % of 1,000 records, or 50 in a row"
            )
            self._keep_alarm()

    def _advance(self, now: float, *, at_once: bool) -> None:
        """Move the positions of organisations that the latest events did not concern; never for a heartbeat alone."""
        if self.wants_rewind:  # a person may just have set the position back: what was taken before is not its number
            return
        rules = self._tools.rules
        number, head = self._taken
        for organisation, writer in self._writers.items():
            old = writer.position
            behind = number - old.number
            moved = behind > 0 or (old.place != self.place and self._chain.high >= old.number > 0)
            is_due = at_once or behind >= rules.lazy_numbers or now - self._moved_at[organisation] >= rules.lazy_seconds
            if not moved or not is_due:
                continue
            where = self._next_offset(0)
            generation = self._chain.generation
            tally = (lambda at: self._tally_at(at, ())) if organisation == self._home else None
            # on another log this one may stand further on than `number`, and is told its new place all the same
            batch = Batch((), (), number, head, where, self.place, generation, tally)
            writer.take(batch, lambda _: None)
            self._moved_at[organisation] = now

    def _mind_gap(self, now: float) -> None:
        chain = self._chain
        missing = chain.missing()
        if missing is None or missing != (self.alarm.number if self.alarm else missing):
            self._watch.end_gap()
        if not self._gap.is_due(missing, chain.waiting(), now):
            return
        self._gap.tried(now)
        if self._fill():
            self._watch.end_gap()
        elif self.alarm is None:
            told = "missing here and not to be had from its owner: republish --organisation"
            self._watch.sound(GAP, missing or 0, f"{told} {self.feed.organisation}")

    def _fill(self) -> bool:
        if self._tools.fetch is None:
            return False
        chain = self._chain
        while (missing := chain.missing()) is not None and not self._watch.is_stopped():
            try:
                self._accept(chain.fill(self._tools.fetch(self.feed, missing - 1, RANGE_EVENTS)))
            except Unavailable:
                return False
            if chain.missing() == missing:
                return False
        return True

    def _look(self) -> None:
        """See whether a person has decided, and how much is still parked."""
        self._watch.count()
        for organisation, writer in self._writers.items():
            if not self._watch.is_stopped():
                writer.confirm()
            if writer.position.blocked:
                replay_asked(writer, self._router, replay_requests(self._tools.unit, organisation, self.topic))
        kind = self._watch.resolved()
        if kind is not None:
            self._limit = CauseLimit()
        if kind == FORK:
            self._begin_where_told()

    def _keep_alarm(self) -> None:
        if self._watch.wants_keeping():  # what a database that came back from a backup has not read is no alarm there
            for writer in self._writers.values():
                writer.confirm()
        if not self._watch.keep({taker: writer.position for taker, writer in self._writers.items()}):
            self._begin_where_told()

    def _begin_where_told(self) -> None:
        went_back = [writer.reload(may_go_back=True) for writer in self._writers.values()]
        self._went_back = self._went_back or any(went_back)
        self.wants_rewind = True

    def _back_off(self) -> None:
        if self._patience.back_off():
            log.warning("feed.backing_off", feed=self.topic)
