"""Assessment on the real database: a partnership of two employers and a university, real tokens, opaque ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.assessment.application import reactions
from services.assessment.application.ports import Ports
from services.assessment.bootstrap import build_web_app, ports_of, prepare, unit_of_work
from services.assessment.domain.line_managers import Assignment
from services.assessment.domain.portfolio import Candidacy
from services.assessment.settings import AssessmentSettings
from shared.clock import SystemClock
from shared.http.conformance import watch
from shared.identifiers import new_identifier
from shared.identity import Pseudonyms
from shared.local.issuer import LocalIssuer
from shared.process.settings import load
from shared.storage.unit_of_work import UnitOfWork
from tests.environment import tell_environment

CANDIDATE, MANAGER = "10001", "90001"


@dataclass
class House:
    """One running assessment service, as its callers and enrolment's feed meet it."""

    app: Flask
    issuer: LocalIssuer
    unit: UnitOfWork
    ports: Ports

    def ask(
        self,
        method: str,
        path: str,
        role: str,
        subject: str = "somebody",
        *,
        org: str = "brent",
        at: str = "brent",
        **sent: Any,  # noqa: ANN401 - whatever the test client takes
    ) -> TestResponse:
        """Return the answer to `subject` of `org` in `role` who asks `at`'s assessment."""
        headers = {
            "Authorization": f"Bearer {self.issuer.mint(org, [role], subject, 'assessment')}",
            "Idempotency-Key": new_identifier(),
            **sent.pop("headers", {}),
        }
        client: FlaskClient = self.app.test_client()
        return client.open(f"/v1/organisations/{at}/{path}", method=method, headers=headers, **sent)

    def person_id(self, reference: str, org: str = "brent") -> str:
        """Return an employee's opaque id."""
        return self.ports.person_id(org, reference)

    def manage(self, reference: str, manager: str | None, from_on: date, org: str = "brent") -> None:
        """Let enrolment's feed say who the line manager is."""
        assignment = Assignment(from_on, self.person_id(manager, org) if manager else None)
        self.unit.run(
            org,
            lambda work: reactions.when_line_manager_assigned(
                self.ports, work, self.person_id(reference, org), assignment
            ),
        )

    def enrol(self, reference: str = CANDIDATE, org: str = "brent", course: str = "SAR") -> str:
        """Let enrolment's feed confirm an enrolment and return the portfolio's id."""
        self.manage(reference, MANAGER, date(2020, 1, 1), org)
        enrolment_id = new_identifier()
        person_id = self.person_id(reference, org)
        facts = (person_id, course, "2025-09", "practice_and_academic", "SW", "cpd-portfolio")
        candidacy = Candidacy(enrolment_id, *facts)
        self.unit.run(org, lambda work: reactions.when_enrolment_confirmed(self.ports, work, candidacy))
        return enrolment_id

    def events(self, org: str = "brent") -> list[tuple[str, str, bytes]]:
        """Return what stands on the employer's feed: type, key, data, in order of commits."""
        entries = self.unit.database(org)["org_entries"].find({}, sort=[("_id", 1)])
        found = [event for entry in entries for event in entry["events"]]
        return [(event["type"], event["subject"], bytes(event["data"])) for event in found]


@pytest.fixture(scope="session")
def assessment_issuer(tmp_path_factory) -> LocalIssuer:
    """Keys of every organisation of the scenario."""
    issuer = LocalIssuer(tmp_path_factory.mktemp("keys"), "local", SystemClock(), new_identifier)
    issuer.prepare(["brent", "ealing", "goldsmiths", "nwl-board"])
    return issuer


@pytest.fixture
def assessment_settings(
    mongodb_uri, database_prefix, assessment_issuer, monkeypatch: pytest.MonkeyPatch
) -> AssessmentSettings:
    """The settings of a local instance that hosts two employers and the university."""
    tell_environment(
        monkeypatch, assessment_issuer, mongodb_uri, database_prefix, HOSTED_ORGANISATIONS="brent,ealing,goldsmiths"
    )
    return load(AssessmentSettings.read)


@pytest.fixture
def house(assessment_settings, assessment_issuer, mongo_client) -> Iterator[House]:
    """An assessment service with empty databases of its own; every reply is held against the OpenAPI document."""
    prepare(assessment_settings)
    partnership = assessment_settings.partnership()
    app = build_web_app(assessment_settings, mongo_client)
    faults = watch(app)
    yield House(
        app=app,
        issuer=assessment_issuer,
        unit=unit_of_work(assessment_settings, mongo_client),
        ports=ports_of(partnership, Pseudonyms(assessment_settings.organisation_keys_dir)),
    )
    assert faults == []


@pytest.fixture
def portfolio_id(house) -> str:
    """The empty portfolio of `CANDIDATE` at Brent."""
    return house.enrol()


@pytest.fixture
def post(house) -> Callable[..., TestResponse]:
    """Post to Brent's assessment: `post(path, body, role, subject)`."""

    def send(path: str, body: dict[str, Any], role: str, subject: str, **options: Any) -> TestResponse:  # noqa: ANN401
        return house.ask("POST", path, role, subject, json=body, **options)

    return send
