"""The reader's loop: join, poll, judge, take, tend; one transaction at a time, whatever the topics are.

What happens to one topic is `feed_reading.py` or `intake.py`; what is wired to what is `reader.py`. The log, the clock
and the topics are given, so that a simulation can drive `Reader.step` itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from pymongo.client_session import ClientSession

from shared.clock import Clock, wait_for
from shared.errors import ConcurrentChange, Conflict, Unavailable
from shared.events import fences, heard, reading_metrics
from shared.events.beside import Beside
from shared.events.checking import LogRecord
from shared.events.consumer import LogSource, OutOfRange
from shared.events.feed_reading import ReadingTools
from shared.events.patience import rest_after
from shared.events.positions import Fenced
from shared.events.refusals import RefusedByBroker
from shared.events.turnstile import Turnstile
from shared.storage.mongo import answers
from shared.storage.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.2
POLL_RECORDS: Final = 1_000
FEW_RECORDS: Final = 50
"""After fewer than these a reader rests: what comes meanwhile costs no transaction of its own."""
LOOK_SECONDS: Final = 15.0
MISSING_SECONDS: Final = 1.0
TEND_SECONDS: Final = 1.0
STALL_SECONDS: Final = 60.0
FENCED_SECONDS: Final = 3.0
BROKER_SECONDS: Final = 1.0
REFUSED_SECONDS: Final = 5.0


class TopicReading(Protocol):
    """One topic in a reader: `FeedReading` or `IntakeReader`."""

    topic: str
    read_to: int
    place: str
    wants_rewind: bool

    @property
    def available(self) -> bool:
        """Say whether the database answered last."""

    def take_over(self, place: str) -> int:
        """Raise the epochs, once, and return the offset to read from."""

    def rewind(self, place: str) -> int:
        """Begin the log again and return the offset to read from."""

    def examine(self, records: Sequence[LogRecord]) -> Sequence[Any]:
        """Return what records are by themselves, for `receive`; it may run beside `apply`."""

    def receive(self, records: Sequence[Any], end: int | None = None) -> None:
        """Judge examined records; `end` is the log's when they were fetched, None where it is not known."""

    def apply(self) -> bool:
        """Take one batch; return whether more is ready."""

    def tend(self) -> None:
        """Do what is due by the clock."""

    def hand_over(self) -> None:
        """Leave tidily."""

    def is_full(self) -> bool:
        """Say whether polling should pause."""


class TakenOver(Conflict):
    """Another reader holds the feeds, and no group divides them: going on would only take them back and forth."""

    slug = "taken-over"


class Reader:
    """Follows topics until it is told to stop.

    Args:
        service: For metrics.
        source: Makes the log; called again after any error of the broker.
        readings: Makes the state of each topic to follow, given the tools; one that does not exist is waited for.
        tools: Makes what all topics share, with a fresh session; called once per joining.
        shares_topics: Whether a group of the broker divides the topics among readers.
        beside: What polls beside the taking; its own thread unless given.
    """

    def __init__(
        self,
        *,
        service: str,
        source: Callable[[], LogSource],
        readings: Callable[[ReadingTools], Mapping[str, TopicReading]],
        tools: Callable[[ClientSession], ReadingTools],
        unit: UnitOfWork,
        clock: Clock,
        shares_topics: bool = False,
        beside: Beside | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._service = service
        self._make_source = source
        self._make_readings = readings
        self._make_tools = tools
        self._unit = unit
        self._clock = clock
        self._shares_topics = shares_topics
        self._beside = beside or Beside()
        self._on_close = on_close
        self.turnstile = Turnstile()
        reading_metrics.FENCED.labels(service)
        self._source: LogSource | None = None
        self._session: ClientSession | None = None
        self._known: Mapping[str, TopicReading] = {}
        self._active: dict[str, TopicReading] = {}
        self._shown: set[str] = set()
        """What is told of to operators: what is active, and after a lost connection what was."""
        self._paused: set[str] = set()
        self._places: dict[str, str] = {}
        self._absent: frozenset[str] = frozenset()
        self._is_behind = False
        """Whether the log has more than was polled of what is read at present."""
        self._look_at = 0.0
        self._tend_at = 0.0
        self._progress_at: dict[str, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set, then hand the positions over and close everything."""
        try:
            while not stop.is_set():
                with self.turnstile.passing():
                    pause = self.step()
                wait_for(stop, pause)
        finally:
            self.close()

    def ready(self) -> bool:
        """Say whether the database takes what is read; a broker that is away is no reason not to be ready."""
        return all(one.available for one in list(self._active.values())) and answers(self._unit.client)

    def step(self) -> float:
        """Do one round and return how many seconds to wait before the next: 0 while the log itself waits.

        Raises:
            TakenOver: another reader took the feeds, and no group of the broker decides between the two.
        """
        rest = 0.0
        try:
            rest = self._round_or_rewind()
        except Fenced as fenced:
            self._note(fenced)
            self._leave()
            if not self._shares_topics:
                raise TakenOver(
                    f"another reader of {self._service} has taken these feeds: run one reader, or READER_MODE=group"
                    if fenced.feed
                    else f"a database of {self._service} came back from a backup: its feeds are read from there"
                ) from None
            return FENCED_SECONDS
        except Unavailable as error:
            self._drop_source()
            return self._told(error)
        return rest

    def close(self) -> None:
        """Hand over what is held and leave."""
        self._beside.close()
        for reading in self._active.values():
            reading.hand_over()
        self._leave()
        if self._on_close is not None:
            self._on_close()

    def _note(self, fenced: Fenced) -> None:
        """Leave word of it where it outlives this process."""
        log.warning("reader.fenced", service=self._service, feed=fenced.feed)
        if not fenced.feed:
            return
        reading_metrics.FENCED.labels(self._service).inc()
        try:
            fences.note(self._unit, fenced.organisation, fenced.feed)
        except (Unavailable, ConcurrentChange):
            log.info("reader.fenced_without_a_word", service=self._service)

    def _told(self, error: Unavailable) -> float:
        """Say that the broker does not answer, or that it says no, and return how long to wait."""
        if not isinstance(error, RefusedByBroker):
            log.warning("reader.waiting", service=self._service, detail=error.detail)
            return BROKER_SECONDS
        log.error("reader.refused", service=self._service, code=error.slug, detail=error.detail)
        reading_metrics.REFUSED.labels(self._service).set(1)
        return REFUSED_SECONDS

    def _round_or_rewind(self) -> float:
        try:
            return self._round()
        except OutOfRange as error:
            self._begin_again(error.topics)
            return 0.0

    def _round(self) -> float:
        """Do one round and return how long to rest after it: not at all while there is much to read."""
        source = self._join()
        began = self._clock.monotonic()
        is_beside = self._polls_beside()
        is_more, polled = self._apply_and_poll(source) if is_beside else (self._apply(self._active), {})
        worked = self._clock.monotonic() - began
        if not polled:
            polled = self._poll(source, 0.0 if is_more else POLL_SECONDS)
        now = self._clock.monotonic()
        for topic, records in polled.items():
            self._active[topic].receive(records, source.end(topic))
            self._progress_at[topic] = now
        self._is_behind = any(self._has_more(source, reading) for reading in self._active.values())
        if not self._polls_beside():
            is_more |= self._apply(polled)
        for reading in list(self._active.values()):
            self._steer(source, reading)
        if now >= self._tend_at:
            self._tend_at = now + TEND_SECONDS
            self._tend(source, now)
        if is_more or self._is_behind or not 0 < sum(map(len, polled.values())) < FEW_RECORDS:
            return 0.0
        return rest_after(worked + self._clock.monotonic() - now)

    def _has_more(self, source: LogSource, reading: TopicReading) -> bool:
        end = source.end(reading.topic)
        return end is not None and end > reading.read_to and reading.topic not in self._paused

    def _polls_beside(self) -> bool:
        """Say whether what is received waits for the next round, in which more is polled while it is taken.

        Not in a group: there a poll may give a topic away, of which nothing may then be under way.
        """
        return self._is_behind and not self._shares_topics

    def _apply(self, topics: Iterable[str]) -> bool:
        """Take a batch of each topic, one after the other; return whether more is ready of any."""
        ready = [self._active[topic].apply() for topic in list(topics)]  # each has its turn
        return any(ready)

    def _poll(self, source: LogSource, seconds: float) -> dict[str, Sequence[Any]]:
        polled = source.poll(seconds, POLL_RECORDS)
        return {topic: self._active[topic].examine(polled[topic]) for topic in polled if topic in self._active}

    def _apply_and_poll(self, source: LogSource) -> tuple[bool, dict[str, Sequence[Any]]]:
        """Take what is ready, and poll beside it: what comes of it is received afterwards, as ever."""
        return self._beside.both(lambda: self._apply(self._active), lambda: self._poll(source, 0.0))

    def _join(self) -> LogSource:
        """Make sure that there is a session and a log, and that what is held is taken over."""
        if self._session is None:
            self._session = self._unit.client.start_session()
            self._known = self._make_readings(self._make_tools(self._session))
        if self._source is None:
            self._source = self._make_source()
            self._look_at = 0.0
            self._paused.clear()
            self._restart_active(self._source)
        source = self._source
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look(source, now)
        held = source.held()
        for topic in [topic for topic in self._active if topic not in held]:
            self._active.pop(topic).hand_over()
        for topic in sorted(held - self._active.keys()):
            self._take(source, topic)
        self._forget(self._shown - self._active.keys())
        return source

    def _look(self, source: LogSource, now: float) -> None:
        """See which topics exist and which logs they are now."""
        self._places = source.places()
        reading_metrics.REFUSED.labels(self._service).set(0)
        self._show_absent()
        source.offer(self._places.keys() & self._known.keys())
        is_complete = self._known.keys() <= self._places.keys()
        self._look_at = now + (LOOK_SECONDS if is_complete else MISSING_SECONDS)
        moved = [
            topic
            for topic, reading in self._active.items()
            if topic in self._places and self._places[topic] != reading.place
        ]
        for topic in moved:
            log.warning("feed.log_is_another", feed=topic)
            self._active[topic].rewind(self._places[topic])
        if moved:
            self._drop_source()
            raise Unavailable("the log is another one")

    def _show_absent(self) -> None:
        """Show which topics the broker does not: where rights are checked, one that may not be read looks the same."""
        absent = frozenset(self._known.keys() - self._places.keys())
        for topic in absent - self._absent:
            log.info("feed.absent", feed=topic)
        self._absent = absent
        for topic in self._known:
            reading_metrics.ABSENT.labels(self._service, topic).set(int(topic in absent))

    def _restart_active(self, source: LogSource) -> None:
        """After a new connection: read on where reading stopped (alone), or wait to be given topics again (group)."""
        if self._shares_topics:
            self._active.clear()
            return
        source.offer(self._active.keys())
        for topic, reading in self._active.items():
            source.start(topic, reading.read_to)

    def _take(self, source: LogSource, topic: str) -> None:
        reading, place = self._known.get(topic), self._places.get(topic)
        if reading is None:
            return
        if place is None:
            self._look_at = 0.0
            return
        offset = reading.take_over(place)
        self._active[topic] = reading
        self._shown.add(topic)
        self._progress_at[topic] = self._clock.monotonic()
        source.start(topic, offset)
        log.info("feed.taken", feed=topic, offset=offset)

    def _steer(self, source: LogSource, reading: TopicReading) -> None:
        topic = reading.topic
        if reading.wants_rewind:
            source.start(topic, reading.rewind(reading.place))
        if reading.is_full() and topic not in self._paused:
            source.pause(topic)
            self._paused.add(topic)
        elif topic in self._paused and not reading.is_full():
            source.start(topic, reading.read_to)
            self._paused.discard(topic)

    def _tend(self, source: LogSource, now: float) -> None:
        offsets: dict[str, int] = {}
        for topic, reading in list(self._active.items()):
            reading.tend()
            offsets[topic] = reading.read_to
            end = source.end(topic)
            if end is None:
                continue
            reading_metrics.LAG.labels(self._service, topic).set(max(0, end - reading.read_to))
            if end < reading.read_to:
                self._begin_again({topic})
            elif end > reading.read_to and topic not in self._paused:
                self._watch_stall(topic, now)
            else:
                self._progress_at[topic] = now
        source.commit(offsets)

    def _watch_stall(self, topic: str, now: float) -> None:
        if now - self._progress_at.get(topic, now) >= STALL_SECONDS:
            self._progress_at[topic] = now
            raise Unavailable(f"nothing comes of {topic} although there is more")

    def _begin_again(self, topics: Iterable[str]) -> None:
        source = self._source
        for topic in topics:
            reading = self._active.get(topic)
            if source is not None and reading is not None:
                reading.rewind(reading.place)
                reading.read_to = source.beginning(topic)
                source.start(topic, reading.read_to)

    def _forget(self, topics: Iterable[str]) -> None:
        """Tell nothing more of topics that are another reader's now, or nobody's."""
        for topic in topics:
            self._shown.discard(topic)
            reading_metrics.forget(self._service, topic)
            heard.forget(self._service, topic)

    def _drop_source(self) -> None:
        source, self._source = self._source, None
        self._is_behind = False
        if source is not None:
            source.close()

    def _leave(self) -> None:
        """Leave the log and give up the session; joining again is a new assignment."""
        self._active.clear()
        self._forget(set(self._shown))
        self._drop_source()
        session, self._session = self._session, None
        if session is not None:
            session.end_session()
