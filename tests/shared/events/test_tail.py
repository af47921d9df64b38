"""The tail check, topics, sending again, refusing: what a relay finds on a log and what it makes of it."""

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from shared.clock import SystemClock
from shared.errors import NotFound
from shared.events.envelope import Envelope, Heartbeat, Opened
from shared.events.ledger import HashIndex, Ledger
from shared.events.marks import Marks
from shared.events.relay import Outcome
from shared.events.republish import published, republish
from shared.events.tail import FeedRefused
from shared.events.topics import Topics
from shared.events.verify import verify_feed
from shared.testing.feeds import a_commit, an_event, commits, numbers_on, on_topic, step_until_it_works

pytestmark = pytest.mark.backbone


@pytest.fixture
def producer(kafka):
    """Somebody else's producer."""
    made = KafkaProducer(bootstrap_servers=kafka, acks="all")
    yield made
    made.close(timeout=2)


@pytest.fixture
def admin(kafka):
    """Somebody's admin client."""
    made = KafkaAdminClient(bootstrap_servers=kafka)
    yield made
    made.close()


def sent_bytes(kafka, feed):
    """Return number, data and hash of the events on the topic."""
    bodies = [(record.body, record.event_hash) for record in on_topic(kafka, feed.topic)]
    return [(body.feedseq, body.data, digest) for body, digest in bodies if isinstance(body, Envelope)]


def test_relay_sends_all_again_when_the_log_lost_its_tail(unit_of_work, feed, start_relay, kafka):
    """A mark that points at a record that is not there (a broker's disk restored) counts for nothing."""
    commits(unit_of_work, feed.organisation, 3)
    start_relay().step()
    database = unit_of_work.database(feed.organisation)
    database[feed.state].update_one({"_id": "mark"}, {"$set": {"offset": 77}})
    relay = start_relay()
    relay.step()
    assert numbers_on(kafka, feed.topic) == [1, 2, 3, 1, 2, 3]
    assert relay.gauges()[feed.topic]["rewound"] == 1


def test_relay_refuses_when_the_log_knows_more_than_the_database(unit_of_work, feed, start_relay, kafka, mongo_client):
    """A database restored from a backup must not fork its feed; a new generation resolves it."""
    commits(unit_of_work, feed.organisation, 2)
    start_relay().step()
    database = unit_of_work.database(feed.organisation)
    backup = {name: list(database[name].find({})) for name in database.list_collection_names()}
    commits(unit_of_work, feed.organisation, 2, first=3)
    start_relay().step()
    mongo_client.drop_database(database.name)
    for name, documents in backup.items():
        if documents:
            database[name].insert_many(documents)
    commits(unit_of_work, feed.organisation, 1, first=3)
    relay = start_relay()
    for _ in range(2):
        with pytest.raises(FeedRefused):
            relay.step()
    assert relay.gauges()[feed.topic]["refused"] == 1
    assert numbers_on(kafka, feed.topic) == [1, 2, 3, 4]
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).unnumbered == 1
    republish(unit_of_work, feed, is_new_generation=True)
    assert relay.step() == {feed.topic: Outcome.WORKED}
    assert numbers_on(kafka, feed.topic) == [1, 2, 3, 4, 1, 2, 3]
    openings = [record.body for record in on_topic(kafka, feed.topic) if isinstance(record.body, Opened)]
    assert len({opening.generation for opening in openings}) == 2
    assert relay.gauges()[feed.topic]["refused"] == 0
    start_relay().step()
    assert numbers_on(kafka, feed.topic) == [1, 2, 3, 4, 1, 2, 3]


def test_republish_sends_everything_again_in_the_same_generation(unit_of_work, feed, start_relay, kafka):
    """The command makes a running relay send all again, byte-identical."""
    commits(unit_of_work, feed.organisation, 3)
    relay = start_relay()
    with pytest.raises(NotFound):
        republish(unit_of_work, feed)
    relay.step()
    republish(unit_of_work, feed)
    assert published(unit_of_work, feed) == 0
    relay.step()
    assert published(unit_of_work, feed) == 3
    sent = sent_bytes(kafka, feed)
    assert sent[:3] == sent[3:]
    assert len([record for record in on_topic(kafka, feed.topic) if isinstance(record.body, Opened)]) == 1


def test_foreign_and_unreadable_records_at_the_tail_stop_nobody(unit_of_work, feed, start_relay, kafka, producer):
    """They are skipped and counted; the owner goes on."""
    commits(unit_of_work, feed.organisation, 1)
    start_relay().step()
    producer.send(feed.topic, key=b"k", value=b"garbage", partition=0).get(5)
    producer.send(feed.topic, key=b"k", value=b"{", headers=[("ce_type", b"\xff")], partition=0).get(5)
    commits(unit_of_work, feed.organisation, 1, first=2)
    relay = start_relay()
    relay.step()
    assert numbers_on(kafka, feed.topic) == [1, 2]
    assert relay.gauges()[feed.topic]["foreign_records"] == 2


def test_k16_topic_with_several_partitions_is_made_again(unit_of_work, feed, start_relay, kafka, admin):
    """A topic that a broker made by itself is deleted and made with one partition."""
    admin.create_topics([NewTopic(feed.topic, 4, 1)])
    commits(unit_of_work, feed.organisation, 1)
    step_until_it_works(start_relay())
    [described] = admin.describe_topics([feed.topic])
    assert len(described["partitions"]) == 1
    assert numbers_on(kafka, feed.topic) == [1]


def test_empty_topic_with_one_partition_gets_its_opening(unit_of_work, feed, start_relay, kafka, admin):
    """Somebody else may have made the topic rightly."""
    admin.create_topics([NewTopic(feed.topic, 1, 1)])
    commits(unit_of_work, feed.organisation, 1)
    start_relay().step()
    assert [type(record.body) for record in on_topic(kafka, feed.topic)] == [Opened, Envelope, Heartbeat]


def test_plain_topics_are_made_with_one_partition_and_left_alone(kafka, admin, organisation):
    """Intake topics are made where missing; one that exists is never deleted."""
    topics = Topics(kafka, SystemClock())
    name = f"in.{organisation}.enrolment.v1"
    topics.ensure_plain(name)
    place = topics.place(name)
    topics.ensure_plain(name)
    assert topics.place(name) == place
    topics.close()
    [described] = admin.describe_topics([name])
    assert len(described["partitions"]) == 1


def test_relay_stays_above_every_epoch_that_the_log_has_seen(unit_of_work, feed, start_relay, kafka):
    """A database that came back with an older epoch must not make readers ignore its heartbeats."""
    commits(unit_of_work, feed.organisation, 1)
    for _ in range(4):
        start_relay().step()
    state = unit_of_work.database(feed.organisation)[feed.state]
    state.update_many({}, {"$set": {"epoch": 1}})
    relay = start_relay()
    relay.step()
    assert on_topic(kafka, feed.topic)[-1].epoch >= 5
    assert relay.gauges()[feed.topic]["epoch"] >= 5


def test_large_entries_are_sent_whole(unit_of_work, feed, start_relay, kafka):
    """An entry of 500 events and one of nearly 4 MiB, more than may be in flight at once, arrive in order."""
    a_commit(unit_of_work, feed.organisation, *(an_event(f"k{number}") for number in range(500)))
    for _ in range(3):
        wide = [an_event(f"w{number}", text="x" * 800_000) for number in range(5)]
        a_commit(unit_of_work, feed.organisation, *wide)
    start_relay().step()
    assert numbers_on(kafka, feed.topic) == list(range(1, 516))


def test_verify_feed_finds_a_changed_entry_and_a_lost_one(unit_of_work, feed, start_relay):
    """Whoever changes a stored event or deletes an entry is found out."""
    commits(unit_of_work, feed.organisation, 3)
    start_relay().step()
    reading = unit_of_work.reading(feed.organisation)
    entries = unit_of_work.database(feed.organisation)[feed.entries]
    assert verify_feed(reading, feed).is_sound
    commits(unit_of_work, feed.organisation, 1, first=4)
    verdict = verify_feed(reading, feed)
    assert (verdict.is_sound, verdict.unnumbered, verdict.number) == (True, 1, 3)
    unit_of_work.database(feed.organisation)[feed.pending].delete_many({})
    assert verify_feed(reading, feed).lost == 1
    entry = entries.find_one({})
    entries.update_one({"_id": entry["_id"]}, {"$set": {"events.0.data": b"{}"}})
    assert verify_feed(reading, feed).first_break is not None


def test_hash_index_finds_any_number_and_the_round_before_it(unit_of_work, feed, start_relay):
    """Numbers are found by equality on rounds, at both ends and beyond."""
    relay = start_relay()
    for version in range(1, 8):
        commits(unit_of_work, feed.organisation, 1, first=version)
        relay.step()
    ledger = Ledger(unit_of_work.reading(feed.organisation), feed)
    head = ledger.head()
    index = HashIndex(ledger, head)
    assert index.hash_at(7) == head.hash
    assert index.hash_at(8) is None
    assert [index.round_before(number) for number in (0, 1, 7)] == [0, 1, 7]
    assert Marks(unit_of_work, feed).look().published == 7
