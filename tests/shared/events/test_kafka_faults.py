"""Faults of an Apache Kafka that an owner's relay and a reader must outlive: nothing is lost, doubled or out of order.

Each test has a feed of its own on brokers that the tests of this file kill, empty, put back, or set badly.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from shared.errors import Unavailable
from shared.events.alarms import GAP
from shared.events.log import OwnLog
from shared.events.republish import republish
from shared.events.topics import BROKERS_CHOICE
from shared.local import kafka
from shared.testing.backbone import Server, bootstrap
from shared.testing.feeds import numbers_on
from shared.testing.kafka import Cluster, kafka_server, three_brokers
from tests.shared.events.kafka_story import CLOCK, Story, wait_until

FIGURES = logging.getLogger("figures")
FIGURES.setLevel(logging.INFO)
SETTINGS = "log.initial.task.delay.ms=300\nlog.retention.check.interval.ms=300\nfile.delete.delay.ms=100\n"

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Iterator[Server]:
    """A broker of this file, which its tests leave running."""
    server = kafka_server(tmp_path_factory.mktemp("faults") / "broker", more=SETTINGS)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def begin(desk, mongodb_uri, organisation) -> Iterator[Callable[..., Story]]:
    """A maker of the test's story."""
    made: list[Story] = []

    def make(servers: str, copies: int = BROKERS_CHOICE) -> Story:
        made.append(Story(desk, mongodb_uri, servers, organisation, copies))
        return made[-1]

    yield make
    for story in made:
        story.end()


@pytest.fixture
def story(begin, one) -> Story:
    """A story on the one broker, which a test that failed may have left dead."""
    if one.process is None:
        one.start()
    return begin(bootstrap(one))


@pytest.fixture
def admin(one) -> Iterator[KafkaAdminClient]:
    """The one broker's operator."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap(one))
    yield client
    client.close()


def tell(what: str, seconds: float) -> None:
    """Leave a figure in the captured log: `pytest -rP` shows it."""
    FIGURES.info("%s %.1f", what, seconds)


def keep_for(admin: KafkaAdminClient, topic: str, milliseconds: int) -> None:
    """Set a topic's retention."""
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": str(milliseconds)})])


def lose_the_first(story: Story, admin: KafkaAdminClient, one: Server) -> None:
    """Have the reader away while more is sent, and the log forget all of it before the reader is back."""
    away = story.read()
    story.commit(5)
    story.are_through()
    away()
    story.commit(30)
    wait_until(lambda: story.published() == story.committed, "not everything is sent")
    log = OwnLog(bootstrap(one), story.feed.topic, CLOCK)
    keep_for(admin, story.feed.topic, 200)
    wait_until(lambda: log.beginning() > story.committed, "the log forgets nothing")
    keep_for(admin, story.feed.topic, -1)


def test_k16_what_a_retention_took_is_fetched_from_the_owner(story, admin, one):
    """A reader that comes back to a log without its next events gets them from the owner's pull feed."""
    lose_the_first(story, admin, one)
    story.read()
    story.are_through()
    story.commit(5)
    story.are_through()


def test_k16_retention_is_alarmed_and_republishing_makes_the_log_whole(story, admin, one):
    """With the owner's door shut reader and relay say what is missing; sent again in a new generation, all is equal."""
    story.door_is_open = False
    lose_the_first(story, admin, one)
    story.read()
    wait_until(lambda: story.alarm(GAP) == 1, "the reader says nothing of what is missing")
    assert story.taken() == 5
    story.relay._links.sender.close()  # a new connection, as after any trouble: the log is looked at again
    wait_until(lambda: story.figure("beginning_gone") == 1, "the relay says nothing of its log's first records")
    republish(story.desk.unit, story.feed, is_new_generation=True)
    wait_until(lambda: story.taken() == story.committed, "sent again, and not taken")
    story.are_through()
    wait_until(lambda: story.alarm(GAP) == 0 and story.figure("beginning_gone") == 0, "the alarms do not end")
    assert numbers_on(story.servers, story.feed.topic)[-story.committed :] == list(range(1, story.committed + 1))


def test_k16_topic_deleted_and_made_wrongly_is_made_again_and_filled(story, admin):
    """Somebody deletes the topic and makes it with three partitions: its owner makes it right and sends everything."""
    story.read()
    story.commit(20)
    story.are_through()
    admin.delete_topics([story.feed.topic])
    wait_until(lambda: _made(admin, NewTopic(story.feed.topic, 3, 1)), "the topic cannot be made")
    story.commit(20)
    story.published()
    again = wait_until(lambda: _partitions(admin, story.feed.topic) == 1, "the topic is not made right")
    wait_until(lambda: _first_on(story) == 1, "the feed is not sent again")
    story.are_through()
    tell("made_again_after_seconds", again)
    assert sorted(set(numbers_on(story.servers, story.feed.topic))) == list(range(1, 41))


def test_p8_broker_killed_and_started_again_under_load(story, one):
    """While the broker is away commits go on; when it is back everything leaves, in order, once."""
    story.read()
    with story.load():
        wait_until(lambda: story.taken() > 10, "nothing is read")
        one.kill()
        before = story.committed
        wait_until(lambda: story.committed > before + 40, "nothing can be committed while the broker is away")
        one.start()
        sent = story.published()
        tell("acknowledged_again_after_seconds", _until_more(story.published, sent))
        tell("read_again_after_seconds", _until_more(story.taken, sent))
    story.are_through()


def test_p9_disk_that_was_put_back_gets_again_what_it_lost(story, one, tmp_path):
    """The broker comes back with the same log, shorter than what it had acknowledged: what it lost is sent again."""
    story.read()
    story.commit(20)
    story.are_through()
    one.stop()
    records, kept = one.log.parent / "records", tmp_path / "kept"
    shutil.copytree(records, kept)
    one.start()
    story.commit(20)
    story.are_through()
    one.kill()
    shutil.rmtree(records)
    shutil.copytree(kept, records)
    one.start()
    story.commit(5)
    story.are_through()
    again = wait_until(lambda: set(numbers_on(story.servers, story.feed.topic)) == set(range(1, 46)), "lost")
    tell("sent_again_after_seconds", again)


def test_p8_cluster_replaced_by_an_empty_one(story, one):
    """Another cluster with nothing in it answers at the same address: it is noticed and filled, and all is equal."""
    story.read()
    with story.load():
        wait_until(lambda: story.taken() > 10, "nothing is read")
        one.kill()
        shutil.rmtree(one.log.parent / "records")
        kafka.prepare(one.log.parent, one.port, more=SETTINGS)
        one.start()
        began = CLOCK.monotonic()
        wait_until(lambda: _first_on(story) == 1, "the empty cluster is not noticed")
        tell("noticed_after_seconds", CLOCK.monotonic() - began)
    story.are_through()
    tell("equal_after_seconds", CLOCK.monotonic() - began)
    assert sorted(set(numbers_on(story.servers, story.feed.topic))) == list(range(1, story.committed + 1))


@pytest.fixture(scope="module", params=[(1, 2, 3), (1,)], ids=["three-voters", "one-voter"])
def three(request, tmp_path_factory) -> Iterator[Cluster]:
    """Three brokers; in the second cluster the first alone decides, so that it can be left alone."""
    cluster = three_brokers(tmp_path_factory.mktemp("three"), controllers=request.param)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()  # also those that ran when another did not come up


def test_p8_one_of_three_brokers_killed_stops_nobody(begin, three):
    """The broker that leads a feed (or another, where that one alone votes) is killed: everybody goes on."""
    story = begin(three.bootstrap, copies=3)
    story.read(group=f"enrolment.{story.feed.organisation}")
    with story.load():
        wait_until(lambda: story.taken() > 10, "nothing is read")
        leader = three.leader_of(story.feed.topic)
        others = sorted(three.nodes.keys() - set(three.voters))
        three.nodes[leader if len(three.voters) > 1 or leader in others else others[0]].kill()
        sent = story.published()
        tell("acknowledged_again_after_seconds", _until_more(story.published, sent))
        tell("read_again_after_seconds", _until_more(story.taken, sent))
    story.are_through()
    three.start()
    wait_until(lambda: three.in_sync(story.feed.topic) == {1, 2, 3}, "the one that was killed does not catch up")


def test_p8_below_min_isr_nothing_is_acknowledged_and_nothing_is_lost(begin, three, caplog):
    """With two of three brokers dead commits go on, not one event counts as sent, and all leave when they are back."""
    story = begin(three.bootstrap, copies=3)
    story.read(group=f"enrolment.{story.feed.organisation}")
    story.commit(20)
    story.are_through()
    for node in (2, 3):
        three.nodes[node].kill()
    with story.load():
        before = story.committed
        wait_until(
            lambda: "did not take everything" in caplog.text or "does not answer" in caplog.text, "no word of it"
        )
        wait_until(lambda: story.committed > before + 40, "nothing can be committed")
        assert story.published() == 20
        three.start()
        tell("acknowledged_again_after_seconds", _until_more(story.published, 20))
    story.are_through()
    assert sorted(set(numbers_on(story.servers, story.feed.topic))) == list(range(1, story.committed + 1))


def _until_more(count: Callable[[], int], than: int) -> float:
    return wait_until(lambda: count() > than, "it does not go on")


def _first_on(story: Story) -> int:
    """Return the first number on the log that is there now, 0 where there is none yet."""
    try:
        return next(iter(numbers_on(story.servers, story.feed.topic)), 0)
    except Unavailable:
        return 0


def _made(admin: KafkaAdminClient, topic: NewTopic) -> bool:
    """Return whether the topic could be made: a moment after it was deleted it cannot, or its owner was quicker."""
    from kafka.errors import TopicAlreadyExistsError

    with contextlib.suppress(TopicAlreadyExistsError):
        admin.create_topics([topic])
        return True
    return topic.name in admin.list_topics()


def _partitions(admin: KafkaAdminClient, topic: str) -> int:
    found = [one for one in admin.describe_topics() if one["name"] == topic]
    return len(found[0]["partitions"]) if found else 0
