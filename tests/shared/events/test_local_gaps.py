"""What the local broker cannot do and Apache Kafka can: each must fail on the one, strictly, and pass on the other.

Nothing of the platform depends on any of these on the local broker; what does not fail here any more may be used.
Faults that the local broker cannot be put into at all (users, three brokers, a disk put back) are marked `kafka`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, KafkaError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.topics import Topics
from shared.testing.backbone import Server, bootstrap
from shared.testing.feeds import numbers_on
from shared.testing.kafka import IS_REAL, broker_of_this_run

CLOCK = SystemClock()
OF_RETENTION = "log.initial.task.delay.ms=300\nlog.retention.check.interval.ms=300\nfile.delete.delay.ms=100\n"


@pytest.fixture
def admin(kafka_bootstrap) -> Iterator[KafkaAdminClient]:
    """An admin client."""
    client = KafkaAdminClient(bootstrap_servers=kafka_bootstrap, request_timeout_ms=5000)
    yield client
    client.close()


@pytest.fixture
def place(organisation, admin) -> TopicPartition:
    """The one partition of a topic that is there."""
    topic = f"org.{organisation}.enrolment.v1"
    admin.create_topics([NewTopic(topic, 1, 1)])
    return TopicPartition(topic, 0)


@pytest.fixture
def consumer(kafka_bootstrap) -> Iterator[KafkaConsumer]:
    """A consumer without a group that reads only what was committed."""
    client = KafkaConsumer(
        bootstrap_servers=kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        allow_auto_create_topics=False,
    )
    yield client
    client.close(timeout_ms=1000)


def new_server(folder) -> Server:
    """Return a broker of the test's own, whose retention acts at once where it has one."""
    return broker_of_this_run(folder, more=OF_RETENTION)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory) -> Iterator[Server]:
    """A broker that tests may restart."""
    server = new_server(tmp_path_factory.mktemp("own") / "broker")
    server.start()
    yield server
    server.stop()


@pytest.mark.beyond_local("Tansu names the first offset of the last batch plus one as the end", raises=AssertionError)
def test_end_of_a_log_is_after_its_last_record(free_producer, place, consumer):
    """After a batch of 22 records the end is 22."""
    for _ in range(22):
        free_producer.send(place.topic, b"x", partition=0)
    free_producer.flush(10)
    assert consumer.end_offsets([place])[place] == 22


@pytest.mark.beyond_local("Tansu delivers what a transaction took back", raises=AssertionError)
def test_what_a_transaction_took_back_is_not_delivered(kafka_bootstrap, organisation, place, consumer):
    """A reader of committed records sees the second transaction, not the first."""
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=f"t-{organisation}")
    try:
        producer.init_transactions()
        for value in (b"taken back", b"kept"):
            producer.begin_transaction()
            producer.send(place.topic, value, partition=0)
            producer.flush(10)
            producer.abort_transaction() if value == b"taken back" else producer.commit_transaction()
    finally:
        producer.close(timeout=2)
    consumer.assign([place])
    until, values = CLOCK.monotonic() + 3.0, []
    while CLOCK.monotonic() < until and b"kept" not in values:
        values += [record.value for record in consumer.poll(timeout_ms=300).get(place, ())]
    assert values == [b"kept"]


@pytest.mark.beyond_local(
    "Tansu makes a topic that somebody writes to, with four partitions", raises=pytest.fail.Exception
)
def test_topic_that_nobody_made_is_not_made_by_writing(kafka_bootstrap, organisation, admin):
    """Who writes to a topic that is not there is refused, and it is still not there."""
    topic = f"org.{organisation}.enrolment.v1"
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, allow_auto_create_topics=False, max_block_ms=1500)
    try:
        with pytest.raises(KafkaError):
            producer.send(topic, b"x", partition=0).get(3)
    finally:
        producer.close(timeout=1)
    assert topic not in admin.list_topics()


@pytest.mark.beyond_local("Tansu cannot give a topic more partitions", raises=IncompatibleBrokerVersion)
def test_topic_may_be_given_more_partitions(admin, place):
    """What a careless operator may do to a feed can be tried."""
    admin.create_partitions({place.topic: NewPartitions(2)})
    assert len(admin.describe_topics([place.topic])[0]["partitions"]) == 2


@pytest.mark.beyond_local("Tansu hangs up on who asks it to delete records", raises=KafkaConnectionError)
def test_records_may_be_deleted(admin, free_producer, place, consumer):
    """The log begins after what was deleted."""
    for _ in range(3):
        free_producer.send(place.topic, b"x", partition=0).get(10)
    admin.delete_records({place: 2})
    assert consumer.beginning_offsets([place])[place] == 2


@pytest.mark.own_broker
@pytest.mark.beyond_local("Tansu keeps records in memory, and forgets topics with them", raises=AssertionError)
def test_records_outlive_a_restart(own_broker):
    """What was acknowledged is there after the broker was restarted, on the same log."""
    topics = Topics(bootstrap(own_broker), CLOCK)
    before = topics.ensure_feed("org.brent.enrolment.v1")
    own_broker.stop()
    own_broker.start()
    try:
        answered = retry(retry=retry_if_exception_type(Unavailable), stop=stop_after_delay(60), wait=wait_fixed(0.5))
        assert answered(topics.place)("org.brent.enrolment.v1") == before
    finally:
        topics.close()
    assert numbers_on(bootstrap(own_broker), "org.brent.enrolment.v1") == []


@pytest.mark.own_broker
@pytest.mark.beyond_local(
    "Every Tansu is the same cluster; only the topics' ids tell that one was replaced", raises=AssertionError
)
def test_another_cluster_has_another_id(own_broker, tmp_path):
    """A broker that was put in another's place says so."""
    other = new_server(tmp_path / "other")
    other.start()
    try:
        found = []
        for server in (own_broker, other):
            topics = Topics(bootstrap(server), CLOCK)
            found.append(topics.ensure_feed("org.brent.enrolment.v1").cluster_id)
            topics.close()
        assert len(set(found)) == 2
    finally:
        other.stop()


@pytest.mark.own_broker
@pytest.mark.beyond_local("Tansu takes a retention and keeps everything", raises=AssertionError)
def test_retention_is_obeyed(own_broker):
    """What is older than a topic's retention goes."""
    address = bootstrap(own_broker)
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([NewTopic("org.harrow.enrolment.v1", 1, 1, topic_configs={"retention.ms": "500"})])
    admin.close()
    producer, consumer = KafkaProducer(bootstrap_servers=address), KafkaConsumer(bootstrap_servers=address)
    place = TopicPartition("org.harrow.enrolment.v1", 0)
    try:
        producer.send(place.topic, b"x", partition=0).get(10)
        until = CLOCK.monotonic() + (40.0 if IS_REAL else 5.0)
        while consumer.beginning_offsets([place])[place] < 1:
            assert CLOCK.monotonic() < until, "the record is still there"
            CLOCK.sleep(0.2)
    finally:
        producer.close(timeout=1)
        consumer.close(timeout_ms=1000)
