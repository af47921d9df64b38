"""The log of several topics: one that waits while another is read to its end, and one that fills every poll."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kafka import KafkaProducer

from shared.clock import SystemClock
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.topics import Topics
from shared.identifiers import new_identifier

RECORDS = 1_500
MUCH = 6_000
AT_ONCE = 200
PATIENCE_SECONDS = 20.0


@pytest.mark.backbone
def test_a_topic_that_was_paused_goes_on_after_another_was_read_to_its_end(kafka_bootstrap):
    """What the client had fetched of it when it was paused is not in its way."""
    names = [f"org.{new_identifier()[-12:]}.pausing.v1" for _ in range(2)]
    clock = SystemClock()
    _fill(kafka_bootstrap, clock, dict.fromkeys(names, RECORDS))
    read = dict.fromkeys(names, 0)

    def read_until(enough) -> None:
        until = clock.monotonic() + PATIENCE_SECONDS
        while not enough() and clock.monotonic() < until:
            for topic, records in log.poll(0.2, AT_ONCE).items():
                read[topic] = records[-1].offset + 1

    with _reading(kafka_bootstrap, names) as log:
        read_until(lambda: any(read.values()))
        [paused] = [name for name in names if 0 < read[name] < RECORDS]
        [other] = [name for name in names if name != paused]
        log.pause(paused)
        read_until(lambda: read[other] == RECORDS)
        log.start(paused, read[paused])
        read_until(lambda: read[paused] == RECORDS)

    assert read == dict.fromkeys(names, RECORDS)


@pytest.mark.backbone
@pytest.mark.parametrize("busy", [1, 3])
def test_topics_with_much_keep_one_with_little_waiting_for_a_few_polls_only(kafka_bootstrap, busy):
    """Whatever a broker answers with: here all of a topic, however little was asked for."""
    *much, little = [f"org.{new_identifier()[-12:]}.turns.v1" for _ in range(busy + 1)]
    clock = SystemClock()
    _fill(kafka_bootstrap, clock, dict.fromkeys(much, MUCH) | {little: AT_ONCE})
    numbers: dict[str, list[int]] = {name: [] for name in (*much, little)}
    before = 0

    with _reading(kafka_bootstrap, [*much, little]) as log:
        until = clock.monotonic() + PATIENCE_SECONDS
        while sum(map(len, numbers.values())) < busy * MUCH + AT_ONCE and clock.monotonic() < until:
            for topic, records in log.poll(0.2, AT_ONCE).items():
                numbers[topic] += [record.offset for record in records]
            if len(numbers[little]) < AT_ONCE:
                before = sum(len(numbers[name]) for name in much)

    assert before <= busy * MUCH // 2, "the others waited"
    assert numbers == {name: list(range(MUCH)) for name in much} | {little: list(range(AT_ONCE))}


@contextmanager
def _reading(servers: str, names: list[str]) -> Iterator[KafkaLog]:
    """Read all of them from their beginnings."""
    log = KafkaLog(names, KafkaOptions(servers, fetch_max_wait_ms=20))
    try:
        log.offer(log.places().keys() & set(names))
        for name in names:
            log.start(name, 0)
        yield log
    finally:
        log.close()


def _fill(servers: str, clock: SystemClock, records: dict[str, int]) -> None:
    topics, producer = Topics(servers, clock), KafkaProducer(bootstrap_servers=servers, batch_size=512 * 1024)
    try:
        for name, count in records.items():
            topics.ensure_plain(name)
            for number in range(count):
                producer.send(name, key=b"k", value=b"%d" % number, partition=0)
        producer.flush(30)
    finally:
        producer.close(timeout=2)
        topics.close()
