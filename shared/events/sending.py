"""Sending: one idempotent producer for all feeds of a process, with bounded bytes in flight.

The client bounds nothing by itself, so records take their bytes from a budget, a batch at a time, and give them back
when the last of them is acknowledged. After any error the producer is thrown away, never mended; who sends again checks
the log's tail first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Condition, Lock
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaError, UnknownTopicOrPartitionError
from kafka.producer.future import FutureProduceResult

from shared.clock import Clock
from shared.events.batching import BATCH_BYTES, LARGEST_REQUEST_BYTES, Batch, first_offset, in_batches
from shared.events.records import Record
from shared.events.refusals import unavailable

MOST_BYTES_IN_FLIGHT: Final = 8 * 1024 * 1024
LINGER_MILLISECONDS: Final = 0
"""Batches are whole when the client gets them: waiting would only make them later."""
REQUEST_MILLISECONDS: Final = 8_000
DELIVERY_MILLISECONDS: Final = 15_000
PATIENCE_SECONDS: Final = 16.0
"""With what a first record and the closing of the producer may take it stays below a lease."""


class _Budget:
    """Bytes that may be in flight."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._most = most
        self._changed = Condition()

    def take(self, size: int) -> bool:
        """Wait for `size` bytes; False when they do not come free in time."""
        size = min(size, self._most)
        with self._changed:
            free = self._changed.wait_for(lambda: self._left >= size, PATIENCE_SECONDS)
            if free:
                self._left -= size
            return free

    def give_back(self, size: int) -> None:
        """Give bytes back."""
        with self._changed:
            self._left += min(size, self._most)
            self._changed.notify_all()


class _Line:
    """One producer with its budget; both go together."""

    def __init__(self, bootstrap_servers: str, client_id: str, config: Mapping[str, object]) -> None:
        self.budget = _Budget(MOST_BYTES_IN_FLIGHT)
        self.producer = KafkaProducer(
            **config,
            bootstrap_servers=bootstrap_servers,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            batch_size=BATCH_BYTES,
            linger_ms=LINGER_MILLISECONDS,
            request_timeout_ms=REQUEST_MILLISECONDS,
            bootstrap_timeout_ms=REQUEST_MILLISECONDS,
            delivery_timeout_ms=DELIVERY_MILLISECONDS,
            max_block_ms=REQUEST_MILLISECONDS,
            max_request_size=LARGEST_REQUEST_BYTES,
        )


class Sender:
    """Sends records to partition 0 of a topic and waits for every acknowledgement. Safe to share by threads.

    `config` says how to connect (security_protocol, ssl_..., sasl_...).
    """

    def __init__(
        self,
        bootstrap_servers: str,
        clock: Clock,
        *,
        client_id: str = "relay",
        config: Mapping[str, object] | None = None,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._clock = clock
        self._client_id = client_id
        self._config = dict(config or {})
        self._line: _Line | None = None
        self._lock = Lock()
        self._generation = 0

    @property
    def generation(self) -> int:
        """Return a number that rises with each producer thrown away: another number means that a new one sends."""
        return self._generation

    def send(self, topic: str, records: Sequence[Record]) -> list[int]:
        """Send records in order, wait until all are acknowledged and return their offsets.

        Raises:
            Unavailable: Not all were acknowledged; any of them may be on the log. The producer is thrown away.
        """
        line = self._current()
        try:
            if 0 not in line.producer.partitions_for(topic):
                raise UnknownTopicOrPartitionError(topic)
            handed = [self._hand_over(line, topic, batch) for batch in in_batches(records)]
            until = self._clock.monotonic() + PATIENCE_SECONDS
            return [offset for one in handed for offset in self._offsets(one, until)]
        except (KafkaError, OSError, ValueError, AssertionError) as error:
            self._throw_away(line)
            raise unavailable(error, f"the broker did not take everything for {topic}") from error

    def close(self) -> None:
        """Close the producer."""
        line = self._line
        if line is not None:
            self._throw_away(line)

    def _hand_over(self, line: _Line, topic: str, batch: Batch) -> tuple[int, FutureProduceResult]:
        """Give a batch to the producer and return its count and result; its bytes come back with that."""
        if not line.budget.take(batch.size):
            raise KafkaError("no acknowledgements")
        try:
            result = batch.queue(line.producer, topic)
        except BaseException:
            line.budget.give_back(batch.size)
            raise
        result.add_both(lambda *_, size=batch.size: line.budget.give_back(size))
        return batch.count, result

    def _offsets(self, handed: tuple[int, FutureProduceResult], until: float) -> range:
        count, result = handed
        first = first_offset(result, max(0.1, until - self._clock.monotonic()))
        return range(first, first + count)

    def _current(self) -> _Line:
        with self._lock:
            if self._line is None:
                try:
                    self._line = _Line(self._bootstrap_servers, self._client_id, self._config)
                except (KafkaError, OSError) as error:
                    raise unavailable(error, "the broker does not answer") from error
            return self._line

    def _throw_away(self, line: _Line) -> None:
        with self._lock:
            if self._line is not line:
                return
            self._line = None
            self._generation += 1
        _close(line.producer)


def _close(producer: KafkaProducer) -> None:
    """Close a producer whose broker may stand still: what other feeds have under way with it fails for them as well."""
    try:
        producer.close(timeout=1)
    except KafkaError:
        producer._sender.force_close()  # noqa: SLF001 - the client gives up on its own end, and offers no other way
        with suppress(KafkaError):
            producer.close(timeout=1)
