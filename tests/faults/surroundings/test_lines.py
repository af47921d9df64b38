"""Bad lines between real processes (P8, P15): API and database, relay and readers and broker, under real requests.

What is promised: an answer in bounded time, a 503 with Retry-After where there is none to give, no pile of threads or
sockets, readiness that is about the database alone, and every acknowledged request exactly once when the line is good.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager

import pytest

from shared.events.envelope import Outgoing
from shared.events.feed import FeedName
from shared.testing.backbone import bootstrap
from shared.testing.feeds import numbers_on
from tests.faults.proxy import DOWN, UP, Proxy
from tests.faults.surroundings.stage import BOARD, CLOCK, LEAD, OTHER, Nominations, Process, Stage, note, wait_until

MOST_THREADS_MORE = 6
MOST_DESCRIPTORS_MORE = 40
TOPIC = FeedName("org", LEAD, "enrolment").topic
BACKLOG_COMMITS, COMMIT_EVENTS = 200, 100

pytestmark = [pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """One stage for all weathers; each test leaves it healed and drained."""
    with Stage(tmp_path_factory.mktemp("lines")) as stage:
        stage.prepare("enrolment", "reporting")
        yield stage


@pytest.fixture(scope="module")
def api(stage) -> Process:
    """Enrolment's API with one worker, and a course to nominate for."""
    api = stage.api()
    stage.open_course(api)
    return api


@pytest.fixture(scope="module")
def nominations(stage, api) -> Nominations:
    """The clients of all tests, and the whole history of their requests."""
    return Nominations(stage, api)


@pytest.fixture(scope="module")
def relay(stage, api) -> Process:  # noqa: ARG001 - its feed has something to send
    """Enrolment's relay."""
    return stage.start("enrolment", "relay")


@pytest.fixture(scope="module")
def reader(stage, relay) -> Process:  # noqa: ARG001 - the topics are there
    """Reporting's reader."""
    return stage.start("reporting", "consume")


def is_drained(stage: Stage, org: str = LEAD) -> bool:
    """Return whether the board has taken all that an owner has committed."""
    waiting = stage.unit().database(org)["org_pending"].count_documents({})
    return waiting == 0 and stage.position("reporting", BOARD, org) == stage.head(org)


def check_log(stage: Stage, org: str = LEAD) -> None:
    """Every number stands on the log, first seen in order; again is harmless, missing is not."""
    numbers = numbers_on(stage.kafka, FeedName("org", org, "enrolment").topic)
    assert list(dict.fromkeys(numbers)) == list(range(1, stage.head(org) + 1))


def weather_between_api_and_database(
    stage: Stage, api: Process, nominations: Nominations, spoil: Callable[[Proxy], None], seconds: float
) -> float:
    """Let clients work while the line is bad, heal it, and return how long it took until requests were served again."""
    wait_until(lambda: nominations.nominate() == 201, "a good start")
    threads, descriptors = api.threads(), api.descriptors()
    first = len(nominations.statuses)
    with nominations.running(clients=2):
        spoil(stage.to_database)
        CLOCK.sleep(seconds)
        assert api.threads() <= threads + MOST_THREADS_MORE
        stage.to_database.heal()
        recovered = wait_until(lambda: api.status() == 200, "readiness")
        served = nominations.acknowledged
        recovered += wait_until(lambda: nominations.acknowledged > served, "an acknowledged request")
    assert 0 not in nominations.statuses[first:], "a request got no answer at all"
    nominations.settle()
    assert nominations.without_retry_after == 0
    assert api.threads() <= threads + MOST_THREADS_MORE
    assert api.descriptors() <= descriptors + MOST_DESCRIPTORS_MORE
    nominations.check()
    return recovered


def test_p15_one_way_drop_between_api_and_database_is_a_503_and_nothing_happens_twice(stage, api, nominations):
    """The database gets every word and its answers are swallowed: commits happen that nobody hears of.

    Readiness is false meanwhile; the same keys afterwards bring each request to exactly one effect.
    """

    def spoil(line: Proxy) -> None:
        line.cut(DOWN)
        assert api.status() == 503

    recovered = weather_between_api_and_database(stage, api, nominations, spoil, LONGER_THAN_ANY_PATIENCE)
    note("recovery_seconds", round(recovered, 1))
    assert 503 in nominations.statuses


LONGER_THAN_ANY_PATIENCE = 15.0  # the driver waits 5 s, and the unit of work tries again for 5 s


def partition(line: Proxy) -> None:
    """Nothing arrives, nobody is told."""
    line.cut(UP, DOWN)


def one_way_up(line: Proxy) -> None:
    """What the API sends does not arrive."""
    line.cut(UP)


def gone(line: Proxy) -> None:
    """The port is closed."""
    line.refuse()


def late(line: Proxy) -> None:
    """500 ms each way."""
    line.latency_seconds = 0.5


def narrow(line: Proxy) -> None:
    """1 kB a second each way for everybody together."""
    line.bytes_per_second = 1000


def lossy(line: Proxy) -> None:
    """One connection in fifty pieces of data is reset."""
    line.loss = 0.02


@pytest.mark.faults
@pytest.mark.parametrize("spoil", [partition, one_way_up, gone, late, narrow, lossy])
def test_p15_whatever_the_line_to_the_database_every_request_is_answered_and_done_at_most_once(
    stage, api, nominations, spoil
):
    """Partition, one way, closed port, 500 ms, 1 kB/s and loss: bounded answers, no pile, exactly once in the end."""
    recovered = weather_between_api_and_database(stage, api, nominations, spoil, 12.0)
    note("recovery_seconds", round(recovered, 1))
    note("slowest_answer_seconds", round(max(nominations.seconds), 1))


@pytest.mark.faults
def test_p15_a_lost_answer_to_a_commit_is_one_effect(stage, nominations):
    """The database commits, the answer and the connection are lost, ten times."""
    for _ in range(10):
        dropped = stage.to_database.dropped_replies
        stage.to_database.drop_next_reply(b"commitTransaction")
        nominations.nominate()
        assert stage.to_database.dropped_replies == dropped + 1
    nominations.settle()
    nominations.check()


@contextmanager
def broker_unreachable(stage: Stage):
    """Connections are refused and open ones reset, for as long as the block lasts."""
    stage.to_broker.refuse()
    try:
        yield
    finally:
        stage.to_broker.heal()


@contextmanager
def broker_stopped(stage: Stage):
    """The broker's process stands still: it accepts connections and says nothing."""
    process = stage.broker.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def acknowledgements_lost(stage: Stage):
    """The broker gets and keeps every record; its answers are swallowed."""
    stage.to_broker.cut(DOWN)
    try:
        yield
    finally:
        stage.to_broker.heal()


@pytest.mark.faults
@pytest.mark.parametrize(
    ("away", "seconds"), [(broker_unreachable, 5.0), (broker_stopped, 20.0), (acknowledgements_lost, 10.0)]
)
def test_p8_p15_api_accepts_while_the_broker_is_away_and_all_of_it_arrives_in_order(
    stage: Stage,
    api: Process,
    relay: Process,
    reader: Process,
    nominations: Nominations,
    away: Callable[[Stage], AbstractContextManager[None]],
    seconds: float,
):
    """Refused, standing still, or hearing and not heard: no request is refused, everybody stays ready, the lag shows.

    Afterwards the feed stands on the log in order, and the board counts each nomination once.
    """
    nominations.nominate()
    wait_until(lambda: is_drained(stage), "a good start")
    threads = relay.threads(), reader.threads()
    refused = nominations.statuses.count(503)
    with nominations.running(), away(stage):
        CLOCK.sleep(seconds)
        note("seconds_until_the_lag_shows", round(wait_until(lambda: lag(relay) > 0, "the lag to show"), 1))
        assert [process.status() for process in (api, relay, reader)] == [200, 200, 200]
        assert relay.threads() <= threads[0] + MOST_THREADS_MORE
        assert reader.threads() <= threads[1] + MOST_THREADS_MORE
    note("drain_seconds", round(wait_until(lambda: is_drained(stage), "the drain", 240), 1))
    assert nominations.statuses.count(503) == refused
    nominations.settle()
    wait_until(lambda: is_drained(stage), "the drain")
    nominations.check(with_board=True)
    check_log(stage)


def lag(relay: Process) -> float:
    """Return how many events the relay shows as numbered and not sent."""
    head, published = (relay.metric("relay_feed", feed=TOPIC, kind=kind) for kind in ("head", "published"))
    return (head or 0.0) - (published or 0.0)


@pytest.mark.faults
def test_p8_a_long_backlog_drains_in_order_without_hurrying_anybody(
    stage: Stage, api: Process, relay: Process, reader: Process, nominations: Nominations
):
    """20,000 events of one owner while the broker is away; another owner's events do not wait for all of them."""
    unit = stage.unit()
    data = b'{"practitioner_id":"p","line_manager_ids":[],"assigned_on":"2025-01-01"}'
    with broker_unreachable(stage):
        for commit in range(BACKLOG_COMMITS):
            events = [
                Outgoing(type="enrolment.line-manager-assigned.v1", key=f"{commit}-{n}", version=1, data=data)
                for n in range(COMMIT_EVENTS)
            ]
            unit.run(OTHER, lambda work, events=events: work.emit(*events))
        assert nominations.nominate() == 201
        assert [process.status() for process in (api, relay, reader)] == [200, 200, 200]
    theirs = wait_until(lambda: is_drained(stage), "the other owner's event", 240)
    seconds = theirs + wait_until(lambda: is_drained(stage, OTHER), "the backlog", 400)
    note("drained_events_per_second", round(BACKLOG_COMMITS * COMMIT_EVENTS / max(seconds, 0.001)))
    assert stage.head(OTHER) >= BACKLOG_COMMITS * COMMIT_EVENTS
    check_log(stage, OTHER)


@pytest.mark.faults
def test_p8_a_broker_restarted_empty_under_load_gets_everything_again(
    stage: Stage, relay: Process, reader: Process, nominations: Nominations
):
    """The local broker forgets all when it is restarted: owners publish again, the board counts nothing twice."""
    with nominations.running():
        CLOCK.sleep(2.0)
        stage.broker.kill()
        CLOCK.sleep(2.0)
        stage.broker.start()
        CLOCK.sleep(2.0)
    note("recovery_seconds", round(wait_until(lambda: is_drained(stage), "the republished feed", 240), 1))
    wait_until(lambda: set(numbers_on(bootstrap(stage.broker), TOPIC)) == set(range(1, stage.head() + 1)), "the log")
    nominations.settle()
    wait_until(lambda: is_drained(stage), "the drain")
    nominations.check(with_board=True)
    assert relay.status() == reader.status() == 200


@pytest.mark.faults
def test_p15_database_killed_and_started_under_load_loses_nothing(
    stage: Stage, api: Process, relay: Process, reader: Process, nominations: Nominations
):
    """All four processes meet it; each acknowledged nomination is there once, in rows, feed and projection."""
    with nominations.running():
        CLOCK.sleep(2.0)
        stage.database.kill()
        wait_until(lambda: api.status() == 503, "unreadiness")
        stage.database.start()
        served = nominations.acknowledged
        recovered = wait_until(lambda: nominations.acknowledged > served, "an acknowledged request")
    note("recovery_seconds", round(recovered, 1))
    nominations.settle()
    wait_until(lambda: is_drained(stage), "the drain", 240)
    nominations.check(with_board=True)
    wait_until(lambda: [process.status() for process in (api, relay, reader)] == [200, 200, 200], "readiness")
