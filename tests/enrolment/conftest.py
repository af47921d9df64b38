"""Enrolment on the real database: real tokens, and the feeds delivered by hand in each feed's own order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from services.enrolment import bootstrap
from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.messaging.consumed import subscriptions
from services.enrolment.messaging.intake import IntakeDoor
from services.enrolment.settings import EnrolmentSettings
from services.enrolment.storage import indexes
from services.enrolment.storage.books import Opener
from services.enrolment.storage.files import read_file
from shared.clock import SystemClock
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription
from shared.http.conformance import watch
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.partnership import Partnership
from shared.process.settings import load
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.feeds import a_received
from tests.courses import SAFEGUARDING
from tests.environment import tell_environment

COHORT = "courses/SAR/cohorts/2025-09"
"""The cohort that `House.open_course` opens."""
EMPLOYERS = ("brent", "hillingdon", "westminster", "ealing", "harrow", "hounslow", "kensington-and-chelsea")


@dataclass
class House:
    """One running enrolment service, as its callers and the feeds meet it."""

    app: Flask
    issuer: LocalIssuer
    unit: UnitOfWork
    partnership: Partnership
    opener: Opener
    worker: UploadWorker
    delivered: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def ask(self, method: str, path: str, role: str = "hr", org: str = "brent", **sent: Any) -> TestResponse:  # noqa: ANN401
        """Return the answer to a desk of `org` in `role`; `at` is whose resource, one's own without it."""
        at, subject = sent.pop("at", org), sent.pop("subject", f"{role}-desk")
        headers = {
            "Authorization": f"Bearer {self.issuer.mint(org, [role], subject, 'enrolment')}",
            "Idempotency-Key": new_identifier(),
            **sent.pop("headers", {}),
        }
        where = path if path.startswith("/") else f"/v1/organisations/{at}/{path}"
        return self.app.test_client().open(where, method=method, headers=headers, **sent)

    def good(self, method: str, path: str, role: str = "hr", org: str = "brent", **sent: Any) -> Any:  # noqa: ANN401
        """Return the JSON of an answer that must be a success."""
        answer = self.ask(method, path, role, org, **sent)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()

    def open_course(self, code: str = "SAR", capacity: int = 2, intake: str = "2025-09", **changes: Any) -> None:  # noqa: ANN401
        """Publish a course with one cohort at Brent and let every employer know."""
        before = {"text": "in-house course", "routes": ["practice_and_academic"]}
        body = SAFEGUARDING | {"prerequisite": before} | changes
        self.good("PUT", f"courses/{code}", "programme_lead", json=body)
        self.good("PUT", f"courses/{code}/cohorts/{intake}", "programme_lead", json={"capacity": capacity})
        self.settle()

    def set_terms(self, **terms: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the cohort that `open_course` opens, its seats, days, quotas and invitations set from what it is."""
        etag = self.ask("GET", COHORT, "programme_lead").headers["ETag"]
        return self.good("PUT", COHORT, "programme_lead", json=terms, headers={"If-Match": etag})

    def tell_of(self, ref: str, org: str = "brent", **details: Any) -> TestResponse:  # noqa: ANN401
        """Return the answer to telling a person's details, to whom they are as last read."""
        etag = self.ask("GET", f"practitioners/{ref}", org=org).headers.get("ETag")
        headers = {"If-Match": etag} if etag else {}
        return self.ask("PUT", f"practitioners/{ref}", org=org, json=details, headers=headers)

    def events(self, org: str, feed: str = "org") -> list[dict[str, Any]]:
        """Return what stands on a feed, in order of commits: type, key, data."""
        entries = self.unit.database(org)[f"{feed}_entries"].find({}, sort=[("_id", 1)])
        return [{**event, "data": json.loads(bytes(event["data"]))} for entry in entries for event in entry["events"]]

    def settle(self, *, again: bool = False) -> None:
        """Deliver every feed to everybody whom it concerns until nothing new is said; `again`: from the beginning."""
        if again:
            self.delivered.clear()
        while sum(self._deliver(org) for org in self.partnership.owners("enrolment")):
            pass

    def _deliver(self, org: str) -> int:
        table = {row.type: row for row in subscriptions(self.opener.desk)}
        fresh = self.events(org)[self.delivered[org] :]
        for event in fresh:
            self.delivered[org] += 1
            if row := table.get(event["type"]):
                self._tell(row, as_received(row, event, org, self.delivered[org]))
        return len(fresh)

    def _tell(self, row: Subscription[Any], received: Received[Any]) -> None:
        for taker in row.concerns(received, self.partnership):
            self.unit.run(taker, lambda work: row.reaction(work, received))

    def acknowledge(self, service: str, org: str, data: dict[str, Any]) -> None:
        """Deliver another service's answer to an erasure."""
        self.hear(f"{service}.erasure-acknowledged.v1", org, data["practitioner_id"], data)

    def hear(self, name: str, org: str, key: str, data: dict[str, Any]) -> None:
        """Deliver one event of another service of `org` to everybody whom it concerns."""
        row = next(row for row in subscriptions(self.opener.desk) if row.type == name)
        self._tell(row, a_received(row, data, owner=org, key=key))

    def prepare(self, *orgs: str) -> None:
        """Make the indexes of some organisations' databases; all of them would cost every test four seconds."""
        for org in orgs:
            indexes.prepare(self.unit.database(org))

    def intake(self, org: str, message: bytes) -> None:
        """Deliver one message of an employer's intake topic."""
        door = IntakeDoor(self.opener.desk)
        self.unit.run(org, lambda work: door(work, None, message, 0))

    def upload(self, content: bytes, filename: str, org: str = "brent") -> dict[str, Any]:
        """Send a file, let the worker check it, and return the job."""
        sent = self.good("POST", "enrolment-uploads", org=org, data=content, **raw(filename))
        self.worker.work_once()
        return self.good("GET", f"enrolment-uploads/{sent['id']}", org=org)

    def confirm(self, upload_id: str, org: str = "brent") -> dict[str, Any]:
        """Confirm a file, let the worker import it, and return the job."""
        self.good("POST", f"enrolment-uploads/{upload_id}/confirm", org=org, json={})
        self.worker.work_once()
        return self.good("GET", f"enrolment-uploads/{upload_id}", org=org)

    def pages(self, path: str, org: str = "brent", role: str = "hr") -> list[dict[str, Any]]:
        """Return every item of a list."""
        items, after = [], None
        while True:
            query = {"limit": "200", **({"after": after} if after else {})}
            page = self.good("GET", path, role, org, query_string=query)
            items += page["items"]
            after = page["next"]
            if after is None:
                return items


def as_received(row: Subscription[Any], event: dict[str, Any], owner: str, number: int) -> Received[Any]:
    """Return an event that stands in an employer's database, under its number, as the reader hands it over."""
    return a_received(row, event["data"], owner=owner, key=event["subject"], number=number, identifier=event["id"])


def raw(filename: str) -> dict[str, Any]:
    """Return how a file's content is sent as it is."""
    return {"content_type": "application/octet-stream", "query_string": {"filename": filename}}


RECORD: dict[str, Any] = {
    "employee_ref": "10001",
    "given_name": "Aoife",
    "family_name": "O'Neill",
    "email": "aoife@brent.example",
    "date_of_birth": "1982-07-07",
    "swe_number": "SW53380",
    "pcf_level": "SW",
    "line_manager_ref": "90001",
    "employment_start": "2018-01-03",
    "fte": 1.0,
    "course": "SAR",
    "intake": "2025-09",
    "route": "practice_only",
    "manager_approved_on": "2025-07-01",
}
"""A good canonical record for the course that `open_course` opens, with nothing that may be left out."""


def a_record(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a good canonical record with every field."""
    return RECORD | {"job_title": "Social Worker", "team": "North", "prerequisite_on": None} | changes


@pytest.fixture(scope="session")
def enrolment_issuer(tmp_path_factory) -> LocalIssuer:
    """Keys of every organisation of the scenario."""
    issuer = LocalIssuer(tmp_path_factory.mktemp("keys"), "local", SystemClock(), new_identifier)
    issuer.prepare([*EMPLOYERS, "goldsmiths", "nwl-board"])
    return issuer


@pytest.fixture
def enrolment_settings(
    mongodb_uri, database_prefix, enrolment_issuer, monkeypatch: pytest.MonkeyPatch
) -> EnrolmentSettings:
    """The settings of a local instance that hosts the whole partnership."""
    tell_environment(monkeypatch, enrolment_issuer, mongodb_uri, database_prefix)
    return load(EnrolmentSettings.read)


@pytest.fixture
def house(enrolment_settings, enrolment_issuer, mongo_client) -> Iterator[House]:
    """An enrolment service with empty databases of its own; every reply is held against the OpenAPI document."""
    partnership = enrolment_settings.partnership()
    app = bootstrap.build_web_app(enrolment_settings, mongo_client)
    faults = watch(app)
    unit = bootstrap.unit_of_work(enrolment_settings, mongo_client)
    opener = bootstrap.opener(enrolment_settings)
    worker = UploadWorker(
        unit,
        bootstrap.hosted_employers(enrolment_settings, partnership),
        open_books=opener.books,
        open_desk=opener.desk,
        read_file=read_file,
    )
    yield House(app, enrolment_issuer, unit, partnership, opener, worker)
    assert faults == []
