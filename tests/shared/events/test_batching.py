"""Records in whole batches: nothing is lost or changed places, and what the broker refuses is heard of."""

from __future__ import annotations

from itertools import pairwise

import pytest
from kafka import KafkaProducer
from kafka.errors import InvalidTopicError, KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.future import FutureProduceResult
from kafka.record.memory_records import MemoryRecords
from kafka.structs import TopicPartition

from shared.clock import SystemClock
from shared.events.batching import BATCH_BYTES, LARGEST_REQUEST_BYTES, first_offset, in_batches
from shared.events.log import OwnLog
from shared.events.records import Record
from shared.events.sending import Sender
from shared.events.topics import Topics


def a_record(number: int, size: int = 10) -> Record:
    """A record that knows its place."""
    return Record(f"k-{number}".encode(), b"x" * size, [("n", str(number).encode()), ("empty", b"")])


def told(records: bytes) -> list[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    """What stands in a batch's bytes."""
    return [(one.key, bytes(one.value), list(one.headers)) for batch in MemoryRecords(records) for one in batch]


@pytest.mark.parametrize("sizes", [[10], [10] * 2_000, [300_000] * 5, [BATCH_BYTES + 1, 10, BATCH_BYTES + 1, 10, 10]])
def test_batches_hold_the_records_in_order_and_are_full_but_for_large_records(sizes):
    """Whatever the sizes: every record once, in its place; only a record that is larger alone makes a larger batch."""
    records = [a_record(number, size) for number, size in enumerate(sizes)]
    batches = list(in_batches(iter(records)))
    found = []
    for batch in batches:
        batch._builder.close()
        assert batch.count == 1 or batch.size <= BATCH_BYTES
        assert batch.size == len(batch._builder.buffer())
        here = told(batch._builder.buffer())
        assert len(here) == batch.count
        found += here
    assert found == [(one.key, one.value, one.headers) for one in records]
    assert all(one.size + two.size > BATCH_BYTES for one, two in pairwise(batches))


def test_nothing_is_no_batch():
    """No records, no request."""
    assert list(in_batches([])) == []


def test_record_larger_than_a_request_is_refused_here():
    """The broker would not take it, and the client would take it apart."""
    with pytest.raises(MessageSizeTooLargeError):
        list(in_batches([a_record(1), a_record(2, LARGEST_REQUEST_BYTES)]))


def answered(*, offset: int = -1, error: Exception | None = None) -> FutureProduceResult:
    """What the client says of a batch that is done."""
    return FutureProduceResult(TopicPartition("t", 0)).success((offset, -1, None if error is None else lambda _: error))


def test_acknowledgement_is_an_offset_or_an_error():
    """A batch is there with an offset, or it is not known to be there: silence and an unknown place are errors too."""
    assert first_offset(answered(offset=7), 0.01) == 7
    for result, expected in (
        (answered(error=InvalidTopicError()), InvalidTopicError),
        (FutureProduceResult(TopicPartition("t", 0)).failure(InvalidTopicError()), InvalidTopicError),
        (FutureProduceResult(TopicPartition("t", 0)), KafkaTimeoutError),
        (answered(offset=-1), KafkaError),
    ):
        with pytest.raises(expected):
            first_offset(result, 0.01)


def test_sender_puts_several_batches_on_the_log_in_order(kafka_bootstrap, new_organisation):
    """More than one batch, and more than once: the offsets that it returns are where the records stand."""
    topic, clock = f"org.{new_organisation()}.enrolment.v1", SystemClock()
    Topics(kafka_bootstrap, clock).ensure_feed(topic)
    sender = Sender(kafka_bootstrap, clock)
    records = [a_record(number, 1_000) for number in range(1_500)]
    try:
        assert sender.send(topic, records) == list(range(1_500))
        assert sender.send(topic, records[:3]) == [1_500, 1_501, 1_502]
    finally:
        sender.close()
    own_log = OwnLog(kafka_bootstrap, topic, clock)
    assert [record.offset for record in own_log.read(0)] == list(range(1_503))
    assert [record.offset for record in own_log.read(1_502)] == [1_502], "the last batch has three records"


def test_closed_producer_takes_nothing(kafka_bootstrap):
    """What is put into its queue then would never be sent."""
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    producer.close(timeout=1)
    [batch] = in_batches([a_record(1)])
    with pytest.raises(KafkaError):
        batch.queue(producer, "t")
