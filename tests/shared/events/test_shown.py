"""What relays and readers show to operators: what waits and how long, what is missing, parked, fenced, and by whom."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
import structlog
from environs import Env
from prometheus_client import REGISTRY

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import relay_metrics, relay_watch
from shared.events.consumer import LogSource
from shared.events.outbox import Outbox, outbox_of
from shared.events.reading_loop import Reader
from shared.events.topics import Copies, Topics
from shared.local.ports import any_free
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork
from shared.telemetry.logs import configure_logging
from shared.testing.feeds import a_relay, commits

CLOCK = SystemClock()
WAIT_SECONDS = 20


def shown(name: str, feed: str, **labels: str) -> float | None:
    """Return a figure as it is scraped."""
    return REGISTRY.get_sample_value(name, {"service": "enrolment", "feed": feed, **labels})


def until(question) -> None:
    """Wait for a condition."""
    end = CLOCK.monotonic() + WAIT_SECONDS
    while not question():
        assert CLOCK.monotonic() < end, "waited too long"
        CLOCK.sleep(0.05)


def test_outbox_counts_what_no_broker_has_acknowledged_numbered_or_not(
    unit_of_work, feed, mongodb_uri, kafka_bootstrap
):
    """From the commit on, through numbering, to the acknowledgement; its age is that of the oldest."""
    assert outbox_of(unit_of_work, feed) == Outbox()
    before = datetime.now(UTC) - timedelta(seconds=1)  # noqa: TID251 - a bound of the test
    commits(unit_of_work, feed.organisation, 3)
    unnumbered = outbox_of(unit_of_work, feed)
    assert unnumbered.events == 3
    assert before < unnumbered.oldest_at <= CLOCK.now()

    def die(reached: str) -> None:
        if reached == "sending":
            raise RuntimeError("as if killed")

    dead = a_relay(mongodb_uri, kafka_bootstrap, [feed], holder="same", at=die)
    with pytest.raises(RuntimeError):
        dead.step()
    commits(unit_of_work, feed.organisation, 2, first=4)
    assert outbox_of(unit_of_work, feed) == Outbox(events=5, oldest_at=unnumbered.oldest_at)
    relay = a_relay(mongodb_uri, kafka_bootstrap, [feed], holder="same")
    relay.step()
    assert outbox_of(unit_of_work, feed) == Outbox()
    for one in (relay, dead):
        one.close()


def test_age_of_the_outbox_grows_by_itself(feed):
    """Also while nobody can look any more."""
    oldest = CLOCK.now() - timedelta(seconds=100)
    relay_metrics.show_outbox(CLOCK, feed, Outbox(events=7, oldest_at=oldest))
    assert shown("outbox_events", feed.topic) == 7
    first = shown("outbox_oldest_seconds", feed.topic)
    until(lambda: shown("outbox_oldest_seconds", feed.topic) > first >= 100)
    relay_metrics.show_outbox(CLOCK, feed, Outbox())
    assert shown("outbox_oldest_seconds", feed.topic) == 0


def test_p4_a_relay_whose_feed_was_taken_counts_it_once(unit_of_work, feed, mongodb_uri, kafka_bootstrap):
    """A zombie's write is refused, and that is seen; what it showed of the feed does not stand on."""
    commits(unit_of_work, feed.organisation, 1)
    stop = Event()
    zombie = a_relay(mongodb_uri, kafka_bootstrap, [feed], holder="same", stop=stop)
    running = Thread(target=zombie.run)
    running.start()
    try:
        until(lambda: zombie.gauges()[feed.topic]["published"] == 1)
        assert zombie.held() == [feed]
        successor = a_relay(mongodb_uri, kafka_bootstrap, [feed], holder="same")
        successor.step()
        commits(unit_of_work, feed.organisation, 1, first=2)
        until(lambda: shown("relay_fenced_total", feed.topic) == 1)
        until(lambda: zombie.held() == [])
        until(lambda: shown("relay_feed", feed.topic, kind="published") == 0)
        successor.close()
    finally:
        stop.set()
        running.join(WAIT_SECONDS)
    assert shown("relay_fenced_total", feed.topic) == 1


def test_lag_and_missing_numbers_are_shown_in_events_and_seconds(desk, owner):
    """An event that did not come holds the feed; everything behind it is late, that one is missing."""
    made = [owner.make() for _ in range(5)]
    owner.send(*made[:2], *made[3:])
    owner.beat()
    reader = desk.reader(owner)
    desk.settle(reader, lambda: shown("feed_lag_events", owner.topic) == 3)
    assert shown("feed_missing_events", owner.topic) == 1
    first = shown("feed_lag_seconds", owner.topic)
    until(lambda: shown("feed_lag_seconds", owner.topic) > first > 0)
    owner.send(made[2])
    desk.settle(reader, lambda: shown("feed_lag_events", owner.topic) == 0)
    assert shown("feed_missing_events", owner.topic) == 0
    assert shown("feed_lag_seconds", owner.topic) == 0


def test_parked_keys_are_counted_by_the_code_of_the_reason(desk, owner):
    """Followers are no keys of their own, and no reason quotes what was sent."""
    owner.send(
        owner.make("k1", orders="bug"),
        owner.make("k1"),
        owner.make("k2", orders="bug"),
        owner.make("k3", orders="malformed"),
        owner.make("k4"),
    )
    owner.raw(b"Ada Lovelace", b"no event")
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 5)
    reading = reader._active[owner.topic]
    desk.settle(reader, lambda: len(desk.rows(owner.organisation, "parked")) == 5)
    reading._watch.count()
    reasons = {
        sample.labels["reason"]: sample.value
        for family in REGISTRY.collect()
        if family.name == "parked_keys"
        for sample in family.samples
        if sample.labels["feed"] == owner.topic
    }
    assert reasons == {"bug": 2, "malformed": 1, "stray": 1, "stray-security": 0}


def no_broker() -> LogSource:
    """Answer as a broker that is away does."""
    raise Unavailable("the broker does not answer")


def test_p8_p15_a_reader_is_ready_while_only_kafka_is_away_and_not_while_the_database_is(desk, owner):
    """Also one that was started into it: it has never been connected."""

    def reader_of(unit: UnitOfWork) -> Reader:
        made = desk.reader(owner)
        made._make_source = no_broker
        made._unit = unit
        return made

    reader = reader_of(desk.unit)
    assert reader.step() > 0, "it waits for the broker"
    assert reader.ready()
    gone = connect(f"mongodb://127.0.0.1:{any_free()}/?directConnection=true", appname="test")
    without = reader_of(
        UnitOfWork(client=gone, service="enrolment", clock=CLOCK, new_identifier=desk.unit.new_identifier)
    )
    assert not without.ready()
    without._unit = desk.unit
    gone.close()


@pytest.fixture
def log_lines():
    """What is logged meanwhile, as the platform writes it."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging("toy", stream=(stream := io.StringIO()))
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def test_what_a_reaction_logs_and_what_was_taken_belong_to_the_events_correlation(desk, owner, log_lines):
    """The reader's lines carry it while the event is taken; afterwards the reader is itself again."""

    def concerned(*_: object) -> tuple[str, ...]:
        return (owner.organisation,)

    owner.send(owner.make("k1", orders="bug"), owner.make("k2"))
    reader = desk.reader(owner, concerned=concerned)
    book = reader._make_readings
    logged = structlog.get_logger("a-service")

    def loud(tools):
        found = book(tools)
        row = found[owner.topic]._router._book.find("test.noted.v1")
        object.__setattr__(row, "reaction", _logging(row.reaction, logged))
        return found

    before = desk.book().find("test.noted.v1").reaction
    reader._make_readings = loud
    try:
        desk.reads_to(reader, owner, 2)
    finally:
        object.__setattr__(desk.book().find("test.noted.v1"), "reaction", before)
    lines = log_lines()
    first, second = (envelope.correlationid for envelope in owner.made)
    assert {line["correlation_id"] for line in lines if line["event"] == "service.reacts"} == {first, second}
    [taken] = [line for line in lines if line["event"] == "event.taken"]
    assert (taken["feed"], taken["number"], taken["correlation_id"]) == (owner.topic, 2, second)
    assert {"event_id", "event_type"} <= taken.keys()
    [parked] = [line for line in lines if line["event"] == "feed.parked"]
    assert parked.get("correlation_id") not in {first, second}


def _logging(reaction, logged):
    def loud(work, event):
        logged.info("service.reacts", number=event.number)
        reaction(work, event)

    return loud


def test_a_backlog_is_one_line_for_each_transaction(desk, owner, log_lines):
    """Nobody follows a request through a rebuild, and a line for each of a million events would cost."""
    owner.send(*(owner.make() for _ in range(100)))
    desk.reads_to(desk.reader(owner), owner, 100)
    taken = [line for line in log_lines() if line["event"] in ("event.taken", "events.taken")]
    assert sum(line.get("count", 1) for line in taken) == 100
    assert len(taken) < 30


@pytest.mark.parametrize(
    ("copies", "weak"),
    [
        (Copies(1, None), True),
        (Copies(3, 1), True),
        (Copies(2, 2), True),
        (Copies(3, 2), False),
        (Copies(5, None), False),
    ],
)
def test_three_copies_of_which_two_must_hold_what_is_acknowledged_are_enough(copies, weak):
    """What the broker does not tell is not held against it."""
    assert relay_watch.is_weak(copies) is weak


def test_a_feed_on_too_few_brokers_is_shown_and_said_once(feed, kafka_bootstrap, caplog):
    """Nothing stops: the feed is sent all the same."""
    topics = Topics(kafka_bootstrap, CLOCK, replication_factor=1)
    topics.ensure_feed(feed.topic)
    stop = Event()
    with caplog.at_level(logging.WARNING, logger="shared.events.relay_watch"):
        watching = Thread(target=relay_watch.watch_copies, args=(topics, [feed], stop))
        watching.start()
        until(lambda: shown("feed_copies", feed.topic, kind="replicas") == 1)
        until(lambda: "copies" in caplog.text)
        stop.set()
        watching.join(WAIT_SECONDS)
    topics.close()
    [line] = [record.getMessage() for record in caplog.records if record.name == "shared.events.relay_watch"]
    assert f"feed {feed.topic} has 1 copies" in line
    assert shown("feed_copies", feed.topic, kind="least_in_sync") in (None, 1)
    assert ("of which 1 must hold" in line) == Env().bool("KAFKA_IS_REAL", False), "the local broker does not tell"
