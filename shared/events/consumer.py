"""The log as a reader sees it: the `LogSource` port, and Kafka behind it.

Two modes. `assign`: one reader takes every wanted topic that exists, partition 0 only. `group`: readers share the
topics by a cooperative-sticky group; the listener only pauses, and the main loop sets the real offset. A reader alone
waits for a relay's ring, where relays of its machine ring, instead of at the broker (decision 42). Kafka's own offsets
are committed afterwards as a courtesy to lag tools, and never read. Must not live here: positions, decisions.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError, LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError
from kafka.structs import MemberState, OffsetAndMetadata

from shared.clock import Clock, SystemClock
from shared.events.bell import READERS, Listener
from shared.events.checking import LogRecord
from shared.events.log_identity import LogPlaces
from shared.events.refusals import unavailable

log = structlog.get_logger(__name__)

FETCH_SECONDS: Final = 0.05
"""How long who hears a bell waits at the broker: for a fetch that was under way, and for the next."""
CLOSE_MILLISECONDS: Final = 2000
METADATA_MILLISECONDS: Final = 5000
BOOTSTRAP_MILLISECONDS: Final = 5000
JOINING_SECONDS: Final = 2.5
"""The local broker answers a join after a second and more; asked anew each time it would never be in."""


class OutOfRange(Exception):
    """The offset asked for is not in the log: it was truncated, or the disk of a broker restored."""

    def __init__(self, topics: Iterable[str]) -> None:
        super().__init__("an offset is outside the log")
        self.topics = frozenset(topics)


class LogSource(Protocol):
    """A log of topics with one partition each; a simulation has its own."""

    def places(self) -> dict[str, str]:
        """Return topic -> place of every topic that exists; `Unavailable` when the broker does not answer."""

    def offer(self, existing: Collection[str]) -> None:
        """Say which wanted topics exist now; those that are new will be held, from an offset that `start` sets."""

    def held(self) -> frozenset[str]:
        """Return the topics that this reader is to read at present."""

    def start(self, topic: str, offset: int) -> None:
        """Read the topic from `offset`, and go on where it was paused."""

    def pause(self, topic: str) -> None:
        """Poll nothing of the topic until `start`."""

    def poll(self, seconds: float, most: int) -> Mapping[str, list[LogRecord]]:
        """Return the next records by topic; `OutOfRange` or `Unavailable`."""

    def beginning(self, topic: str) -> int:
        """Return the first offset that the log still has."""

    def end(self, topic: str) -> int | None:
        """Return the offset after the last record, as the last fetch told, None before."""

    def commit(self, offsets: Mapping[str, int]) -> None:
        """Tell lag tools how far the topics are read."""

    def close(self) -> None:
        """Leave."""


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to reach the broker, and how to read. `group` None means mode `assign`."""

    bootstrap_servers: str
    group: str | None = None
    fetch_max_wait_ms: int = 500
    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 3_000
    max_poll_interval_ms: int = 300_000
    """A member of a group whose one batch takes longer is taken for dead and gives its topics up."""
    config: Mapping[str, object] = field(default_factory=dict)
    bells_dir: Path | None = None
    """Where relays on this machine ring for readers; without it, and in a group, a fetch always waits at the broker."""


class KafkaLog:
    """Kafka as a `LogSource`. Made after fork; made anew after any error."""

    def __init__(self, wanted: Collection[str], options: KafkaOptions, clock: Clock | None = None) -> None:
        self._wanted = frozenset(wanted)
        self._options = options
        self._clock = clock or SystemClock()
        self._places = LogPlaces(options.bootstrap_servers, options.config)
        try:
            self._consumer = KafkaConsumer(**self._settings())
        except (KafkaError, OSError, ValueError) as error:
            raise unavailable(error, "the broker does not answer") from error
        self._existing: frozenset[str] = frozenset()
        self._told: frozenset[str] = frozenset()
        self._listener = _PauseOnly(self._consumer)
        self._left = ExitStack()
        self._bell = self._hang(options.bells_dir) if options.group is None else None
        self._behind = set[TopicPartition]()
        """Where the log had more than was polled, as far as that is known."""
        self._greedy: TopicPartition | None = None
        """The topic that filled the last poll alone: the others have their turn before it goes on."""
        if options.group is not None:
            pattern = "^(?:" + "|".join(re.escape(topic) for topic in sorted(self._wanted)) + ")$"
            self._consumer.subscribe(pattern=pattern, listener=self._listener)

    def _settings(self) -> dict[str, Any]:
        options = self._options
        settings: dict[str, Any] = {
            **options.config,
            "bootstrap_servers": options.bootstrap_servers,
            "group_id": options.group,
            "auto_offset_reset": "none",
            "enable_auto_commit": False,
            "allow_auto_create_topics": False,
            "isolation_level": "read_committed",
            "fetch_max_wait_ms": options.fetch_max_wait_ms,
            "bootstrap_timeout_ms": BOOTSTRAP_MILLISECONDS,
            "metadata_max_age_ms": METADATA_MILLISECONDS,
            "max_poll_interval_ms": options.max_poll_interval_ms,
        }
        if options.group is not None:
            settings["session_timeout_ms"] = options.session_timeout_ms
            settings["heartbeat_interval_ms"] = options.heartbeat_interval_ms
            settings["partition_assignment_strategy"] = (CooperativeStickyAssignor,)
        return settings

    def places(self) -> dict[str, str]:
        """Return topic -> place of every topic that exists."""
        return self._places.look()

    def offer(self, existing: Collection[str]) -> None:
        """Take the wanted topics that exist (mode `assign`; a group finds them by its pattern)."""
        wanted = self._wanted & frozenset(existing)
        if self._options.group is not None or wanted == self._existing:
            return
        fresh = wanted - self._existing
        self._consumer.assign([TopicPartition(topic, 0) for topic in sorted(wanted)])
        for topic in fresh:
            self._consumer.pause(TopicPartition(topic, 0))
            self._consumer.seek(TopicPartition(topic, 0), 0)
        self._existing = wanted

    def held(self) -> frozenset[str]:
        """Return the topics of the assignment; partitions other than 0 are ignored.

        A topic that went and came back within one poll is left out once, so that it is taken over anew: it waits,
        paused, for an offset, and another reader may have had it meanwhile.
        """
        if self._options.group is None:
            return self._existing
        again = self._listener.given() & self._told
        assigned = frozenset(place.topic for place in self._consumer.assignment() if place.partition == 0)
        self._told = assigned - again
        return self._told

    def start(self, topic: str, offset: int) -> None:
        """Read the topic from `offset`."""
        partition = TopicPartition(topic, 0)
        if partition in self._consumer.assignment():
            self._consumer.seek(partition, offset)
            self._consumer.resume(partition)
            self._behind.add(partition)

    def pause(self, topic: str) -> None:
        """Poll nothing of the topic until `start`."""
        partition = TopicPartition(topic, 0)
        if partition in self._consumer.assignment():
            self._consumer.pause(partition)

    def poll(self, seconds: float, most: int) -> Mapping[str, list[LogRecord]]:
        """Return the next records by topic, at most `most` in all; waits longer while the group is being joined."""
        try:
            if self._keep_joining():
                self._await_join()
                seconds = 0.0
            polled = self._poll_others(most) or self._wait_and_poll(seconds, most)
        except OffsetOutOfRangeError as error:
            raise OutOfRange(place.topic for place in error.args[0]) from error
        except LogTruncationError as error:
            raise OutOfRange(place.topic for place in error.divergent_offsets) from error
        except NoOffsetForPartitionError:
            return {}
        except (KafkaError, OSError) as error:
            raise unavailable(error, "the broker does not answer") from error
        return {
            place.topic: [LogRecord(record.offset, record.key, record.value, record.headers) for record in records]
            for place, records in polled.items()
            if place.partition == 0
        }

    def _wait_and_poll(self, seconds: float, most: int) -> Mapping[TopicPartition, list[Any]]:
        """Return the next records; where relays ring, wait for that, then fetch: also in silence, for not all ring.

        Who is behind the log's end waits at the broker, which answers at once.
        """
        if self._bell is None or not seconds or self._behind:
            return self._poll(seconds, most)
        fetched = self._poll(0.0, most)
        if fetched:
            return fetched
        self._listen(self._bell, seconds)
        return self._poll(FETCH_SECONDS, most)

    def _listen(self, bell: Listener, seconds: float) -> None:
        """Wait until a relay rings for one of the topics, or for so long."""
        until = self._clock.monotonic() + seconds
        try:
            while (left := until - self._clock.monotonic()) > 0:
                topics = bell.heard(left)
                if topics is None or not topics.isdisjoint(self._wanted):
                    return
        except OSError as error:
            log.warning("reader.hears_no_bell", detail=str(error))
            self._bell = None

    def _hang(self, directory: Path | None) -> Listener | None:
        """Return what is listened at from now to the end; None where no relay rings, or where it cannot be made."""
        if directory is None:
            return None
        try:
            return self._left.enter_context(Listener(directory, READERS))
        except OSError as error:
            log.warning("reader.hears_no_bell", detail=str(error))
            return None

    def _poll(self, seconds: float, most: int) -> Mapping[TopicPartition, list[Any]]:
        self._take_up_parked()
        milliseconds = int(seconds * 1000)
        polled: Mapping[TopicPartition, list[Any]] = self._consumer.poll(timeout_ms=milliseconds, max_records=most)
        only = next(iter(polled)) if len(polled) == 1 else None
        self._greedy = only if only is not None and len(polled[only]) >= most else None
        self._note_ends(polled, has_waited=seconds > 0)
        return polled

    def _note_ends(self, polled: Mapping[TopicPartition, list[Any]], *, has_waited: bool) -> None:
        for place, records in polled.items():
            if self._has_more(place, records[-1].offset):
                self._behind.add(place)
            else:
                self._behind.discard(place)
        if has_waited and not polled:
            self._behind.clear()

    def _has_more(self, place: TopicPartition, offset: int) -> bool:
        mark = self._consumer.highwater(place)
        return mark is not None and int(mark) > offset + 1

    def _poll_others(self, most: int) -> Mapping[TopicPartition, list[Any]]:
        """Return what has been fetched already of the topics that the last poll had no room for.

        kafka-python 3.0.12 hands out all of one fetch before anything of the next topic, and a broker may answer with
        a whole topic whatever size is asked for: a feed with much would keep those with little waiting to its end.
        """
        greedy, consumer = self._greedy, self._consumer
        if greedy is None or greedy not in consumer.assignment() or greedy in consumer.paused():
            return {}
        consumer.pause(greedy)
        try:
            return self._poll(0.0, most)
        finally:
            if greedy in consumer.assignment() and not self._listener.has_given(greedy.topic):
                consumer.resume(greedy)

    def _take_up_parked(self) -> None:
        """See to it that what was fetched of a topic before it was paused is handed out after it.

        kafka-python 3.0.12 keeps such records aside and, where another topic was drained meanwhile, never takes them
        up again, nor does it fetch the topic while they lie there: it would stand still. What no longer fits the
        offset, it drops by itself.
        """
        fetcher = self._consumer._fetcher  # noqa: SLF001 - the client offers no other way
        if not fetcher._next_partition_records:  # noqa: SLF001
            fetcher._next_partition_records = None  # noqa: SLF001

    def _keep_joining(self) -> bool:
        """Say whether the group is still to be joined, and see to it that a join under way is not forgotten.

        kafka-python 3.0.12 forgets a join that a new topic began when the poll is over before the broker's answer
        comes: the member keeps its old topics, sends no heartbeat and never notices. Asked again, it takes the answer
        or joins anew.
        """
        if self._options.group is None:
            return False
        state = self._consumer.group_metadata().state
        if state == MemberState.REBALANCING:
            self._consumer._coordinator.request_rejoin()  # noqa: SLF001 - the client offers no other way
        return bool(state != MemberState.STABLE)

    def _await_join(self) -> None:
        """Wait for the join, and no longer: a poll would go on waiting for records of topics that are paused still."""
        self._consumer._coordinator.poll(timeout_ms=int(JOINING_SECONDS * 1000))  # noqa: SLF001 - as a poll begins

    def beginning(self, topic: str) -> int:
        """Return the first offset that the log still has: 0 unless somebody set a retention."""
        partition = TopicPartition(topic, 0)
        try:
            return int(self._consumer.beginning_offsets([partition])[partition])
        except (KafkaError, OSError) as error:
            raise unavailable(error, "the broker does not answer") from error

    def end(self, topic: str) -> int | None:
        """Return the high watermark of the last fetch; a broker's own answer about the end may be wrong."""
        partition = TopicPartition(topic, 0)
        if partition not in self._consumer.assignment():
            return None
        mark = self._consumer.highwater(partition)
        return None if mark is None else int(mark)

    def commit(self, offsets: Mapping[str, int]) -> None:
        """Tell lag tools how far the topics are read; whether it arrives does not matter."""
        if self._options.group is None or not offsets:
            return
        marks = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1) for topic, offset in offsets.items()}
        try:
            self._consumer.commit_async(marks)
        except KafkaError:
            return

    def close(self) -> None:
        """Leave the group and close both clients."""
        self._left.close()
        self._consumer.close(autocommit=False, timeout_ms=CLOSE_MILLISECONDS)
        self._places.close()


class _PauseOnly(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs on the client's own thread: no database here, only a pause until the main loop knows the offset."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self._given: deque[str] = deque()

    def given(self) -> frozenset[str]:
        """Return the topics that were assigned since this was asked last."""
        return frozenset(self._given.popleft() for _ in range(len(self._given)))

    def has_given(self, topic: str) -> bool:
        """Say whether the topic was assigned since, and waits for its offset."""
        return topic in self._given

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: the main loop sees by itself what it holds."""

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Pause what is new, at an offset that is only a place to wait."""
        for partition in assigned:
            self._consumer.pause(partition)
            self._consumer.seek(partition, 0)
            self._given.append(partition.topic)
