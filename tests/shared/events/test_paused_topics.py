"""The log of several topics, of which one waits while another is read to its end."""

from __future__ import annotations

import pytest
from kafka import KafkaProducer

from shared.clock import SystemClock
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.topics import Topics
from shared.identifiers import new_identifier

RECORDS = 1_500
AT_ONCE = 200
PATIENCE_SECONDS = 20.0


@pytest.mark.backbone
def test_a_topic_that_was_paused_goes_on_after_another_was_read_to_its_end(kafka_bootstrap):
    """What the client had fetched of it when it was paused is not in its way."""
    names = [f"org.{new_identifier()[-12:]}.pausing.v1" for _ in range(2)]
    clock = SystemClock()
    _fill(kafka_bootstrap, clock, names)
    log = KafkaLog(names, KafkaOptions(kafka_bootstrap, fetch_max_wait_ms=20))
    read = dict.fromkeys(names, 0)

    def read_until(enough) -> None:
        until = clock.monotonic() + PATIENCE_SECONDS
        while not enough() and clock.monotonic() < until:
            for topic, records in log.poll(0.2, AT_ONCE).items():
                read[topic] = records[-1].offset + 1

    try:
        log.offer(log.places().keys() & set(names))
        for name in names:
            log.start(name, 0)
        read_until(lambda: any(read.values()))
        [paused] = [name for name in names if 0 < read[name] < RECORDS]
        [other] = [name for name in names if name != paused]
        log.pause(paused)
        read_until(lambda: read[other] == RECORDS)
        log.start(paused, read[paused])
        read_until(lambda: read[paused] == RECORDS)
    finally:
        log.close()

    assert read == dict.fromkeys(names, RECORDS)


def _fill(servers: str, clock: SystemClock, names: list[str]) -> None:
    topics, producer = Topics(servers, clock), KafkaProducer(bootstrap_servers=servers, batch_size=512 * 1024)
    try:
        for name in names:
            topics.ensure_plain(name)
            for number in range(RECORDS):
                producer.send(name, key=b"k", value=b"%d" % number, partition=0)
        producer.flush(30)
    finally:
        producer.close(timeout=2)
        topics.close()
