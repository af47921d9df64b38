"""A member of a reader group on Apache Kafka: it takes what appears, however short its polls are."""

from __future__ import annotations

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from shared.clock import SystemClock
from shared.events.consumer import KafkaLog, KafkaOptions

PATIENCE_SECONDS = 30.0


@pytest.fixture
def make_topic(kafka_bootstrap):
    """A maker of topics with one partition."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    yield lambda topic: admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()


@pytest.mark.kafka
def test_topics_that_appear_are_taken_when_every_poll_is_over_before_the_join_is_answered(
    kafka_bootstrap, new_organisation, make_topic
):
    """The client alone forgets such a join: it would keep its old topics, without heartbeats, for ever."""
    topics = [f"org.{new_organisation()}.enrolment.v1" for _ in range(4)]
    options = KafkaOptions(kafka_bootstrap, new_organisation("group"), 20, 2000, 300)
    make_topic(topics[0])
    log = KafkaLog(topics, options)
    try:
        polled_until(log, topics[:1])
        for topic in topics[1:]:
            make_topic(topic)
        polled_until(log, topics)
    finally:
        log.close()


def polled_until(log: KafkaLog, topics: list[str]) -> None:
    """Poll without waiting until the topics are held."""
    clock = SystemClock()
    end = clock.monotonic() + PATIENCE_SECONDS
    while log.held() != frozenset(topics):
        assert clock.monotonic() < end, f"holds only {sorted(log.held())}"
        log.poll(0.0, 500)
        clock.sleep(0.005)
