"""Reading a feed's own topic back: what a relay looks at before it sends. Subscriptions and groups are not here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from shared.clock import Clock
from shared.errors import Malformed, Unavailable
from shared.events.envelope import Envelope, Heartbeat, Opened, source_of
from shared.events.hashing import hash_of
from shared.events.records import Headers, attributes_in, decode_unnumbered, envelope_from, epoch_of
from shared.events.refusals import unavailable

POLL_MILLISECONDS: Final = 300
PATIENCE_SECONDS: Final = 15.0
REQUEST_MILLISECONDS: Final = 10_000


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a feed's topic as its owner reads it.

    `body` is None where the record is unreadable or somebody else's; then `event_hash` is empty. `time` is the
    record's own, as its owner's clock had it.
    """

    offset: int
    epoch: int
    body: Envelope | Opened | Heartbeat | None
    event_hash: str = ""
    time: str = ""


class OwnLog:
    """The records of one feed's topic, partition 0, from any offset to its end.

    `config` says how to connect (security_protocol, ssl_..., sasl_...).
    """

    def __init__(
        self, bootstrap_servers: str, topic: str, clock: Clock, *, config: Mapping[str, object] | None = None
    ) -> None:
        self._settings = {**(config or {}), "bootstrap_servers": bootstrap_servers}
        self._topic = topic
        self._clock = clock

    def beginning(self) -> int:
        """Return the first offset that the log still has (0 unless somebody set a retention).

        Raises:
            Unavailable: The broker does not answer.
        """
        with _Consumer(self._settings, self._topic) as consumer:
            return consumer.bounds()[0]

    def read_last(self, most: int) -> Iterator[LogRecord]:
        """Yield the last records of the log, about `most` of them.

        Raises:
            Unavailable: As `read`.
        """
        return self.read(-most)

    def read(self, start: int) -> Iterator[LogRecord]:
        """Yield the records from offset `start` (or the first there is) to the end of the log as of now.

        A log that ends before `start` yields nothing; a `start` below 0 counts from the end.

        Raises:
            Unavailable: The broker does not answer, or the end is not reached in time without progress.
        """
        with _Consumer(self._settings, self._topic) as consumer:
            beginning, end = consumer.bounds()
            position = max(start if start >= 0 else end + start, beginning)
            consumer.seek(position)
            until = self._clock.monotonic() + PATIENCE_SECONDS
            while (told := consumer.highwater()) is None or position < max(end, told):
                batch = consumer.poll()
                if batch is None:
                    return
                if batch:
                    until = self._clock.monotonic() + PATIENCE_SECONDS
                for record in batch:
                    position = record.offset + 1
                    yield self._understand(record.offset, record.key, record.value, record.headers)
                position = max(position, consumer.position())
                if self._clock.monotonic() > until:
                    raise Unavailable(f"{self._topic} cannot be read to its end")

    def _understand(self, offset: int, key: bytes | None, value: bytes | None, headers: Headers) -> LogRecord:
        epoch = epoch_of(headers) or 0
        try:
            found = attributes_in(headers)
            if found.get("source") != source_of(self._topic):
                return LogRecord(offset=offset, epoch=0, body=None)
            unnumbered = decode_unnumbered(value, found)
            if unnumbered is not None:
                return LogRecord(offset=offset, epoch=epoch, body=unnumbered, time=found.get("time", ""))
            envelope = envelope_from(key, value, found)
        except Malformed:
            return LogRecord(offset=offset, epoch=0, body=None)
        return LogRecord(offset=offset, epoch=epoch, body=envelope, event_hash=hash_of(envelope), time=envelope.time)


class _Consumer:
    """A consumer of one partition without a group, closed at the end; kafka's errors become `Unavailable`."""

    def __init__(self, settings: Mapping[str, object], topic: str) -> None:
        self._partition = TopicPartition(topic, 0)
        try:
            self._consumer = KafkaConsumer(
                **settings,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                allow_auto_create_topics=False,
                fetch_max_wait_ms=100,
                request_timeout_ms=REQUEST_MILLISECONDS,
                bootstrap_timeout_ms=REQUEST_MILLISECONDS,
            )
        except (KafkaError, OSError) as error:
            raise unavailable(error, "the broker does not answer") from error
        self._consumer.assign([self._partition])

    def __enter__(self) -> _Consumer:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(timeout_ms=1000)

    def bounds(self) -> tuple[int, int]:
        """Return the first offset and a lower bound of the end, which only a fetch tells (`highwater`).

        The local broker names the first offset of its last batch, plus one: in a batch of many the last record would
        look as if it were not there.
        """
        try:
            first = self._consumer.beginning_offsets([self._partition])[self._partition]
            end = self._consumer.end_offsets([self._partition])[self._partition]
        except KafkaError as error:
            raise unavailable(error, "the broker does not answer") from error
        return int(first), int(end)

    def seek(self, offset: int) -> None:
        """Go to an offset."""
        self._consumer.seek(self._partition, offset)

    def position(self) -> int:
        """Return the next offset."""
        try:
            return int(self._consumer.position(self._partition, timeout_ms=REQUEST_MILLISECONDS))
        except KafkaError as error:
            raise unavailable(error, "the broker does not answer") from error

    def highwater(self) -> int | None:
        """Return the end of the log that the last fetch told, None before."""
        told = self._consumer.highwater(self._partition)
        return None if told is None else int(told)

    def poll(self) -> list[_Raw] | None:
        """Return the next records, maybe none yet; None when the offset is outside the log."""
        try:
            polled = self._consumer.poll(timeout_ms=POLL_MILLISECONDS)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            return None
        except KafkaError as error:
            raise unavailable(error, "the broker does not answer") from error
        return [
            _Raw(record.offset, record.key, record.value, list(record.headers))
            for record in polled.get(self._partition, ())
        ]


class _Raw(msgspec.Struct, frozen=True):
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
