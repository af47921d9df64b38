"""An employer's events, over a real log, become registrations and credit at the university."""

from __future__ import annotations

import json
from dataclasses import dataclass
from threading import Event, Thread

import pytest
import yaml

from services.accreditation import bootstrap
from services.accreditation.application import reactions
from services.accreditation.domain.people import Identity
from services.accreditation.settings import settings
from shared.clock import SystemClock
from shared.events.contracts import contract_book
from shared.events.envelope import Outgoing
from shared.events.feed import FeedName
from shared.events.relay_process import build_relay
from shared.identifiers import new_identifier
from shared.storage.mongo import connect

RUN = {"course": "SAR", "intake": "2025-09", "route": "practice_and_academic", "pcf_level": "SW"}


@dataclass
class Partners:
    """Slugs that no other test's topics have."""

    lead: str
    employer: str
    hei: str
    board: str


@pytest.fixture
def partners(new_organisation, monkeypatch, tmp_path, mongodb_uri, kafka_bootstrap) -> Partners:
    """A small partnership, and the environment of an instance that hosts it."""
    made = Partners(*(new_organisation(stem) for stem in ("lead", "employer", "hei", "board")))
    roles = {
        made.lead: ["employer", "programme_lead", "delivering_partner"],
        made.employer: ["employer"],
        made.hei: ["awarding_hei"],
        made.board: ["board"],
    }
    document = {
        "partnership": "small",
        "version": 1,
        "title": "Small",
        "programme_lead": made.lead,
        "board": made.board,
        "organisations": {slug: {"name": slug, "kind": "partner", "roles": own} for slug, own in roles.items()},
        "frameworks": {},
        "evidence_sets": {},
    }
    path = tmp_path / "partnership.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    for name, value in {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(path),
        "MONGODB_URI": mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "TRUSTED_ISSUERS_FILE": str(tmp_path / "trusted-issuers.json"),
        "ORGANISATION_KEYS_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return made


def _emit(unit, employer, event_type, **data: object):
    key = str(data["enrolment_id"])
    spelled = Outgoing(type=event_type, key=key, version=1, data=json.dumps(data).encode())
    unit.run(employer, lambda work: work.emit(spelled))


def _relay(service, organisation, given, stop):
    relay = build_relay(
        service=service,
        feeds=[FeedName("org", organisation, service)],
        client_factory=lambda: connect(given.mongodb_uri, appname="relay"),
        bootstrap_servers=given.kafka_bootstrap_servers,
        clock=SystemClock(),
        stop=stop,
        heartbeat_seconds=1.0,
        poll_seconds=0.1,
        partnership_version="1",
        partnership_hash="0" * 64,
    )
    return Thread(target=relay.run)


def _until(stop, condition):
    for _ in range(300):
        if condition():
            return True
        stop.wait(0.1)
    return False


def test_employers_events_over_the_log_become_registration_and_practice_outcome(partners, make_unit_of_work):
    """Confirmed on one feed, practice on another: the university's reader takes both, in its own database."""
    given, enrolment_id = settings(), new_identifier()
    bootstrap.prepare(given)
    contracts = contract_book()
    enrolment, assessment = (make_unit_of_work(name, contracts=contracts) for name in ("enrolment", "assessment"))
    _emit(
        assessment,
        partners.employer,
        "assessment.practice-confirmed.v1",
        portfolio_id=enrolment_id,
        enrolment_id=enrolment_id,
        outcome="pass",
        confirmed_on="2026-05-26",
        **RUN,
    )
    _emit(
        enrolment,
        partners.employer,
        "enrolment.confirmed.v1",
        enrolment_id=enrolment_id,
        practitioner_id=new_identifier(),
        cohort_owner=partners.lead,
        evidence_set="cpd-portfolio",
        awarding_hei=partners.hei,
        module="M7",
        credits=30,
        confirmed_on="2025-09-01",
        **RUN,
    )
    stop = Event()
    reader = bootstrap.reader(given)
    threads = [
        _relay("enrolment", partners.employer, given, stop),
        _relay("assessment", partners.employer, given, stop),
        Thread(target=reader.run, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    unit = make_unit_of_work("accreditation")
    try:
        heard = _until(stop, lambda: _candidacy(unit, partners, enrolment_id).enrolment is not None)
        heard = heard and _until(stop, lambda: _candidacy(unit, partners, enrolment_id).practice is not None)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert heard
    (release,) = bootstrap.open_books(unit.reading(partners.hei)).releases.due(10)
    identity = Identity("SW1", "Ada", "Lovelace")
    unit.run(partners.hei, lambda work: reactions.when_identified(bootstrap.open_desk(work), release, identity))
    assert _candidacy(unit, partners, enrolment_id).state() == "registered"


def _candidacy(unit, partners, enrolment_id):
    return bootstrap.open_books(unit.reading(partners.hei)).candidacies.find(partners.employer, enrolment_id)
