"""What stands on a topic, read as whoever has the broker reads it: raw records."""

from __future__ import annotations

from collections.abc import Iterator

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

QUIET_ROUNDS = 5


def every_record(bootstrap: str, topic: str) -> Iterator[ConsumerRecord]:
    """Yield every record of a topic's only partition, in order, until nothing more comes for half a second."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=20
    )
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        quiet = 0
        while quiet < QUIET_ROUNDS:
            records = consumer.poll(timeout_ms=100).get(partition, ())
            quiet = 0 if records else quiet + 1
            yield from records
    finally:
        consumer.close(autocommit=False)
