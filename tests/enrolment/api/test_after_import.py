"""An organisation that was exported goes on under another database, through the app: queue, seats, replies, events."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from services.enrolment import bootstrap
from shared.http.conformance import watch
from shared.identifiers import new_identifier
from shared.storage.dump import Source, dump, read_manifest, restore
from tests.enrolment.conftest import EMPLOYERS, House, a_record


@pytest.fixture
def elsewhere(house, enrolment_settings, mongo_client):
    """The same service on another instance of nobody's data yet; every reply is held against the OpenAPI document."""
    given = replace(enrolment_settings, database_prefix=f"m{enrolment_settings.database_prefix}"[:10])
    app = bootstrap.build_web_app(given, mongo_client)
    faults = watch(app)
    unit = bootstrap.unit_of_work(given, mongo_client)
    assert unit.database("brent").name != house.unit.database("brent").name
    yield House(app, house.issuer, unit, house.partnership, bootstrap.opener(given), house.worker)
    for org in EMPLOYERS:
        mongo_client.drop_database(unit.database(org).name)
    assert faults == []


def standing(house):
    """Return who stands how, by reference of their record."""
    people = {one["practitioner_id"]: one["employee_ref"] for one in house.pages("practitioners")}
    return {people[one["practitioner_id"]]: one["status"] for one in house.pages("enrolments")}


def someone(number):
    """Return the record of one of several people who have nothing in common."""
    return a_record(
        employee_ref=f"1000{number}", email=f"p{number}@brent.example", swe_number=f"SW5338{number}", given_name="Bo"
    )


def test_an_imported_organisation_nominates_and_promotes_through_the_app(house, elsewhere, tmp_path):
    """One seat, one in the queue when it was exported; there a third joins, the first leaves, the second moves up."""
    house.open_course(capacity=1)
    key = {"Idempotency-Key": new_identifier()}
    first = house.good("POST", "enrolments", json=someone(1), headers=key)
    house.good("POST", "enrolments", json=someone(2))
    house.settle()
    assert standing(house) == {"10001": "confirmed", "10002": "waiting"}
    sources = [Source("enrolment", house.unit.database("brent"))]
    dump(sources, tmp_path / "out", organisation="brent", partnership_hash="p", say=lambda _: None)

    there = [Source("enrolment", elsewhere.unit.database("brent"))]
    restore(there, tmp_path / "out", read_manifest(tmp_path / "out"), say=lambda _: None)
    elsewhere.prepare("brent")
    elsewhere.delivered = defaultdict(int, house.delivered)
    assert standing(elsewhere) == {"10001": "confirmed", "10002": "waiting"}
    again = elsewhere.good("POST", "enrolments", json=someone(1), headers=key)
    assert again["enrolment_id"] == first["enrolment_id"], "a request that is repeated at the new place is the same one"

    elsewhere.good("POST", "enrolments", json=someone(3))
    elsewhere.settle()
    assert standing(elsewhere) == {"10001": "confirmed", "10002": "waiting", "10003": "waiting"}
    leaves = {"reason": "workload", "withdrawn_on": "2025-08-01"}
    elsewhere.good("POST", f"enrolments/{first['enrolment_id']}/withdraw", json=leaves)
    elsewhere.settle()
    assert standing(elsewhere) == {"10001": "withdrawn", "10002": "confirmed", "10003": "waiting"}
    assert standing(house) == {"10001": "confirmed", "10002": "waiting"}, "nothing of it happened at the old place"
    kinds = [event["type"] for event in elsewhere.events("brent")]
    assert kinds[: len(house.events("brent"))] == [event["type"] for event in house.events("brent")]
    assert kinds.count("enrolment.seat-promoted.v1") == 1
