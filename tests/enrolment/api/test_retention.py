"""Retention over HTTP: a dry run that changes nothing, an employer's own periods, a run in small steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.enrolment import bootstrap
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.retention import DEFAULT_DAYS, Periods, with_days
from tests.enrolment.conftest import a_record

LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)


def due(house):
    """Return how much of each kind is due, by kind."""
    return {one["kind"]: one["due"] for one in house.good("GET", "retention")["items"]}


def apply(house, settings):
    """Have a run carried out and return it as it stands afterwards."""
    run = house.good("POST", "retention/apply", json={})
    worker = bootstrap.rights_worker(settings, house.unit)
    while worker.work_once():
        pass
    return house.good("GET", f"retention/runs/{run['id']}")


@pytest.fixture
def aged(house):
    """A file, replies, a release and an unreadable record that are all too old."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    database = house.unit.database("brent")
    database["uploads"].insert_one(_upload())
    database["upload_rows"].insert_one({"_id": "u:000000", "upload_id": "u", "index": 0})
    database["idempotency"].update_many({}, {"$set": {"expires_at": LONG_AGO}})
    database["identity_releases"].insert_one({"_id": "r", "practitioner_id": "p", "released_at": LONG_AGO})
    stray = {"_id": "s", "number": None, "at": LONG_AGO, "raw_value": b"Zebulonia", "raw_headers": [["h", b"x"]]}
    database["parked"].insert_one({**stray, "raw_key": None, "state": "waiting", "sha256": "0" * 64})
    return database


def _upload():
    """Return an old file's job as it is stored."""
    return {
        "_id": "u",
        "upload_id": "u",
        "filename": "old.csv",
        "state": "completed",
        "uploaded_at": "2015-01-01T00:00:00Z",
        "counts": {"refused": 1},
        "version": 3,
        "epoch": 1,
        "done": 1,
    }


def test_dry_run_counts_and_changes_nothing(house, aged):
    """Kinds, counts and oldest days; asking twice says the same."""
    before = {name: aged[name].count_documents({}) for name in aged.list_collection_names()}
    found = {one["kind"]: one for one in house.good("GET", "retention")["items"]}
    assert found["uploads"]["due"] == 1
    assert found["uploads"]["oldest_on"] == "2015-01-01"
    assert found["uploads"]["days"] == DEFAULT_DAYS["uploads"]
    assert found["stored_replies"]["due"] >= 1
    assert {kind: one["due"] for kind, one in found.items()} == due(house)
    assert {name: aged[name].count_documents({}) for name in aged.list_collection_names()} == before


def test_run_removes_what_the_dry_run_counted_and_no_feed(house, aged, enrolment_settings):
    """Files go by the worker that removes files; contents of strays are emptied, their hash stays; events stay."""
    events, counted = len(house.events("brent")), due(house)
    run = apply(house, enrolment_settings)
    assert run["state"] == "done"
    assert {kind: count for kind, count in counted.items() if count} == run["removed"]
    assert aged["uploads"].find_one({"_id": "u"})["state"] == "removing"
    assert aged["identity_releases"].count_documents({}) == 0
    stray = aged["parked"].find_one({"_id": "s"})
    assert (stray["raw_value"], stray["raw_headers"], stray["sha256"]) == (None, [], "0" * 64)
    assert len(house.events("brent")) == events
    assert set(due(house).values()) == {0}


def test_one_run_at_a_time(house, aged):
    """A second one while the first is at work is refused."""
    assert aged is not None
    house.good("POST", "retention/apply", json={})
    assert house.ask("POST", "retention/apply", json={}).status_code == 409


def test_who_left_long_ago_is_erased(house, enrolment_settings):
    """Leaving and six years: the last employment's end counts, and who came back is not due."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    rows = house.unit.database("brent")["practitioners"]
    person = rows.find_one({})["_id"]
    enrolment = house.pages("enrolments")[0]["enrolment_id"]
    body = {"reason": "left_employer", "withdrawn_on": "2018-02-01"}
    house.settle()
    house.good("POST", f"enrolments/{enrolment}/withdraw", json=body)
    ended = {"started_on": "2010-01-01", "recorded_at": "2018-02-01T00:00:00Z", "ended_on": "2018-02-01"}
    rows.update_one({"_id": person}, {"$set": {"employments": [ended]}})
    assert due(house)["practitioners_who_left"] == 1
    run = apply(house, enrolment_settings)
    worker = bootstrap.rights_worker(enrolment_settings, house.unit)
    while worker.work_once():
        pass
    assert run["removed"] == {"practitioners_who_left": 1}
    assert rows.find_one({"_id": person}) is None
    assert [one["basis"] for one in house.pages("erasures")] == ["retention_ended"]


def test_periods_are_the_employers_and_bounded(house):
    """What is set stays beside the defaults; a kind that nobody knows and a period of no length are refused."""
    kept = house.good("PUT", "retention", json={"days": {"uploads": 30}})
    days = {one["kind"]: one["days"] for one in kept["items"]}
    assert days == {**DEFAULT_DAYS, "uploads": 30}
    assert house.ask("PUT", "retention", json={"days": {"feeds": 1}}).status_code == 422
    assert house.ask("PUT", "retention", json={"days": {"uploads": 0}}).status_code == 422
    with pytest.raises(RuleSaysNo):
        with_days(Periods(), {"stored_replies": 1})


def test_period_ends_where_it_says():
    """A thing of exactly the last day is kept."""
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert Periods().before("uploads", now) == now - timedelta(days=90)
