"""A university's accreditation service on the real database, with real tokens; employers' events handed in by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec
import pytest
import yaml
from flask import Flask

from services.accreditation import bootstrap
from services.accreditation.application import reactions
from services.accreditation.domain.people import Identity
from services.accreditation.messaging.consumed import subscriptions
from services.accreditation.settings import AccreditationSettings, settings
from shared.clock import SystemClock
from shared.http.conformance import watch
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.partnership import Partnership
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.feeds import a_received

SCENARIO = Path(__file__).parents[2] / "scenarios" / "north-west-london" / "partnership.yaml"
HEI, OTHER_HEI, PARTNER, EMPLOYER = "goldsmiths", "riverside", "brent", "ealing"
TABLE = {row.type: row for row in subscriptions(bootstrap.open_desk)}
NUMBERS = count(1)
MODULE = {"title": "Reflection on practice", "credits": 30, "level": 7, "pass_mark": 50, "words": 3500}
PROPOSAL = {"module": "M7", "course": "SAR", "intake": "2025-09", "course_owner": PARTNER, "delivered_by": [PARTNER]}


@dataclass
class Caller:
    """Somebody with a token."""

    app: Flask
    token: str
    base: str

    def ask(self, method, path, body=None, *, key=None, etag=None, query=None):
        """The response to one request."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or new_identifier()}
        if etag:
            headers["If-Match"] = etag
        return self.app.test_client().open(
            f"{self.base}/{path}", method=method, json=body, headers=headers, query_string=query
        )

    def get(self, path, **query: object):
        """The response to a GET."""
        return self.ask("GET", path, query=query)

    def post(self, path, body=None, *, key=None):
        """The response to a POST."""
        return self.ask("POST", path, body if body is not None else {}, key=key)

    def put(self, path, body, *, etag=None):
        """The response to a PUT."""
        return self.ask("PUT", path, body, etag=etag)


@dataclass
class University:
    """The service, and shorthand for what happens to it."""

    app: Flask
    unit: UnitOfWork
    given: AccreditationSettings
    partnership: Partnership
    issuer: LocalIssuer

    def as_(self, organisation, *roles: str, subject="somebody", hei=HEI):
        """Somebody of `organisation` at the university's doors."""
        token = self.issuer.mint(organisation, roles, subject, "accreditation")
        return Caller(self.app, token, f"/v1/organisations/{hei}")

    def registrar(self, subject="registrar-1"):
        """The university's registrar."""
        return self.as_(HEI, "registrar", subject=subject)

    def tutor(self, subject="tutor-1"):
        """One of the university's tutors."""
        return self.as_(HEI, "tutor", subject=subject)

    def hear(self, event_type, employer=EMPLOYER, **data: object):
        """Hand one event of an employer to every university that it concerns, as the reader would."""
        row = TABLE[event_type]
        event = a_received(row, data, owner=employer, key=data["enrolment_id"], number=next(NUMBERS))
        concerned = row.concerns(event, self.partnership)
        for organisation in concerned:
            self.unit.run(organisation, lambda work: row.reaction(work, event))
        return tuple(concerned)

    def confirmed(self, enrolment_id=None, employer=EMPLOYER, **changes: object):
        """An employer confirms an enrolment on the academic route; returns its id."""
        enrolment_id = enrolment_id or new_identifier()
        data = {
            "enrolment_id": enrolment_id,
            "practitioner_id": new_identifier(),
            "cohort_owner": PARTNER,
            "course": "SAR",
            "intake": "2025-09",
            "route": "practice_and_academic",
            "pcf_level": "SW",
            "evidence_set": "cpd-portfolio",
            "awarding_hei": HEI,
            "module": "M7",
            "credits": 30,
            "confirmed_on": "2025-09-01",
            **changes,
        }
        self.hear("enrolment.confirmed.v1", employer, **data)
        return enrolment_id

    def practised(self, enrolment_id, outcome="pass", employer=EMPLOYER):
        """An employer confirms how practice ended."""
        self.hear(
            "assessment.practice-confirmed.v1",
            employer,
            portfolio_id=enrolment_id,
            enrolment_id=enrolment_id,
            course="SAR",
            intake="2025-09",
            route="practice_and_academic",
            pcf_level="SW",
            outcome=outcome,
            confirmed_on="2026-05-26",
        )

    def withdrawn(self, enrolment_id, employer=EMPLOYER):
        """An employer withdraws an enrolment."""
        self.hear(
            "enrolment.withdrawn.v1",
            employer,
            enrolment_id=enrolment_id,
            cohort_owner=PARTNER,
            course="SAR",
            intake="2025-09",
            route="practice_and_academic",
            pcf_level="SW",
            held_seat=True,
            reason="workload",
            withdrawn_on="2026-02-01",
        )

    def identified(self, enrolment_id, number="SW1001", given_name="Ada", family_name="Lovelace"):
        """The identity that the registration waits for is released."""
        reading = self.unit.reading(HEI)
        (release,) = [r for r in bootstrap.open_books(reading).releases.due(100) if r.enrolment_id == enrolment_id]
        identity = Identity(number, given_name, family_name)
        self.unit.run(HEI, lambda work: reactions.when_identified(bootstrap.open_desk(work), release, identity))

    def registered(self, number="SW1001", employer=EMPLOYER):
        """A registered candidate: enrolment id and registration id."""
        enrolment_id = self.confirmed(employer=employer)
        self.identified(enrolment_id, number)
        return enrolment_id, self.registration(enrolment_id)["registration_id"]

    def registration(self, enrolment_id):
        """What a tutor sees of the enrolment."""
        (found,) = self.tutor().get("registrations", enrolment_id=enrolment_id).get_json()["items"]
        return found

    def opened(self, *, approved=True):
        """A shell module with an instance; returns the instance's id."""
        assert self.registrar().put("shell-modules/M7", MODULE).status_code in (200, 201)
        proposed = self.as_(PARTNER, "programme_lead").post("module-instances", PROPOSAL)
        instance_id = proposed.get_json()["instance_id"]
        if approved:
            assert self.approve(instance_id).status_code == 200
        return instance_id

    def approve(self, instance_id):
        """The registrar approves."""
        return self.registrar().post(f"module-instances/{instance_id}/approve", {"approved_on": "2025-06-16"})

    def agreed(self, registration_id, mark=60):
        """Work handed in, marked by one tutor and agreed by another."""
        path = f"registrations/{registration_id}"
        tutor = self.tutor()
        assert tutor.post(f"{path}/submissions", {"submitted_on": "2026-05-11", "words": 3400}).status_code == 201
        assert tutor.post(f"{path}/marks", {"kind": "first", "mark": mark}).status_code == 201
        assert self.tutor("tutor-2").post(f"{path}/marks", {"kind": "agreed", "mark": mark}).status_code == 201

    def convened(self, *instance_ids: str):
        """A board over the instances; returns its id."""
        body = {"held_on": "2026-07-08", "instance_ids": list(instance_ids)}
        return self.registrar().post("boards", body).get_json()["board_id"]

    def ratify(self, board_id, subject="registrar-1"):
        """The registrar ratifies."""
        return self.registrar(subject).post(f"boards/{board_id}/ratify")

    def credits(self):
        """The ledger."""
        return self.registrar().get("credits").get_json()["items"]

    def events(self, hei=HEI):
        """Every event that the university's feed holds, as (type, data), in the order of commits."""
        entries = self.unit.database(hei)["org_entries"].find({}, sort=[("_id", 1)])
        return [(event["type"], msgspec.json.decode(event["data"])) for entry in entries for event in entry["events"]]


@pytest.fixture(scope="session")
def two_universities(tmp_path_factory) -> Path:
    """The scenario's partnership with a second awarding university."""
    partnership = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))
    partnership["organisations"][OTHER_HEI] = {"name": "Riverside", "kind": "hei", "roles": ["awarding_hei"]}
    path = tmp_path_factory.mktemp("partnership") / "partnership.yaml"
    path.write_text(yaml.safe_dump(partnership, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def given_settings(monkeypatch, tmp_path, mongodb_uri, two_universities) -> AccreditationSettings:
    """Settings from the environment, as a process has them, with databases of this test's own."""
    environment = {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(two_universities),
        "MONGODB_URI": mongodb_uri,
        "DATABASE_PREFIX": f"{new_identifier()[-8:]}_",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "TRUSTED_ISSUERS_FILE": str(tmp_path / "keys" / "trusted-issuers.json"),
        "ORGANISATION_KEYS_DIR": str(tmp_path / "keys"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings()


@pytest.fixture
def university(given_settings, mongo_client, tmp_path) -> Iterator[University]:
    """The service, prepared and empty; every reply is held against the OpenAPI document."""
    partnership = given_settings.partnership()
    issuer = LocalIssuer(tmp_path / "keys", "local", SystemClock(), new_identifier)
    issuer.prepare(tuple(partnership.organisations))
    bootstrap.prepare(given_settings)
    app = bootstrap.build_web_app(given_settings, mongo_client)
    faults = watch(app)
    unit = bootstrap.unit_of_work(given_settings, mongo_client)
    yield University(app, unit, given_settings, partnership, issuer)
    assert faults == []
