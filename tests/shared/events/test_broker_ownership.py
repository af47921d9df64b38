"""A broker that asks who is there, with the rights of the partnership's terms: what it refuses, and who is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourceType
from kafka.admin import ResourcePatternFilter as Pattern
from kafka.errors import KafkaError, TopicAuthorizationFailedError
from prometheus_client import REGISTRY

import shared
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.access import grants, instances
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.envelope import Envelope
from shared.events.feed import FeedName
from shared.events.log import OwnLog
from shared.events.refusals import RefusedByBroker, unavailable
from shared.events.topics import Topics
from shared.identifiers import new_identifier
from shared.local.provisioning import Provisioning, how_to_connect, keep_passwords
from shared.partnership import load
from shared.storage.mongo import database_name
from shared.testing.backbone import Server, bootstrap
from shared.testing.feeds import a_commit, a_relay, an_event
from shared.testing.kafka import as_operator, as_user, asking_kafka_server

FILE = Path(shared.__file__).parent.parent / "scenarios" / "marchland" / "partnership.yaml"
OWN, OTHER = FeedName("org", "vale", "assessment"), FeedName("org", "hazel-house", "assessment")

PATIENCE_SECONDS = 40.0

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Server]:
    """A broker that knows nobody but its operator."""
    server = asking_kafka_server(tmp_path_factory.mktemp("asking") / "broker")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def passwords(broker, tmp_path_factory) -> dict[str, str]:
    """The users of a partnership in which everybody runs an instance, with their rights."""
    partnership = load(FILE)
    provisioning = Provisioning(bootstrap(broker), as_operator())
    change = provisioning.look(grants(partnership, instances(partnership, {})))
    made = keep_passwords(tmp_path_factory.mktemp("users"), change.users, how_to_connect(as_operator()))
    provisioning.make(change, made)
    provisioning.close()
    return made


@pytest.fixture
def as_(passwords):
    """Return how a user connects."""
    return lambda user: as_user(user, passwords[user])


@pytest.fixture
def start_relay(broker, mongodb_uri, as_):
    """A maker of relays of the instance `vale`."""
    made = []

    def start(feed: FeedName, stop: threading.Event | None = None):
        relay = a_relay(mongodb_uri, bootstrap(broker), [feed], kafka_config=as_("relay.vale"), stop=stop)
        made.append(relay)
        return relay

    yield start
    for relay in made:
        relay.close()


@pytest.fixture(scope="module", autouse=True)
def _empty_databases(mongo_client):
    """The databases of the two owners belong to this module's broker."""
    names = [database_name(owner.service, owner.organisation) for owner in (OWN, OTHER)]
    for name in names:
        mongo_client.drop_database(name)
    yield
    for name in names:
        mongo_client.drop_database(name)


@pytest.fixture
def commit(make_unit_of_work):
    """A way for an owner to commit one more event."""
    unit = make_unit_of_work(OWN.service)
    return lambda feed: a_commit(unit, feed.organisation, an_event(new_identifier()))


@pytest.fixture
def others_topic(broker) -> str:
    """The other's topic, which exists."""
    topics = Topics(bootstrap(broker), SystemClock(), config=as_operator())
    topics.ensure_feed(OTHER.topic)
    topics.close()
    return OTHER.topic


def numbers_on(broker: Server, topic: str) -> list[int]:
    """Return the numbers of the events on a topic, as the cluster's own operator reads them."""
    log = OwnLog(bootstrap(broker), topic, SystemClock(), config=as_operator())
    return [record.body.feedseq for record in log.read(0) if isinstance(record.body, Envelope)]


def test_k14_relay_writes_its_own_prefix_and_no_other(broker, start_relay, commit, others_topic):
    """Vale's relay makes and fills its own topic; Hazel House's, which exists, takes nothing of it."""
    for owner in (OWN, OTHER):
        commit(owner)
    start_relay(OWN).step()
    assert numbers_on(broker, OWN.topic) != []
    with pytest.raises(RefusedByBroker, match="TopicAuthorizationFailedError"):
        start_relay(OTHER).step()
    assert numbers_on(broker, others_topic) == []


def test_k14_refusal_is_said_and_shown_and_ends_when_the_rights_are_right(
    broker, start_relay, commit, others_topic, caplog
):
    """A relay that may not write says so with a code, shows it in its figures, and goes on when it is let."""
    commit(OTHER)
    stop = threading.Event()
    relay = start_relay(OTHER, stop)
    thread = threading.Thread(target=relay.run)

    def forbidden() -> float | None:
        return REGISTRY.get_sample_value(
            "relay_feed", {"service": OTHER.service, "feed": others_topic, "kind": "forbidden"}
        )

    admin = KafkaAdminClient(bootstrap_servers=bootstrap(broker), **as_operator())
    with caplog.at_level(logging.ERROR, logger="shared.events.relay_process"):
        thread.start()
        try:
            wait_until(lambda: forbidden() == 1)
            [said, *_] = [record.getMessage() for record in caplog.records if others_topic in record.getMessage()]
            assert "refused-by-broker" in said
            assert numbers_on(broker, others_topic) == []
            admin.create_acls([_every_right_on(others_topic, "relay.vale")])
            wait_until(lambda: numbers_on(broker, others_topic) != [])
            wait_until(lambda: forbidden() == 0)
        finally:
            stop.set()
            thread.join(30)
            held = Pattern(ResourceType.TOPIC, others_topic, ACLResourcePatternType.LITERAL)
            admin.delete_acls(
                [ACLFilter("User:relay.vale", None, ACLOperation.ANY, ACLPermissionType.ANY, held)],
            )
            admin.close()


def test_k14_reader_reads_and_cannot_write(broker, as_, start_relay, commit, others_topic):
    """The reader of an instance takes a feed that it may read, and the broker takes nothing of it on any topic."""
    commit(OWN)
    start_relay(OWN).step()
    reader = as_("accreditation.westbridge")
    assert reads(broker, reader, OWN.topic, seconds=PATIENCE_SECONDS)
    assert joins(broker, reader, OWN.topic, "accreditation.westbridge")
    for topic in (OWN.topic, others_topic):
        assert not writes(broker, reader, topic)


def test_k14_reader_reads_nothing_that_the_terms_do_not_let_it(broker, as_, start_relay, commit):
    """Another employer's reader is not shown the feed, is refused when it asks, and joins no other group."""
    commit(OWN)
    start_relay(OWN).step()
    stranger = as_("enrolment.hazel-house")
    admin = KafkaAdminClient(bootstrap_servers=bootstrap(broker), **stranger)
    assert OWN.topic not in admin.list_topics()
    admin.close()
    assert not reads(broker, stranger, OWN.topic)
    assert not joins(broker, as_("accreditation.westbridge"), OWN.topic, "enrolment.hazel-house")


def test_k14_intake_is_between_an_hr_system_and_its_own_employer(broker, as_):
    """Vale's HR system alone writes Vale's intake, Vale's enrolment alone reads it, and its relay only makes it."""
    topic = "in.vale.enrolment.v1"
    relays = Topics(bootstrap(broker), SystemClock(), config=as_("relay.vale"))
    relays.ensure_plain(topic)
    relays.close()
    assert writes(broker, as_("hr.vale"), topic)
    assert reads(broker, as_("enrolment.vale"), topic, seconds=PATIENCE_SECONDS)
    assert not any(writes(broker, as_(user), topic) for user in ("hr.hazel-house", "relay.vale"))
    assert not any(reads(broker, as_(user), topic) for user in ("enrolment.hazel-house", "assessment.vale", "hr.vale"))


@pytest.mark.parametrize("config", [{}, as_user("relay.vale", "guessed"), as_user("nobody", "guessed")])
@pytest.mark.usefixtures("passwords")
def test_k14_stranger_is_not_served(broker, config):
    """Who does not say who they are, or says it wrongly, gets no answer."""
    topics = Topics(bootstrap(broker), SystemClock(), config=config)
    with pytest.raises(Unavailable):
        topics.place("org.vale.assessment.v1")
    topics.close()


def writes(broker: Server, config: dict[str, object], topic: str) -> bool:
    """Return whether the broker takes a record of a user."""
    producer = KafkaProducer(
        bootstrap_servers=bootstrap(broker), **config, max_block_ms=8000, allow_auto_create_topics=False
    )
    try:
        producer.send(topic, key=b"a", value=b"{}", partition=0).get(10)
    except KafkaError as error:
        if not isinstance(unavailable(error, "no answer"), RefusedByBroker):
            raise
        return False
    finally:
        producer.close(timeout=1)
    return True


def reads(broker: Server, config: dict[str, object], topic: str, *, seconds: float = 2.0) -> bool:
    """Return whether a user gets a record of a topic; refused, the client sometimes says so and sometimes asks on."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap(broker),
        **config,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
    )
    try:
        consumer.assign([TopicPartition(topic, 0)])
        clock = SystemClock()
        until = clock.monotonic() + seconds
        while clock.monotonic() < until:
            if consumer.poll(timeout_ms=500):
                return True
    except TopicAuthorizationFailedError:
        return False
    finally:
        consumer.close(timeout_ms=1000)
    return False


def joins(broker: Server, config: dict[str, object], topic: str, group: str) -> bool:
    """Return whether a user becomes a member of a group."""
    log = KafkaLog([topic], KafkaOptions(bootstrap(broker), group, config=config))
    clock = SystemClock()
    until = clock.monotonic() + PATIENCE_SECONDS
    try:
        while clock.monotonic() < until:
            log.poll(0.5, 10)
            if log.held():
                return True
    except RefusedByBroker:
        return False
    finally:
        log.close()
    message = "neither let in nor refused"
    raise AssertionError(message)


def wait_until(question, seconds: float = 60.0) -> None:
    """Return when the answer is yes; fail when it never is."""
    clock = SystemClock()
    until = clock.monotonic() + seconds
    while not question():
        assert clock.monotonic() < until
        clock.sleep(0.2)


def _every_right_on(topic: str, user: str):
    from kafka.admin import ACL, ResourcePattern

    resource = ResourcePattern(ResourceType.TOPIC, topic, ACLResourcePatternType.LITERAL)
    return ACL(f"User:{user}", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, resource)
