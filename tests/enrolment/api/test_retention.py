"""Retention over HTTP: a dry run that changes nothing, an employer's own periods, a run in small steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.enrolment import bootstrap
from services.enrolment.application import retention
from services.enrolment.application.uploads import WORK_TO_DO
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo
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


def left_long_ago(house, ref, **told):
    """Return the id of somebody whose only employment ended in 2018."""
    house.tell_of(ref, **told)
    person = house.good("GET", f"practitioners/{ref}")["practitioner_id"]
    ended = {"started_on": "2010-01-01", "recorded_at": "2018-02-01T00:00:00Z", "ended_on": "2018-02-01"}
    rows = house.unit.database("brent")["practitioners"]
    rows.update_one({"_id": person}, {"$set": {"employments": [ended]}})
    return person


def asked_for(house):
    """Return the people whose erasure waits for a second person."""
    return {one["practitioner_id"] for one in house.pages("erasures") if one["state"] == "asked"}


def test_who_left_long_ago_is_erased_when_a_second_person_approves(house, enrolment_settings):
    """Leaving and six years: the run asks, whoever started it cannot approve, a second person does."""
    person = left_long_ago(house, "L-1")
    assert due(house)["practitioners_who_left"] == 1
    run = apply(house, enrolment_settings)
    assert (run["state"], run["removed"]) == ("done", {"practitioners_who_left": 1})
    rows = house.unit.database("brent")["practitioners"]
    assert rows.find_one({"_id": person}) is not None
    [asked] = house.pages("erasures")
    assert (asked["basis"], asked["state"]) == ("retention_ended", "asked")
    path = f"erasures/{asked['id']}/approve"
    assert house.ask("POST", path, json={}).status_code == 403
    house.good("POST", path, subject="second-desk", json={})
    worker = bootstrap.rights_worker(enrolment_settings, house.unit)
    while worker.work_once():
        pass
    assert rows.find_one({"_id": person}) is None


def test_a_period_of_a_day_erases_nobody_alone_and_nobody_whose_erasure_was_refused(house, enrolment_settings):
    """One person of HR sets the period and applies it: nobody is gone, and a legal claim still holds."""
    claimed, other = left_long_ago(house, "L-1", given_name="Ada"), left_long_ago(house, "L-2", given_name="Bea")
    asked = house.good("POST", f"practitioners/{claimed}/erase", json={"basis": "person_asked"})
    path = f"erasures/{asked['id']}/refuse"
    house.good("POST", path, subject="second-desk", json={"reason": "legal_claim"})
    house.good("PUT", "retention", json={"days": {"practitioners_who_left": 1}})
    assert due(house)["practitioners_who_left"] == 1
    apply(house, enrolment_settings)
    assert asked_for(house) == {other}
    assert house.unit.database("brent")["practitioners"].count_documents({"_id": {"$in": [claimed, other]}}) == 2


def test_a_merged_leaver_is_one_person_and_stops_nobody(house, enrolment_settings):
    """The merged record is asked for with its survivor, and not while the survivor's employment goes on."""
    into, merged = left_long_ago(house, "L-1"), left_long_ago(house, "L-2")
    stays = left_long_ago(house, "S-1")
    left_long_ago(house, "S-2")
    house.good("POST", "practitioner-duplicates/merge", json={"into": "L-1", "merged": "L-2"})
    house.good("POST", "practitioner-duplicates/merge", json={"into": "S-1", "merged": "S-2"})
    going_on = {"started_on": "2019-01-01", "recorded_at": "2019-01-01T00:00:00Z", "ended_on": None}
    rows = house.unit.database("brent")["practitioners"]
    rows.update_one({"_id": stays}, {"$set": {"employments": [going_on]}})
    assert due(house)["practitioners_who_left"] == 1
    assert apply(house, enrolment_settings)["state"] == "done"
    assert asked_for(house) == {into}
    assert set(house.unit.database("brent")["erasures"].find_one({})["ids"]) == {into, merged}


def test_leavers_who_cannot_be_asked_for_are_passed_over(house, enrolment_settings, monkeypatch):
    """As many as one step takes wait for an answer: whoever comes after them is asked for all the same."""
    monkeypatch.setattr("services.enrolment.application.retention.ASKED_PER_STEP", 2)
    people = sorted(left_long_ago(house, f"L-{number}") for number in range(4))
    database = house.unit.database("brent")
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    waiting = database["enrolments"].find_one({})
    for person in people[:2]:
        database["enrolments"].insert_one({**waiting, "_id": person, "enrolment_id": person, "practitioner_id": person})
    assert apply(house, enrolment_settings)["state"] == "done"
    assert asked_for(house) == set(people[2:])


def test_a_job_that_a_rule_stops_does_not_end_the_worker(house, enrolment_settings, monkeypatch):
    """Brent's run cannot go on; Ealing's is carried out in the same round."""
    house.good("POST", "retention/apply", json={})
    run = house.good("POST", "retention/apply", org="ealing", json={})
    step = retention.step

    def faulty(desk, run_id, expected):
        if run_id != run["id"]:
            raise NoSuchThing("nobody")
        return step(desk, run_id, expected)

    monkeypatch.setattr(retention, "step", faulty)
    bootstrap.rights_worker(enrolment_settings, house.unit).work_once()
    assert house.good("GET", f"retention/runs/{run['id']}", org="ealing")["state"] == "done"


@pytest.mark.parametrize("state", ["mapping", "checked", "held", "completed", "failed"])
def test_files_at_rest_are_aged_in_every_state(house, enrolment_settings, state):
    """A snapshot that nobody confirmed and a file that nobody mapped go with all others."""
    uploads = house.unit.database("brent")["uploads"]
    uploads.insert_one({**_upload(), "state": state})
    assert due(house)["uploads"] == 1
    apply(house, enrolment_settings)
    assert uploads.find_one({"_id": "u"})["state"] == "removing"


@pytest.mark.parametrize("state", WORK_TO_DO)
def test_files_at_work_are_left_alone(house, state):
    """A worker has them in hand."""
    house.unit.database("brent")["uploads"].insert_one({**_upload(), "state": state})
    assert due(house)["uploads"] == 0


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
