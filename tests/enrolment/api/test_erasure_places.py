"""Every place that an erasure cleans: the person is in it before, in nothing after, and it still reads as it should."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.enrolment.api.lifecycle_schemas import INCOMING_OUT, SETTINGS_IN
from services.enrolment.api.people_schemas import REGISTER_CHECK_OUT
from services.enrolment.api.schemas import ENROLMENT_OUT
from services.enrolment.api.task_schemas import NOTICE_SETTINGS
from services.enrolment.api.upload_schemas import MAPPING, UPLOAD_OUT, UPLOAD_ROW_OUT
from services.enrolment.domain.traces import Traces, cleaned
from services.enrolment.storage.personal_data import CLEANED, PLACES
from tests.enrolment.api.test_erasure import EMAIL, FAMILY, GIVEN, REF, canary, erase, found_in, planted

assert planted  # a fixture
CHECK = "0190a0b0-0000-8000-8000-0000000000c1"
WHO = f"{GIVEN} {FAMILY}"
MAPPED = {
    "format": "csv",
    "sheet": WHO,
    "columns": {"employee_ref": "No", "line_manager_ref": WHO},
    "values": {"line_manager_ref": {WHO: "90002", "the boss": REF, "other": "90003"}, "course": {"S": "SAR"}},
}


def plant(house):
    """Put the person into every place that no door of the fixture reaches."""
    database = house.unit.database("brent")
    house.good("PUT", "column-mapping", json=MAPPED, headers=_as_read(house, "column-mapping"))
    addresses = {"hr": ["first@desk.example", EMAIL.upper(), "last@desk.example"], "supervisor": [EMAIL]}
    house.good("PUT", "notice-settings", json={"addresses": addresses}, headers=_as_read(house, "notice-settings"))
    check = {"check_id": CHECK, "checked_on": "2026-01-01", "is_done": True, "rows": 1, "refused": 1, "version": 1}
    fault = {"line": 2, "code": "invalid_value", "detail": f"{WHO} stands there twice"}
    database["register_checks"].insert_one({"_id": CHECK, **check, "faults": [fault]})
    database["parked_decisions"].insert_one(
        {"_id": "f#1", "feed": "f", "number": 1, "decision": "discarded", "by": REF, "reason": f"asked by {WHO}"}
    )
    settings = {**house.good("GET", "enrolment-settings"), "offer_days": 3}
    house.good("PUT", "enrolment-settings", json=settings, headers=_as_read(house, "enrolment-settings"))
    database["enrolment_settings"].update_one({}, {"$set": {"set_by": REF}})
    transfer = {
        "from_enrolment_id": "0190a0b0-0000-8000-8000-0000000000a1",
        "from_employer": "ealing",
        "cohort_owner": "brent",
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "pcf_level": "SW",
        "transferred_on": "2026-01-01",
        "accept_by": "2026-02-01",
        "state": "open",
        "version": 1,
    }
    kept = {"_id": transfer["from_enrolment_id"], **transfer, "told_by": REF}
    database["incoming_transfers"].insert_one(kept)
    database["enrolments"].update_one({}, {"$set": {"asked_by": REF}})


def _as_read(house, path):
    etag = house.ask("GET", path).headers.get("ETag")
    return {"If-Match": etag} if etag else {}


@pytest.fixture
def everywhere(house, planted):
    """The person stands in every cleaned place."""
    plant(house)
    return planted


def test_every_cleaned_place_had_the_person_and_has_them_no_more_and_still_reads_as_its_schema_says(
    house, enrolment_settings, everywhere
):
    """Each row of the list of places is tried; what an erasure leaves can be read, and sent back, as before."""
    cleaned_places = {name for name, place in PLACES.items() if place.does == CLEANED}
    assert {name for name, _ in found_in(house)} >= cleaned_places
    erase(house, enrolment_settings, everywhere)
    assert found_in(house) == []
    settings = house.good("GET", "notice-settings")
    assert settings["addresses"]["hr"] == ["first@desk.example", "last@desk.example"]
    assert settings["addresses"]["supervisor"] == []
    mapping = house.good("GET", "column-mapping")
    assert mapping["values"] == {"line_manager_ref": {"other": "90003"}, "course": {"S": "SAR"}}
    for path, body, schema in (
        ("notice-settings", settings, NOTICE_SETTINGS),
        ("column-mapping", mapping, MAPPING),
        ("enrolment-settings", house.good("GET", "enrolment-settings"), SETTINGS_IN),
    ):
        schema.load(body)
        house.good("PUT", path, json=body, headers=_as_read(house, path))
    uploads = house.pages("enrolment-uploads")
    rows = [row for one in uploads for row in house.pages(f"enrolment-uploads/{one['id']}/rows")]
    for schema, found in (
        (ENROLMENT_OUT, house.pages("enrolments")),
        (UPLOAD_OUT, uploads),
        (UPLOAD_ROW_OUT, rows),
        (REGISTER_CHECK_OUT, house.pages("register-checks")),
        (INCOMING_OUT, house.pages("incoming-transfers")),
    ):
        assert found
        for one in found:
            schema.load(one)


def test_access_report_shows_whatever_an_erasure_would_find(house, everywhere):
    """Each row in which a word about the person stands is shown to them; files as sent are read to their end first."""
    stray = {"_id": "s-1", "number": None, "raw_key": None, "raw_value": WHO.encode(), "raw_headers": []}
    house.unit.database("brent")["parked"].insert_one({**stray, "at": datetime(2026, 1, 1, tzinfo=UTC)})
    planted_at = {(name, str(found)) for name, found in found_in(house) if name != "contents"}
    report = house.good("GET", f"practitioners/{everywhere}/access-report")
    shown = {(one["collection"], row["_id"]) for one in report["held"] for row in one["rows"]}
    assert planted_at - shown == set()
    assert ("parked", "s-1") in planted_at
    assert [one["collection"] for one in report["held"] if one["is_cut"]] == []


def test_access_report_says_of_other_people_only_that_they_name_the_person(house, everywhere):
    """Iris's manager is shown her reference as theirs, and nothing else of Iris, nor anybody else."""
    report = house.good("GET", f"practitioners/{everywhere}/access-report")
    shown = {one["collection"]: one["rows"] for one in report["held"]}
    of_others = [row for row in shown["practitioners"] if row["_id"] != everywhere]
    assert [set(row.values()) - {row["_id"]} for row in of_others] == [{REF}]
    assert "i@brent.example" not in str(shown["upload_rows"])
    assert "desk.example" not in str(shown["notice_settings"])


def test_an_access_report_that_could_not_look_at_everything_says_so(house, everywhere, monkeypatch):
    """A bound that was reached is no silence."""
    monkeypatch.setattr("services.enrolment.storage.erasure_repositories.MOST_WALKED", 1)
    monkeypatch.setattr("services.enrolment.storage.erasure_repositories.PART_ROWS", 1)
    report = house.good("GET", f"practitioners/{everywhere}/access-report")
    assert "upload_rows" in {one["collection"] for one in report["held"] if one["is_cut"]}


def test_addresses_that_only_look_alike_stay():
    """Joann is not Ann; a level of the same number as somebody's reference is still a level."""
    traces = Traces(frozenset({"p"}), frozenset({"3"}), frozenset({"ann@x.example"}), frozenset({("ann", "lee")}))
    kept = {"addresses": {"hr": ["joann@x.example", "Ann@x.example", "ann.lee@y.example"]}}
    assert cleaned(kept, traces) == {"addresses": {"hr": ["joann@x.example"]}}
    table = {"values": {"pcf_level": {"3": "ASW", "Ann Lee": "SW"}, "line_manager_ref": {"x": "3", "3": "y"}}}
    assert cleaned(table, traces) == {"values": {"pcf_level": {"3": "ASW"}, "line_manager_ref": {}}}
    assert canary()["employee_ref"] == REF
