"""The relay of a feed on the real database and a real broker."""

from contextlib import closing
from threading import Event, Thread

import msgspec
import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import numbering
from shared.events.envelope import GENESIS, Envelope, Heartbeat, Opened
from shared.events.feed import FeedName
from shared.events.hashing import first_break
from shared.events.ledger import Ledger
from shared.events.relay import MOST_FRESH_ROUNDS, Outcome
from shared.events.verify import verify_feed
from shared.testing.feeds import a_commit, a_relay, an_event, commits, numbers_on, on_topic

pytestmark = pytest.mark.backbone


@pytest.fixture
def start_relay(mongodb_uri, kafka_bootstrap, feed):
    """A maker of relays of the feed that are closed in the end."""
    made = []

    def start(feeds=None, *, holder=None, at=lambda _: None):
        made.append(a_relay(mongodb_uri, kafka_bootstrap, feeds or [feed], holder=holder, at=at))
        return made[-1]

    yield start
    for relay in made:
        relay.close()


def test_relay_numbers_chains_and_sends_what_was_committed(unit_of_work, feed, start_relay, kafka_bootstrap):
    """Events get dense numbers in one chain and stand on the topic after its opening, bytes as committed."""
    a_commit(unit_of_work, feed.organisation, an_event("a", 1, x=1), an_event("b", 1))
    commits(unit_of_work, feed.organisation, 3, first=2)
    relay = start_relay()
    assert relay.step() == {feed.topic: Outcome.WORKED}
    assert relay.step() == {feed.topic: Outcome.IDLE}
    records = on_topic(kafka_bootstrap, feed.topic)
    assert isinstance(records[0].body, Opened)
    events = [record.body for record in records if isinstance(record.body, Envelope)]
    assert [event.feedseq for event in events] == [1, 2, 3, 4, 5]
    assert first_break(events, 0, GENESIS) is None
    assert events[0].data == an_event("a", 1, x=1).data
    assert (events[0].organisation, events[0].subject) == (feed.organisation, "a")
    assert isinstance(records[-1].body, Heartbeat)
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).is_sound


def test_relay_heartbeat_tells_head_counts_and_generation(unit_of_work, feed, start_relay, kafka_bootstrap):
    """A heartbeat carries the owner's totals once everything is acknowledged."""
    commits(unit_of_work, feed.organisation, 2)
    start_relay().step()
    records = on_topic(kafka_bootstrap, feed.topic)
    beat = records[-1].body
    head = Ledger(unit_of_work.reading(feed.organisation), feed).head()
    assert (beat.feedseq, beat.head_hash, beat.counts) == (2, head.hash, {"test.happened.v1": 2})
    assert beat.generation == records[0].body.generation
    assert (beat.epoch, beat.partnership_version, beat.partnership_hash) == (1, "1", "f" * 64)


def test_relay_sends_several_feeds_of_one_database(unit_of_work, feed, start_relay, kafka_bootstrap):
    """`org` and `out` feeds are numbered and sent apart."""
    out = FeedName("out", feed.organisation, "enrolment")
    a_commit(unit_of_work, feed.organisation, an_event("a"), an_event("b", feed="out"))
    start_relay(feeds=[feed, out]).step()
    assert numbers_on(kafka_bootstrap, feed.topic) == numbers_on(kafka_bootstrap, out.topic) == [1]


def test_numbering_follows_versions_when_writers_race(unit_of_work, feed, start_relay, kafka_bootstrap):
    """Two writers of the same aggregates, numbered while they write: each aggregate's versions rise by one."""

    def write(times):
        for _ in range(times):
            unit_of_work.run(feed.organisation, raise_both)

    def raise_both(work):
        for key in ("a", "b"):
            version = work.rows("things").find_one({"_id": key})["version"] + 1
            work.rows("things").replace_version({"_id": key, "version": version}, version - 1)
            work.emit(an_event(key, version))

    things = [{"_id": key, "version": 0} for key in ("a", "b")]
    unit_of_work.run(feed.organisation, lambda work: work.rows("things").insert_many(things))
    writers = [Thread(target=write, args=(10,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    relay = start_relay()
    while any(writer.is_alive() for writer in writers):
        relay.step()
    relay.step()
    records = on_topic(kafka_bootstrap, feed.topic)
    seen = [msgspec.json.decode(record.body.data) for record in records if isinstance(record.body, Envelope)]
    for key in ("a", "b"):
        assert [data["version"] for data in seen if data["key"] == key] == list(range(1, 21))
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).is_sound


class Crash(BaseException):
    """The process ends here."""


def crash_at(point):
    """Return a hook that ends the process the first time that `point` is reached."""
    left = [point]

    def hook(reached):
        if left and reached == left[0]:
            left.clear()
            raise Crash

    return hook


@pytest.mark.parametrize("point", ["opened", "checked", "read", "numbered", "sending", "acknowledged", "marked"])
def test_relay_loses_and_forks_nothing_when_it_dies(point, unit_of_work, feed, start_relay, kafka_bootstrap):
    """Killed after any step, its successor finishes: all numbers are there in order, one chain, no second content."""
    commits(unit_of_work, feed.organisation, 3)
    with pytest.raises(Crash):
        start_relay(at=crash_at(point), holder="same").step()
    commits(unit_of_work, feed.organisation, 2, first=4)
    start_relay(holder="same").step()
    numbers = numbers_on(kafka_bootstrap, feed.topic)
    assert list(dict.fromkeys(numbers)) == [1, 2, 3, 4, 5]
    by_number = {}
    for record in on_topic(kafka_bootstrap, feed.topic):
        if isinstance(record.body, Envelope):
            assert by_number.setdefault(record.body.feedseq, record.event_hash) == record.event_hash
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).is_sound


def test_relay_sends_nothing_twice_when_it_died_between_acknowledgement_and_mark(
    unit_of_work, feed, start_relay, kafka_bootstrap
):
    """What the tail already holds in order counts as sent."""
    commits(unit_of_work, feed.organisation, 3)
    with pytest.raises(Crash):
        start_relay(at=crash_at("acknowledged"), holder="same").step()
    start_relay(holder="same").step()
    assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2, 3]


def test_relay_that_is_started_again_finds_the_last_of_a_batch_and_sends_nothing_again(
    unit_of_work, feed, start_relay, kafka_bootstrap
):
    """Several events leave together; a broker that names too early an end must not make them look lost."""
    first = start_relay()
    first.step()
    commits(unit_of_work, feed.organisation, 5)
    first.step()
    first.close()
    again = start_relay()
    again.step()
    assert again.gauges()[feed.topic]["rewound"] == 0
    assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2, 3, 4, 5]


def test_second_relay_stands_by_while_the_lease_lasts(unit_of_work, feed, start_relay):
    """A relay of another holder's name waits; once the first is released, it works."""
    commits(unit_of_work, feed.organisation, 1)
    first, second = start_relay(holder="one"), start_relay(holder="two")
    assert first.step() == {feed.topic: Outcome.WORKED}
    assert second.step() == {feed.topic: Outcome.STANDBY}
    first.close()
    assert second.step() == {feed.topic: Outcome.IDLE}


def test_fenced_relay_writes_nothing_more(unit_of_work, feed, start_relay, kafka_bootstrap):
    """A relay whose feed was taken numbers nothing and takes nothing back before the lease ends."""
    commits(unit_of_work, feed.organisation, 1)
    zombie, successor = start_relay(holder="same"), start_relay(holder="same")
    zombie.step()
    successor.step()
    commits(unit_of_work, feed.organisation, 1, first=2)
    assert zombie.step() == {feed.topic: Outcome.STANDBY}
    assert zombie.step() == {feed.topic: Outcome.STANDBY}
    assert successor.step() == {feed.topic: Outcome.WORKED}
    assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2]


def test_relay_fenced_between_reading_and_numbering_numbers_nothing(unit_of_work, feed, start_relay, kafka_bootstrap):
    """Taken over in the middle of a round, the old relay's numbering does not count."""
    successor = start_relay(holder="same")

    def be_taken_over(reached):
        if reached == "read":
            successor.step()

    commits(unit_of_work, feed.organisation, 3)
    zombie = start_relay(holder="same", at=be_taken_over)
    assert zombie.step() == {feed.topic: Outcome.STANDBY}
    assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2, 3]
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).is_sound


def test_successor_ends_the_session_that_a_killed_relay_left_open(unit_of_work, feed, start_relay, mongo_client):
    """Locks of a transaction that nobody will end do not stop the successor."""
    commits(unit_of_work, feed.organisation, 1)
    dead = start_relay(holder="same")
    dead.step()
    lane = next(iter(dead._lanes.values()))
    session = lane.relay._lease.session
    database = mongo_client_of(dead)[unit_of_work.database(feed.organisation).name]
    session.start_transaction()
    database[feed.state].update_one({"_id": "head"}, {"$set": {"held": True}}, session=session)
    commits(unit_of_work, feed.organisation, 1, first=2)
    assert start_relay(holder="same").step() == {feed.topic: Outcome.WORKED}
    assert "held" not in mongo_client[database.name][feed.state].find_one({"_id": "head"})


def mongo_client_of(relay):
    """Return the client that a relay uses."""
    return relay._links.unit_of_work.client


def test_relay_runs_woken_by_the_database_until_stopped(unit_of_work, feed, mongodb_uri, kafka_bootstrap):
    """In its own threads it sends what is committed long before the next poll, and ends when told to."""
    stop, clock = Event(), SystemClock()
    relay = a_relay(mongodb_uri, kafka_bootstrap, [feed], stop=stop, poll_seconds=60.0)
    running = Thread(target=relay.run)
    running.start()
    clock.sleep(1.5)
    commits(unit_of_work, feed.organisation, 1)
    until = clock.monotonic() + 10
    while relay.gauges()[feed.topic]["published"] < 1 and clock.monotonic() < until:
        clock.sleep(0.05)
    stop.set()
    running.join(15)
    assert not running.is_alive()
    assert numbers_on(kafka_bootstrap, feed.topic) == [1]


def test_blocked_feed_never_delays_another(unit_of_work, feed, new_organisation, mongodb_uri, kafka_bootstrap):
    """With one feed's log refused, another feed's events leave as ever."""
    other = FeedName("org", new_organisation("other"), "enrolment")
    commits(unit_of_work, other.organisation, 1)
    first = a_relay(mongodb_uri, kafka_bootstrap, [other], holder="same")
    first.step()
    first.close()
    forged = {"$set": {"hash": "0" * 64, "number": 0, "rounds": 0}}
    unit_of_work.database(other.organisation)[other.state].update_many({}, forged)
    stop, clock = Event(), SystemClock()
    relay = a_relay(mongodb_uri, kafka_bootstrap, [other, feed], holder="same", stop=stop)
    running = Thread(target=relay.run)
    running.start()
    commits(unit_of_work, feed.organisation, 3)
    until = clock.monotonic() + 10
    while relay.gauges()[feed.topic]["published"] < 3 and clock.monotonic() < until:
        clock.sleep(0.05)
    shown = relay.gauges()
    stop.set()
    running.join(20)
    assert shown[feed.topic]["published"] == 3
    assert shown[other.topic]["refused"] == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_relay_ends_as_a_whole_when_one_feed_meets_a_bug(unit_of_work, feed, mongodb_uri, kafka_bootstrap):
    """A feed must not stand still unseen: the process ends and is started again."""

    def fail(_):
        raise KeyError("bug")

    commits(unit_of_work, feed.organisation, 1)
    relay = a_relay(mongodb_uri, kafka_bootstrap, [feed], at=fail)
    with pytest.raises(RuntimeError, match="met a bug"):
        relay.run()


def test_relay_goes_on_numbering_when_the_broker_goes_away_in_the_middle_of_a_send(
    unit_of_work, feed, start_relay, kafka_bootstrap, monkeypatch
):
    """It outranks the producer that it threw away, finds nobody to ask about the log, and is not fenced by itself."""
    commits(unit_of_work, feed.organisation, 1)
    relay = start_relay()
    relay.step()
    links = relay._links

    def away(*_):
        raise Unavailable("the broker does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(links.topics, "ensure_feed", away)
        links.sender._throw_away(links.sender._current())
        for count in range(2, 5):
            commits(unit_of_work, feed.organisation, 1, first=count)
            with pytest.raises(Unavailable):
                relay.step()
            assert relay.gauges()[feed.topic]["head"] == count
    while Outcome.WORKED in relay.step().values():
        continue
    assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2, 3, 4]


def test_relay_numbers_all_that_waits_though_the_broker_takes_nothing(
    unit_of_work, feed, start_relay, kafka_bootstrap, monkeypatch
):
    """Below its least number of copies a broker answers and takes nothing: the owner's feed can still be pulled."""
    monkeypatch.setattr(numbering, "MOST_ENTRIES", 1)
    takes, sends = [True], []

    def at(point: str) -> None:
        if point == "sending":
            sends.append(point)
            if not takes:
                raise Unavailable("too few copies")

    commits(unit_of_work, feed.organisation, 1)
    relay = start_relay(at=at)
    relay.step()
    takes.clear()
    sends.clear()
    commits(unit_of_work, feed.organisation, 2 * MOST_FRESH_ROUNDS, first=2)
    with pytest.raises(Unavailable, match="too few copies"):
        relay.step()
    assert relay.gauges()[feed.topic]["head"] == 1 + 2 * MOST_FRESH_ROUNDS
    assert relay.gauges()[feed.topic]["published"] == 1
    assert len(sends) == 1, "it was asked again although it had just said no"
    takes.append(True)
    while Outcome.WORKED in relay.step().values():
        continue
    assert numbers_on(kafka_bootstrap, feed.topic) == list(range(1, 2 + 2 * MOST_FRESH_ROUNDS))


def test_relay_that_stood_still_does_not_refuse_what_another_sent_meanwhile(
    unit_of_work, feed, mongodb_uri, kafka_bootstrap, monkeypatch
):
    """It had read the head before and looks at the log afterwards: the numbers that it does not know are no alarm."""

    def a_relay_of(holder):
        return closing(a_relay(mongodb_uri, kafka_bootstrap, [feed], holder=holder, lease_seconds=2.0))

    with a_relay_of("slow") as slow, a_relay_of("quick") as quick, monkeypatch.context() as standing:
        commits(unit_of_work, feed.organisation, 1)
        slow.step()
        links = slow._links
        ensure = links.topics.ensure_feed

        def stand_still(topic):
            commits(unit_of_work, feed.organisation, 1, first=2)
            for _ in range(100):
                if quick.step() != {feed.topic: Outcome.STANDBY}:
                    break
                unit_of_work.clock.sleep(0.1)
            return ensure(topic)

        links.sender._throw_away(links.sender._current())  # so that the log is looked at again
        standing.setattr(links.topics, "ensure_feed", stand_still)
        assert slow.step() == {feed.topic: Outcome.STANDBY}
        assert slow.gauges()[feed.topic]["refused"] == 0
        assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2]
