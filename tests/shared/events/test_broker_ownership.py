"""A broker that asks who is there: with prefixed rights, a partner's relay writes its own prefix only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.envelope import Envelope
from shared.events.feed import FeedName
from shared.events.log import OwnLog
from shared.events.topics import Topics
from shared.testing.backbone import Server, bootstrap
from shared.testing.feeds import a_commit, a_relay, an_event
from shared.testing.kafka import kafka_server

PASSWORDS = {"cluster": "made-up-cluster", "brent": "made-up-brent"}
WITH_PASSWORDS = """
listeners=SASL_PLAINTEXT://127.0.0.1:PORT,CONTROLLER://127.0.0.1:CONTROLLER_PORT
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:PORT
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
required username="cluster" password="made-up-cluster";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:cluster;User:ANONYMOUS
"""
RIGHTS = {
    "org.brent.": (ACLOperation.CREATE, ACLOperation.DELETE, ACLOperation.WRITE),
    "org.": (ACLOperation.READ,),
}

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def as_user(name: str) -> dict[str, object]:
    """Return what a KAFKA_CONFIG_FILE of that user holds."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": name,
        "sasl_plain_password": PASSWORDS[name],
    }


@pytest.fixture
def broker(tmp_path) -> Iterator[Server]:
    """A broker on which brent may read every organisation's topics and write those that begin with `org.brent.`."""
    server = kafka_server(tmp_path / "broker", more=WITH_PASSWORDS, users=PASSWORDS)
    server.start()
    admin = KafkaAdminClient(bootstrap_servers=bootstrap(server), **as_user("cluster"))
    for prefix, rights in RIGHTS.items():
        topics = ResourcePattern(ResourceType.TOPIC, prefix, ACLResourcePatternType.PREFIXED)
        admin.create_acls([ACL("User:brent", "*", right, ACLPermissionType.ALLOW, topics) for right in rights])
    admin.close()
    yield server
    server.stop()


@pytest.fixture
def start_relay(broker, mongodb_uri):
    """A maker of relays that connect as brent."""
    made = []

    def start(feed: FeedName):
        made.append(a_relay(mongodb_uri, bootstrap(broker), [feed], kafka_config=as_user("brent")))
        return made[-1]

    yield start
    for relay in made:
        relay.close()


def numbers_on(broker: Server, topic: str) -> list[int]:
    """Return the numbers of the events on a topic, as the cluster's own user reads them."""
    log = OwnLog(bootstrap(broker), topic, SystemClock(), config=as_user("cluster"))
    return [record.body.feedseq for record in log.read(0) if isinstance(record.body, Envelope)]


def test_k14_relay_writes_its_own_prefix_and_no_other(broker, start_relay, make_unit_of_work):
    """Brent's relay makes and fills org.brent's topic; Ealing's, which exists, takes nothing of it."""
    unit = make_unit_of_work("broker-rights")
    own, other = FeedName("org", "brent", "broker-rights"), FeedName("org", "ealing", "broker-rights")
    topics = Topics(bootstrap(broker), SystemClock(), config=as_user("cluster"))
    topics.ensure_feed(other.topic)
    topics.close()
    for organisation in ("brent", "ealing"):
        a_commit(unit, organisation, an_event())

    start_relay(own).step()
    assert numbers_on(broker, own.topic) == [1]

    with pytest.raises(Unavailable, match="TopicAuthorizationFailedError"):
        start_relay(other).step()
    assert numbers_on(broker, other.topic) == []


def test_k14_stranger_is_not_served(broker):
    """Who does not say who they are gets no answer."""
    topics = Topics(bootstrap(broker), SystemClock())
    with pytest.raises(Unavailable):
        topics.place("org.brent.enrolment.v1")
    topics.close()
