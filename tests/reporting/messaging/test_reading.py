"""The whole way: owners commit, their relays send, the board's reader counts, the board's officer publishes."""

from __future__ import annotations

import threading
import time

import msgspec
import pytest

from services.reporting import bootstrap, processes
from services.reporting.api.bodies import projection_rows
from services.reporting.domain.publication import TITLES
from shared.clock import SystemClock
from shared.events import reading_metrics
from shared.events.envelope import Outgoing
from shared.events.feed import feed_of
from shared.events.relay_process import build_relay
from shared.storage.mongo import connect
from shared.testing.backbone import bootstrap as bootstrap_address
from shared.testing.backbone import broker_server

PATIENCE_SECONDS = 60


def owners_commit(make_unit_of_work, feeds, prefix):
    """Let each owner commit its events, some hundred in an entry."""
    for topic, events in feeds.items():
        name = feed_of(topic)
        unit = make_unit_of_work(name.service, prefix=prefix)
        for start in range(0, len(events), 250):
            outgoing = [
                Outgoing(type=event.type, key=f"k{start + n}", version=1, data=msgspec.json.encode(event.data))
                for n, event in enumerate(events[start : start + 250])
            ]
            unit.run(name.organisation, lambda work, outgoing=outgoing: work.emit(*outgoing))


def send(given, feeds):
    """Let the owners' relays send everything."""
    for service in ("enrolment", "assessment", "accreditation"):
        relay = build_relay(
            service=service,
            feeds=[feed_of(topic) for topic in feeds if topic.split(".")[2] == service],
            client_factory=lambda: connect(given.mongodb_uri, appname="relay"),
            bootstrap_servers=given.kafka_bootstrap_servers,
            clock=SystemClock(),
            stop=threading.Event(),
            heartbeat_seconds=0.1,
            poll_seconds=0.1,
            partnership_version="1",
            partnership_hash="f" * 64,
            summed={"accreditation.credit-awarded.v1": "credits"},
            database_prefix=given.database_prefix,
        )
        try:
            for _ in range(6):
                relay.step()
                time.sleep(0.11)  # noqa: TID251 - so that heartbeats fall due
        finally:
            relay.close()


@pytest.fixture
def own_broker(tmp_path):
    """A broker of this test alone: the feeds have the scenario's own names."""
    server = broker_server(tmp_path / "broker")
    server.start()
    yield bootstrap_address(server)
    server.stop()


@pytest.fixture
def reading(own_broker, monkeypatch, house):
    """The board's reader at work, on a broker."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", own_broker)
    given = bootstrap.settings()
    assert given.partnership().board == house.board
    monkeypatch.setattr(processes, "NOTING_SECONDS", 0.2)
    for gauge in (reading_metrics.HEARD, reading_metrics.NUMBER, reading_metrics.ANNOUNCED):
        gauge.clear()  # what readers of other tests in this process showed
    stop = threading.Event()
    part = bootstrap.ReaderPart(given)
    thread = threading.Thread(target=part.run, args=(stop,))

    def start():
        thread.start()
        return part

    yield given, start
    stop.set()
    if thread.ident is not None:
        thread.join(30)


def wait_until(is_so):
    """Wait until something is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until, "it never was"
        time.sleep(0.1)  # noqa: TID251 - waiting for other threads


def test_owners_events_become_the_scenarios_reports_on_a_real_broker(reading, house, make_unit_of_work):
    """Eight owners' feeds, in whatever order the broker gives them: the five tables, their positions, freshness."""
    given, start = reading
    owners_commit(make_unit_of_work, house.story.feeds, given.database_prefix)
    send(given, house.story.feeds)
    part = start()

    def live():
        tables = house.desk.projections(house.unit.reading(house.board))
        return {name: projection_rows(tables, name) for name in TITLES}

    wait_until(lambda: live() == house.story.reports)
    assert part.ready()
    counted = {feed: len(events) for feed, events in house.story.feeds.items()}
    noted = house.unit.database(house.board)["freshness"]
    wait_until(lambda: {each["_id"]: each["taken"] for each in noted.find({})} == counted)
    items = {item["feed"]: item for item in house.get("/v1/freshness", "operator").get_json()["items"]}
    assert {feed: item["number"] for feed, item in items.items()} == counted
    assert {item["missing"] for item in items.values()} == {0}
    assert {tuple(item["differences"]) for item in items.values()} == {()}
    assert {item["is_other_partnership"] for item in items.values()} == {True}
    assert all(item["delay_seconds"] < PATIENCE_SECONDS for item in items.values())
    assert house.unit.database(house.board)["parked"].count_documents({}) == 0
    house.publish()
    report = house.get("/v1/reports/funnel", "board").get_json()
    assert all(feed["head"] for feed in report["feeds"])
