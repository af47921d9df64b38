"""From enrolment's feed, over the broker, to a portfolio: once, however often it is read."""

from __future__ import annotations

import time
from threading import Event

import msgspec
import pytest

from services.assessment.bootstrap import prepare, reader, unit_of_work
from services.assessment.settings import AssessmentSettings
from shared.clock import SystemClock
from shared.events.envelope import Outgoing
from shared.events.feed import FeedName
from shared.events.relay_process import build_relay
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.process.settings import load
from shared.storage.mongo import connect

PERSON, MANAGER = "5d3c6a1e-94b1-8c2a-9b7e-0d6f3e2a1b4c", "6d3c6a1e-94b1-8c2a-9b7e-0d6f3e2a1b4c"
PATIENCE_SECONDS = 45

PARTNERSHIP = """
partnership: {org}-partnership
version: 1
title: A partnership of one employer
programme_lead: {org}
board: {org}-board
organisations:
  {org}: {{name: An employer, kind: borough, roles: [employer, programme_lead]}}
  {org}-board: {{name: A board, kind: board, roles: [board]}}
frameworks:
  small: {{valid_from: '2018-06-01', domains: [alpha, beta]}}
evidence_sets:
  small-set: {{framework: small, every_domain: 1, items: {{observation: {{at_least: 1}}}}}}
"""


@pytest.fixture
def employer(new_organisation):
    """An employer whose topics no other test uses."""
    return new_organisation("emp")


@pytest.fixture
def given(employer, mongodb_uri, kafka_bootstrap, tmp_path, monkeypatch) -> AssessmentSettings:
    """The settings of an instance that hosts the employer."""
    file = tmp_path / "partnership.yaml"
    file.write_text(PARTNERSHIP.format(org=employer), "utf-8")
    issuer = LocalIssuer(tmp_path / "keys", "local", SystemClock(), new_identifier)
    issuer.prepare([employer])
    variables = {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(file),
        "HOSTED_ORGANISATIONS": employer,
        "MONGODB_URI": mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "TRUSTED_ISSUERS_FILE": str(issuer.trusted_issuers_file),
        "ORGANISATION_KEYS_DIR": str(issuer.keys_dir),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = load(AssessmentSettings.read)
    prepare(settings)
    return settings


def told(event_type, key, version, **data):
    """Return an event of enrolment."""
    return Outgoing(type=event_type, key=key, version=version, data=msgspec.json.encode(data))


@pytest.fixture
def enrolled(employer, make_unit_of_work, mongodb_uri, kafka_bootstrap):
    """An enrolment that enrolment confirmed and sent; its id."""
    enrolment_id = new_identifier()
    confirmed = {
        "enrolment_id": enrolment_id,
        "practitioner_id": PERSON,
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "pcf_level": "SW",
        "evidence_set": "small-set",
    }
    managed = {"practitioner_id": PERSON, "line_manager_id": MANAGER, "from_on": "2024-01-01"}
    events = (
        told("enrolment.line-manager-assigned.v1", PERSON, 1, **managed),
        told("enrolment.requested.v1", enrolment_id, 1, anything="ignored"),
        told("enrolment.confirmed.v1", enrolment_id, 2, **confirmed),
    )
    make_unit_of_work("enrolment").run(employer, lambda work: work.emit(*events))
    relay = build_relay(
        service="enrolment",
        feeds=[FeedName("org", employer, "enrolment")],
        client_factory=lambda: connect(mongodb_uri, appname="tests"),
        bootstrap_servers=kafka_bootstrap,
        clock=SystemClock(),
        stop=Event(),
        heartbeat_seconds=60,
        poll_seconds=0.05,
        partnership_version="1",
        partnership_hash="0" * 64,
    )
    for _ in range(6):
        relay.step()
    relay.close()
    return enrolment_id


def read_until(given, found) -> None:
    """Run a new reader until `found()` holds."""
    part = reader(given)
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while not found():
            assert time.monotonic() < until, "nothing arrived"
            part.step()
    finally:
        part.close()


def test_confirmed_enrolment_becomes_a_portfolio_once_however_often_it_is_read(given, employer, enrolled, mongo_client):
    """Read by one reader and then by its successor, the feed makes one portfolio and one event."""
    unit = unit_of_work(given, mongo_client)
    database = unit.database(employer)
    read_until(given, lambda: database["portfolios"].find_one({"_id": enrolled}) is not None)
    assert database["people"].find_one({"_id": PERSON})["line_managers"] == [{"from_on": "2024-01-01", "id": MANAGER}]
    again = reader(given)
    for _ in range(5):
        again.step()
    again.close()
    entries = list(database["org_entries"].find({}))
    assert [event["type"] for entry in entries for event in entry["events"]] == ["assessment.portfolio-opened.v1"]
    assert database["portfolios"].find_one({"_id": enrolled})["version"] == 1
