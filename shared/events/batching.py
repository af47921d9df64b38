"""Records to the client's producer a whole batch at a time, with one acknowledgement each.

The producer's own `send` looks at every record four times over and keeps a future for each: more than all else that a
relay does. Here records are laid into the client's own batches, and these are put into its queue as `send` would; all
that follows (sequence numbers, order, trying again, acknowledgements) is the client's. It offers no public way to this:
what is private of kafka-python 3.0.12 is named here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kafka import KafkaProducer, TopicPartition
from kafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.future import FutureProduceResult
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder

from shared.events.records import Record

BATCH_BYTES: Final = 512 * 1024
LARGEST_REQUEST_BYTES: Final = 1024 * 1024
MAGIC: Final = 2
UNCOMPRESSED: Final = 0


class Batch:
    """Some records in a row, as they go over the wire; `count` of them, `size` bytes."""

    def __init__(self, builder: MemoryRecordsBuilder) -> None:
        self.count = int(builder.next_offset())
        self.size = int(builder.size_in_bytes())
        self._builder = builder

    def queue(self, producer: KafkaProducer, topic: str) -> FutureProduceResult:
        """Put the batch behind those that wait already for partition 0, and return what is done when it is there.

        Raises:
            KafkaError: The producer is closed.
        """
        place, waiting = TopicPartition(topic, 0), producer._accumulator  # noqa: SLF001 - see the module's docstring
        batch = ProducerBatch(place, self._builder)
        waiting._appends_in_progress.increment()  # noqa: SLF001 - who ends it by force waits for this
        try:
            with waiting._tp_lock(place):  # noqa: SLF001
                if waiting._closed:  # noqa: SLF001
                    raise IllegalStateError("the producer is closed")
                waiting._batches[place].append(batch)  # noqa: SLF001
                waiting._incomplete.add(batch)  # noqa: SLF001
        finally:
            waiting._appends_in_progress.decrement()  # noqa: SLF001
        producer._sender.wakeup()  # noqa: SLF001
        return batch.produce_future


def in_batches(records: Iterable[Record]) -> Iterator[Batch]:
    """Yield the records in order in batches that are full, but for the last; each has at least one record.

    Raises:
        KafkaError: A record is larger than a request may be.
    """
    builder: MemoryRecordsBuilder | None = None
    for record in records:
        if builder is not None and builder.append(None, record.key, record.value, record.headers) is not None:
            continue
        if builder is not None:
            yield _checked(builder)
        builder = MemoryRecordsBuilder(MAGIC, UNCOMPRESSED, BATCH_BYTES)
        builder.append(None, record.key, record.value, record.headers)
    if builder is not None:
        yield _checked(builder)


def first_offset(result: FutureProduceResult, seconds: float) -> int:
    """Wait for a batch's acknowledgement and return the offset of its first record.

    Raises:
        KafkaError: It did not come in time, or the broker did not take the batch.
    """
    if not result.wait(seconds) or not result.is_done:
        raise KafkaTimeoutError("no acknowledgement")
    if result.exception is not None:
        raise result.exception
    offset, _, error_of = result.value
    if error_of is not None:
        raise error_of(0)
    if offset < 0:
        raise KafkaError("the broker has these records already and does not say where")
    return int(offset)


def _checked(builder: MemoryRecordsBuilder) -> Batch:
    batch = Batch(builder)
    if batch.size > LARGEST_REQUEST_BYTES:
        raise MessageSizeTooLargeError(f"a record of {batch.size} bytes")
    return batch
