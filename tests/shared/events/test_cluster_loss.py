"""The whole broker lost, stopped or not yet there: the local profile's broker keeps its records in memory only."""

import pytest

from shared.errors import Unavailable
from shared.events.envelope import Envelope, Opened
from shared.events.ledger import Ledger
from shared.events.relay import Outcome
from shared.events.verify import verify_feed
from shared.testing.backbone import bootstrap, broker_server
from shared.testing.feeds import commits, numbers_on, on_topic, step_until_it_works


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory):
    """A broker of this module alone, that its tests may restart."""
    server = broker_server(tmp_path_factory.mktemp("broker"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def kafka(own_broker):
    """Its address."""
    return bootstrap(own_broker)


def sent_bytes(kafka, feed):
    """Return number, data and hash of the events on the topic."""
    bodies = [(record.body, record.event_hash) for record in on_topic(kafka, feed.topic)]
    return [(body.feedseq, body.data, digest) for body, digest in bodies if isinstance(body, Envelope)]


def test_relay_sends_all_again_byte_identical_when_the_cluster_is_lost(
    unit_of_work, feed, start_relay, own_broker, kafka
):
    """A broker that lost everything gets every event again, oldest first, the same bytes, in a new generation."""
    commits(unit_of_work, feed.organisation, 5)
    relay = start_relay()
    relay.step()
    before, opened = sent_bytes(kafka, feed), on_topic(kafka, feed.topic)[0].body
    own_broker.kill()
    own_broker.start()
    commits(unit_of_work, feed.organisation, 1, first=6)
    step_until_it_works(relay)
    records = on_topic(kafka, feed.topic)
    assert isinstance(records[0].body, Opened)
    assert records[0].body.generation != opened.generation
    after = sent_bytes(kafka, feed)
    assert after[:5] == before
    assert [number for number, _, _ in after] == [1, 2, 3, 4, 5, 6]


def test_relay_that_is_started_into_an_empty_cluster_shows_since_when_it_sends_again(
    unit_of_work, feed, start_relay, own_broker
):
    """No earlier figure of the process is there to be compared with: an instant tells it at the first scrape."""
    commits(unit_of_work, feed.organisation, 1)
    first = start_relay()
    first.step()
    assert first.gauges()[feed.topic]["resent_at"] == 0
    first.close()
    own_broker.kill()
    own_broker.start()
    before = int(unit_of_work.clock.now().timestamp())
    second = start_relay()
    step_until_it_works(second)
    shown = second.gauges()[feed.topic]
    assert (shown["resent_logs"], shown["resent_at"] >= before) == (1, True)


def test_idle_relay_notices_another_log_by_its_heartbeat(unit_of_work, feed, start_relay, own_broker, kafka):
    """With nothing to send, the loss of the cluster is found and mended all the same."""
    commits(unit_of_work, feed.organisation, 2)
    relay = start_relay(heartbeat_seconds=0.0)
    relay.step()
    own_broker.kill()
    own_broker.start()
    for _ in range(3):
        step_until_it_works(relay)
    assert list(dict.fromkeys(numbers_on(kafka, feed.topic))) == [1, 2]


def test_relay_numbers_while_the_broker_is_away_and_sends_later(unit_of_work, feed, start_relay, own_broker, kafka):
    """Kafka may be down: work goes on, events leave later in order."""
    commits(unit_of_work, feed.organisation, 1)
    relay = start_relay()
    relay.step()
    own_broker.kill()
    commits(unit_of_work, feed.organisation, 2, first=2)
    with pytest.raises(Unavailable):
        relay.step()
    with pytest.raises(Unavailable):
        relay.step()
    assert Ledger(unit_of_work.reading(feed.organisation), feed).head().number == 3
    own_broker.start()
    step_until_it_works(relay)
    assert numbers_on(kafka, feed.topic) == [1, 2, 3]


def test_relay_numbers_nothing_before_its_first_check(unit_of_work, feed, start_relay, own_broker):
    """Started while Kafka is down, it waits with numbering; nothing is lost."""
    commits(unit_of_work, feed.organisation, 2)
    own_broker.kill()
    relay = start_relay()
    with pytest.raises(Unavailable):
        relay.step()
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).unnumbered == 2
    own_broker.start()
    assert step_until_it_works(relay) == {feed.topic: Outcome.WORKED}
