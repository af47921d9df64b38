"""The alarm of one feed in one reader: raised, kept in the home organisation's database, shown, taken back.

Also how much of the feed is parked, for the metrics. What raises an alarm is `feed_reading.py`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from shared.events import alarms, heard, reading_metrics
from shared.events.alarms import FORK, GAP, LIMIT, Alarm
from shared.events.envelope import Heartbeat
from shared.events.feed import FeedName
from shared.events.heard import Heard
from shared.events.parking import list_parked
from shared.events.reading_batch import Applied
from shared.events.tally import Tally, differences
from shared.storage.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

STOPPING: Final = (FORK, LIMIT)


class FeedWatch:
    """What one feed has to say to people."""

    def __init__(self, unit: UnitOfWork, feed: FeedName, home: str, takers: Sequence[str]) -> None:
        self.alarm: Alarm | None = None
        self._unit = unit
        self._feed = feed
        self._home = home
        self._takers = tuple(takers)
        self._labels = (unit.service, feed.topic)
        self._is_kept = False
        self._theirs = ""
        self._compared = (-1, False)

    def load(self) -> None:
        """Take up the alarm that an earlier reader left, and count what is parked."""
        self.alarm = alarms.open_alarm(self._unit, self._home, self._feed.topic)
        self._is_kept = True
        self._show()
        self.count_parked()

    def is_stopped(self, *kinds: str) -> bool:
        """Say whether a person has to decide before this feed goes on."""
        return self.alarm is not None and self.alarm.kind in (kinds or STOPPING)

    def sound(self, kind: str, number: int, detail: str) -> None:
        """Raise an alarm; one that stops the feed is kept at the next `keep`."""
        self.alarm = Alarm(feed=self._feed.topic, kind=kind, number=number, detail=detail)
        self._is_kept = kind == GAP
        self._show()
        log.error("feed.alarm", feed=self._feed.topic, kind=kind, number=number, detail=detail)

    def keep(self) -> None:
        """Write an alarm that stops the feed where a restart finds it."""
        if self.alarm is not None and not self._is_kept:
            alarms.raise_alarm(self._unit, self._home, self.alarm)
            self._is_kept = True

    def end_gap(self) -> None:
        """The gap is over."""
        if self.alarm is not None and self.alarm.kind == GAP:
            self.alarm = None
            self._show()

    def resolved(self) -> str | None:
        """Return the kind of the alarm that a person has ended since, None when nothing changed."""
        if self.alarm is None or not self.is_stopped() or not self._is_kept:
            return None
        if alarms.open_alarm(self._unit, self._home, self._feed.topic) is not None:
            return None
        kind, self.alarm = self.alarm.kind, None
        self._show()
        log.warning("feed.resumed", feed=self._feed.topic, kind=kind)
        return kind

    def count_parked(self) -> None:
        """Count what waits for a person in the organisations' databases."""
        waiting = sum(len(list_parked(self._unit, taker, feed=self._feed.topic)) for taker in self._takers)
        reading_metrics.WAITING.labels(*self._labels).set(waiting)

    def taken(self, applied: Applied, now: datetime) -> None:
        """Count what a transaction did, and how old its events were."""
        age = reading_metrics.EVENT_AGE.labels(self._unit.service, self._feed.service)
        for event in applied.taken:
            if event.at is not None:
                age.observe(max(0.0, (now - event.at).total_seconds()))
        reading_metrics.EFFECTS.labels(self._unit.service, self._feed.service).inc(len(applied.taken))
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

    def reached(self, number: int) -> None:
        """Show the last number taken."""
        reading_metrics.NUMBER.labels(*self._labels).set(number)

    def _show(self) -> None:
        for kind in (FORK, LIMIT, GAP):
            is_on = self.alarm is not None and self.alarm.kind == kind
            reading_metrics.ALARMS.labels(*self._labels, kind).set(1 if is_on else 0)
