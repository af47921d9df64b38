"""The alarm of one feed in one reader: raised, kept in the home organisation's database, shown, taken back.

Also how much of the feed is parked, for the metrics. What raises an alarm is `feed_reading.py`'s business.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from shared.events import alarms, fences, heard, reading_metrics
from shared.events.alarms import FORK, GAP, GRAVITY, LIMIT, Alarm
from shared.events.checking import Chain, Stray
from shared.events.envelope import Heartbeat
from shared.events.feed import FeedName
from shared.events.heard import Heard
from shared.events.parking import Parked, list_parked
from shared.events.positions import Position
from shared.events.reading_batch import Applied
from shared.events.routing import Routed
from shared.events.tally import Tally, differences
from shared.storage.unit_of_work import UnitOfWork
from shared.telemetry import correlation

log = structlog.get_logger(__name__)
lines = logging.getLogger(__name__)  # asked first whether anybody listens: one line for each event costs

STOPPING: Final = (FORK, LIMIT)
FORGED: Final = "stray-security"
"""Shown also while it is 0: somebody is woken for the first one."""
MOST_LINES: Final = 20


class FeedWatch:
    """What one feed has to say to people."""

    def __init__(self, unit: UnitOfWork, feed: FeedName, home: str, takers: Sequence[str]) -> None:
        self.settled: frozenset[tuple[int, str]] = frozenset()
        """Records (number, hash) that differ from what was read, and that a person has decided about."""
        self._raised: dict[str, Alarm] = {}
        self._unit = unit
        self._feed = feed
        self._home = home
        self._takers = tuple(takers)
        self._labels = (unit.service, feed.topic)
        self._is_kept = False
        self._theirs = ""
        self._compared = (-1, False)
        self._behind_since: datetime | None = None
        self._reasons: frozenset[str] = frozenset()

    @property
    def alarm(self) -> Alarm | None:
        """Return the gravest of what was raised: a feed can be forked and beyond its limit at once."""
        return max(self._raised.values(), key=alarms.gravity, default=None)

    def load(self) -> None:
        """Take up the alarm that an earlier reader left, and count what is parked."""
        kept = alarms.kept(self._unit, self._home, self._feed.topic)
        self._raised = {} if kept.alarm is None else {kept.alarm.kind: kept.alarm}
        self.settled = kept.settled
        self._is_kept = True
        self._compared = (-1, False)
        self._show()
        reading_metrics.TAKEN_UP.labels(*self._labels).set(self._unit.clock.now().timestamp())
        reading_metrics.LAG_SECONDS.labels(*self._labels).set_function(self._lag_seconds)
        self.count()

    def is_stopped(self, *kinds: str) -> bool:
        """Say whether a person has to decide before this feed goes on."""
        return not self._raised.keys().isdisjoint(kinds or STOPPING)

    def sound(self, kind: str, number: int, detail: str, digest: str = "") -> None:
        """Raise an alarm beside those there are; one that stops the feed is kept at the next `keep`."""
        before, alarm = self.alarm, Alarm(feed=self._feed.topic, kind=kind, number=number, detail=detail, hash=digest)
        self._raised.setdefault(kind, alarm)
        if before is None or alarms.gravity(alarm) > alarms.gravity(before):
            self._is_kept = kind == GAP
        self._show()
        log.error("feed.alarm", feed=self._feed.topic, kind=kind, number=number, detail=detail)

    def wants_keeping(self) -> bool:
        """Say whether an alarm was raised that a restart would not find yet."""
        return self.alarm is not None and not self._is_kept

    def keep(self, held_at: Mapping[str, Position]) -> bool:
        """Write the gravest alarm that stops the feed where a restart finds it.

        Returns False where a person has set a position back from where the reader holds it: they saw this coming
        elsewhere, and nothing stops the feed any more.
        """
        alarm = self.alarm
        if alarm is None or not self.wants_keeping():
            return True
        self._is_kept = alarms.raise_alarm(self._unit, self._home, alarm, held_at=held_at)
        if not self._is_kept:
            self._raised.clear()
            self._show()
            log.warning("feed.resumed", feed=self._feed.topic, kind=alarm.kind)
        return self._is_kept

    def end_gap(self) -> None:
        """The gap is over."""
        if self._raised.pop(GAP, None) is not None:
            self._show()

    def resolved(self) -> str | None:
        """Return the kind of the gravest alarm that a person has ended since, None when nothing changed.

        With it ends whatever else stopped the feed: it is found again where it still is.
        """
        alarm = self.alarm
        if alarm is None or not self.is_stopped() or not self._is_kept:
            return None
        kept = alarms.kept(self._unit, self._home, self._feed.topic)
        if kept.alarm is not None:
            return None
        kind, self.settled = alarm.kind, kept.settled
        self._raised.clear()
        self._show()
        log.warning("feed.resumed", feed=self._feed.topic, kind=kind)
        return kind

    def count(self) -> None:
        """Count in the organisations' databases what waits for a person, and the readers that were fenced lately."""
        fences.show(self._unit, self._takers, self._feed.topic)
        waiting = [one for taker in self._takers for one in list_parked(self._unit, taker, feed=self._feed.topic)]
        reading_metrics.WAITING.labels(*self._labels).set(len(waiting))
        keys = Counter(reason_code(one) for one in waiting if one.is_cause)
        for reason in self._reasons | keys.keys() | {FORGED}:
            reading_metrics.PARKED_KEYS.labels(*self._labels, reason).set(keys[reason])
        self._reasons = frozenset(keys)

    def taken(self, applied: Applied, now: datetime) -> None:
        """Count what a transaction did, and how old its events were."""
        age = reading_metrics.EVENT_AGE.labels(self._unit.service, self._feed.service)
        for event in applied.taken:
            if event.at is not None:
                age.observe(max(0.0, (now - event.at).total_seconds()))
        reading_metrics.EFFECTS.labels(self._unit.service, self._feed.service).inc(len(applied.taken))
        tell_taken(self._feed.topic, applied.taken)
        if applied.parked:
            reading_metrics.PARKED.labels(*self._labels).inc(applied.parked)
            reading_metrics.WAITING.labels(*self._labels).inc(applied.parked)
            log.warning("feed.parked", feed=self._feed.topic, count=applied.parked, causes=len(applied.causes))

    def heard(self, newest: int, now: datetime) -> None:
        """Show the newest number that the owner has named, and when the feed was last heard of."""
        reading_metrics.ANNOUNCED.labels(*self._labels).set(newest)
        reading_metrics.HEARD.labels(*self._labels).set(now.timestamp())

    def compare_partnership(self, theirs: str, ours: str) -> None:
        """Show whether the owner works with another partnership file than this instance; say so once for each file."""
        reading_metrics.OTHER_PARTNERSHIP.labels(*self._labels).set(int(theirs != ours))
        if theirs != ours and theirs != self._theirs:
            log.warning("feed.other_partnership_file", feed=self._feed.topic, theirs=theirs, ours=ours)
        self._theirs = theirs

    def heard_totals(self, beat: Heartbeat, now: datetime, ours: str) -> None:
        """Keep the owner's figures in memory, for whoever asks this process how fresh the feed is."""
        other = bool(ours) and beat.partnership_hash != ours
        heard.note(self._unit.service, self._feed.topic, Heard(heartbeat=beat, at=now, is_other_partnership=other))

    def compare_totals(self, tally: Tally | None, beat: Heartbeat) -> None:
        """Show in how many figures the reader and the owner differ; name them once for each number."""
        if tally is None or self._compared == (beat.feedseq, True):
            return
        found = differences(tally, beat)
        reading_metrics.DIFFERENCES.labels(*self._labels).set(len(found))
        if found and self._compared != (beat.feedseq, False):
            told = [str(one) for one in found]
            log.error("feed.reconcile_difference", feed=self._feed.topic, number=beat.feedseq, differences=told)
        self._compared = (beat.feedseq, not found)

    def lag(self, taken: int, chain: Chain, pending: Sequence[Routed | Stray]) -> None:
        """Show how far the feed is behind what its owner has named, and how old the oldest event is that waits."""
        behind = max(0, chain.newest - taken)
        oldest = next((item.at for item in pending if isinstance(item, Routed)), None)
        if not behind:
            self._behind_since = None
        elif oldest is not None:
            self._behind_since = oldest
        elif self._behind_since is None:
            self._behind_since = self._unit.clock.now()
        reading_metrics.LAG_EVENTS.labels(*self._labels).set(behind)
        reading_metrics.MISSING.labels(*self._labels).set(chain.lacking())

    def _lag_seconds(self) -> float:
        """Return how long the oldest event has waited: it grows also while nothing is heard of the broker."""
        since = self._behind_since
        return 0.0 if since is None else max(0.0, (self._unit.clock.now() - since).total_seconds())

    def reached(self, number: int) -> None:
        """Show the last number taken."""
        reading_metrics.NUMBER.labels(*self._labels).set(number)

    def _show(self) -> None:
        for kind in GRAVITY:
            reading_metrics.ALARMS.labels(*self._labels, kind).set(1 if kind in self._raised else 0)


def tell_taken(feed: str, events: Sequence[Routed]) -> None:
    """Log which events were taken, each under the correlation and trace of the request that led to it.

    What comes by the hundred (a rebuild, a backlog) is one line: nobody follows a request through it.
    """
    if not events or not lines.isEnabledFor(logging.INFO):
        return
    if len(events) > MOST_LINES:
        span = {"number": events[0].number, "last_number": events[-1].number, "count": len(events)}
        lines.info("events.taken", extra={"feed": feed, **span})
        return
    for event in events:
        envelope = event.next.envelope
        told = {"number": event.number, "event_id": envelope.id, "event_type": envelope.type}
        with correlation.following(envelope.correlationid, envelope.traceparent):
            lines.info("event.taken", extra={"feed": feed, **told})


def reason_code(parked: Parked) -> str:
    """Return why a record is parked in one of a few words: what a metric may be told apart by."""
    if parked.number is None:
        return FORGED if parked.security else "stray"
    return parked.reason.partition(":")[0]
