"""Erasure over HTTP and in the worker: two persons, every place, no way back by accident, receipts, access reports."""

from __future__ import annotations

import json

import pytest

from services.enrolment import bootstrap
from services.enrolment.domain.events import PractitionerErased
from services.enrolment.messaging.published import outgoing
from services.enrolment.storage.personal_data import PLACES
from shared.clock import SystemClock, london_date
from tests.enrolment.conftest import a_record

GIVEN, FAMILY, EMAIL, NUMBER, REF = "Zebulonia", "Quuxworth", "zq@canary.example", "SW987654", "CANARY-77"
CANARIES = (GIVEN, FAMILY, EMAIL, NUMBER, REF)
HEADINGS = (
    "employee_ref,given_name,family_name,email,date_of_birth,swe_number,pcf_level,employment_start,course,intake,"
    "route,manager_approved_on,line_manager_ref"
)


def canary(**changes):
    """Return a record about somebody whose particulars stand nowhere else."""
    told = {"employee_ref": REF, "given_name": GIVEN, "family_name": FAMILY, "email": EMAIL, "swe_number": NUMBER}
    return a_record(**{**told, **changes})


def rights_of(house, settings):
    """Return the worker of one's rights."""
    return bootstrap.rights_worker(settings, house.unit)


def found_in(house, org="brent"):
    """Return each (collection, id) of an employer's database in which any canary stands, however it is kept."""
    database = house.unit.database(org)
    found = []
    for name in database.list_collection_names():
        for document in database[name].find({}):
            text = repr(document)
            text += "".join(bytes(value).decode("utf-8", "replace") for value in _bytes(document))
            if any(word.casefold() in text.casefold() for word in CANARIES):
                found.append((name, document["_id"]))
    return found


def _bytes(value):
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _bytes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _bytes(one)


@pytest.fixture
def planted(house):
    """The canary came through the API, a file (taken, refused and unread), intake and as somebody's manager."""
    house.open_course(capacity=9)
    house.open_course("CCB", capacity=9)
    house.good("POST", "enrolments", json=canary())
    rows = [
        canary(course="CCB"),
        canary(course="NONE"),
        canary(employee_ref=None, course="SAR"),
        a_record(employee_ref="20002", given_name="Iris", email="i@brent.example", line_manager_ref=REF),
    ]
    names = HEADINGS.split(",")
    lines = [",".join("" if row[name] is None else str(row[name]) for name in names) for row in rows]
    content = "\n".join([HEADINGS, *lines]).encode()
    house.good("PUT", "column-mapping", json={"format": "csv", "columns": {name: name for name in names}})
    job = house.upload(content, f"{GIVEN} {FAMILY}.csv")
    house.confirm(job["id"])
    house.upload(content + b"\n", "again.csv")
    house.intake("brent", json.dumps({"record_ref": "r-1", "record": canary(course="NONE")}, default=str).encode())
    house.good(
        "POST", f"practitioners/{REF}/line-managers", json={"line_manager_ref": "90002", "from_on": "2025-01-01"}
    )
    house.settle()
    person = house.good("GET", f"practitioners/{REF}")["practitioner_id"]
    enrolments = [one for one in house.pages("enrolments") if one["practitioner_id"] == person]
    for one in enrolments:
        if one["status"] in ("requested", "waiting"):
            house.good(
                "POST",
                f"enrolments/{one['enrolment_id']}/withdraw",
                json={"reason": "health", "withdrawn_on": "2025-10-01"},
            )
    return person


def erase(house, settings, person):
    """Have somebody erased by two people and return the erasure as it stands afterwards."""
    asked = house.good("POST", f"practitioners/{person}/erase", json={"basis": "person_asked"})
    house.good("POST", f"erasures/{asked['id']}/approve", subject="second-desk", json={})
    while rights_of(house, settings).work_once():
        pass
    return house.good("GET", f"erasures/{asked['id']}")


def test_canary_is_nowhere_after_erasure_and_counts_stay(house, enrolment_settings, planted):
    """Every door was used; afterwards no collection holds a word of it, and as many enrolments as before."""
    before = len(house.pages("enrolments"))
    assert {name for name, _ in found_in(house)} >= {"practitioners", "records_taken", "upload_rows", "idempotency"}
    told = erase(house, enrolment_settings, planted)
    assert told["state"] == "done"
    assert found_in(house) == []
    assert len(house.pages("enrolments")) == before
    assert {one["practitioner_id"] for one in house.pages("enrolments")} >= {planted}
    assert house.ask("GET", f"practitioners/{REF}").status_code == 404
    assert house.good("GET", "practitioners/20002")["line_managers"][0]["line_manager_ref"] == "erased"
    kept = [event for event in house.events("brent") if event["type"] == "enrolment.practitioner-erased.v1"]
    assert [event["subject"] for event in kept] == [planted]


def test_no_feed_ever_knew_the_canary(house, planted):
    """Before anything is erased: no event, of nobody, says a particular."""
    assert planted
    for org in ("brent", "ealing"):
        for feed in ("org", "out"):
            text = json.dumps(house.events(org, feed)).casefold()
            assert [word for word in CANARIES if word.casefold() in text] == []


def test_first_person_cannot_approve_and_an_erasure_asked_twice_is_one(house, enrolment_settings, planted):
    """An erasure is for ever: two people; asking again gives the same one, also when it is done."""
    asked = house.good("POST", f"practitioners/{planted}/erase", json={"basis": "person_asked"})
    assert house.ask("POST", f"erasures/{asked['id']}/approve", json={}).status_code == 403
    assert house.good("POST", f"practitioners/{planted}/erase", json={"basis": "person_asked"})["id"] == asked["id"]
    assert found_in(house) != []
    done = erase(house, enrolment_settings, planted)
    again = house.good("POST", f"practitioners/{planted}/erase", json={"basis": "never_lawful"})
    assert (again["id"], again["state"]) == (done["id"], "done")


def test_refused_erasure_changes_nothing(house, enrolment_settings, planted):
    """A reason of the law keeps the person; it may be asked for again."""
    asked = house.good("POST", f"practitioners/{planted}/erase", json={"basis": "person_asked"})
    path = f"erasures/{asked['id']}/refuse"
    assert house.good("POST", path, subject="second-desk", json={"reason": "legal_claim"})["state"] == "refused"
    rights_of(house, enrolment_settings).work_once()
    assert house.good("GET", f"practitioners/{REF}")["given_name"] == GIVEN


def test_who_waits_for_an_answer_is_withdrawn_first(house):
    """Nobody gives a seat to somebody who is no longer anybody."""
    house.open_course()
    house.good("POST", "enrolments", json=canary())
    person = house.good("GET", f"practitioners/{REF}")["practitioner_id"]
    asked = house.ask("POST", f"practitioners/{person}/erase", json={"basis": "person_asked"})
    assert asked.status_code == 409


def test_same_reference_sent_again_brings_nobody_back_until_somebody_says_so(house, enrolment_settings, planted):
    """File, API and intake are refused; said on purpose, the person begins anew with nothing of the past."""
    told = erase(house, enrolment_settings, planted)
    assert house.ask("POST", "enrolments", json=canary(course="CCB")).status_code == 422
    body = {"given_name": GIVEN, "family_name": FAMILY}
    assert house.ask("PUT", f"practitioners/{REF}", json=body).status_code == 409
    line = f"{REF},{GIVEN},{FAMILY},{EMAIL},1982-07-07,{NUMBER},SW,2018-01-03,CCB,2025-09,practice_only,2025-07-01,"
    job = house.upload(f"{HEADINGS}\n{line}".encode(), "hr.csv")
    assert job["counts"]["refused"] == 1
    house.intake("brent", json.dumps({"record_ref": "r-9", "record": canary(course="CCB")}, default=str).encode())
    assert found_in(house) == []
    early = house.ask("POST", f"erasures/{told['id']}/person-is-back", json={})
    assert early.status_code == 409, "nobody has answered: the erasure may have no number on the feed yet"
    answer = {"practitioner_id": planted, "employer": "brent", "outcome": "nothing_held", "reason_code": None}
    house.acknowledge("reporting", "nwl-board", answer)
    house.good("POST", f"erasures/{told['id']}/person-is-back", json={})
    house.good("POST", "enrolments", json=canary(course="CCB"))
    assert house.good("GET", f"practitioners/{REF}")["practitioner_id"] == planted


def test_worker_that_died_in_the_middle_goes_on(house, enrolment_settings, planted, monkeypatch):
    """Each step keeps how far it came: a second worker finishes what the first began."""
    asked = house.good("POST", f"practitioners/{planted}/erase", "operator", json={"basis": "retention_ended"})
    assert asked["state"] == "running"
    monkeypatch.setattr("services.enrolment.application.rights_worker.MOST_STEPS", 1)
    rounds = 0
    while rights_of(house, enrolment_settings).work_once():
        rounds += 1
    assert rounds > 5
    assert found_in(house) == []


def test_receipts_say_who_answered_and_who_has_not(house, enrolment_settings, planted):
    """Three kinds of services answer; a repeat of an answer is one, a stranger's word is none."""
    told = erase(house, enrolment_settings, planted)
    assert told["receipts"] == []
    assert set(told["missing"]) == {"assessment/brent", "accreditation/goldsmiths", "reporting/nwl-board"}
    answers = [("assessment", "brent", "erased", None), ("accreditation", "goldsmiths", "kept", "student_record")]
    for service, org, outcome, code in [*answers, *answers, ("assessment", "ealing", "erased", None)]:
        house.acknowledge(
            service, org, {"practitioner_id": planted, "employer": "brent", "outcome": outcome, "reason_code": code}
        )
    after = house.good("GET", f"erasures/{told['id']}")
    assert [(one["by"], one["outcome"], one["reason_code"]) for one in after["receipts"]] == [
        ("assessment/brent", "erased", None),
        ("accreditation/goldsmiths", "kept", "student_record"),
    ]
    assert after["missing"] == ["reporting/nwl-board"]
    assert after["missing_since"] == told["erased_on"]


def test_access_report_holds_every_collection_and_is_ones_own(house, planted):
    """The person and their employer read all of it; another person, and another employer, read nothing."""
    path = f"practitioners/{planted}/access-report"
    report = house.good("GET", path)
    shown = {one["collection"]: one["rows"] for one in report["held"]}
    assert shown["practitioners"][0]["given_name"] == GIVEN
    assert [name for name in ("enrolments", "upload_rows", "records_taken", "idempotency") if not shown[name]] == []
    assert any("paragraph 25" in note for note in report["notes"])
    assert house.good("GET", path, "practitioner", subject=REF)["practitioner_id"] == planted
    assert house.ask("GET", path, "practitioner", subject="20002").status_code == 404
    assert house.ask("GET", path, org="ealing", at="brent").status_code == 404


def test_every_collection_that_exists_is_in_the_table(house, planted):
    """Whoever adds a collection says what it holds of a person and how that leaves it."""
    assert planted
    assert set(house.unit.database("brent").list_collection_names()) - set(PLACES) == set()


def test_event_of_an_erasure_says_an_opaque_id_and_a_day(house):
    """Nothing else is on the bus."""
    told = outgoing(PractitionerErased("0190a0b0-0000-8000-8000-0000000000a1", None), 3)
    assert set(json.loads(told.data)) == {"practitioner_id", "erased_on"}
    assert house


def test_a_parked_stray_of_the_canary_is_emptied(house, enrolment_settings, planted):
    """What somebody wrote onto the wrong topic has no number and cannot be replayed: its contents go."""
    stray = {
        "_id": "stray-1",
        "number": None,
        "raw_key": REF.encode(),
        "raw_value": json.dumps(canary(), default=str).encode(),
        "raw_headers": [["from", GIVEN.encode()]],
    }
    house.unit.database("brent")["parked"].insert_one(stray)
    assert ("parked", "stray-1") in found_in(house)
    erase(house, enrolment_settings, planted)
    assert found_in(house) == []
    assert house.unit.database("brent")["parked"].find_one({"_id": "stray-1"})["raw_value"] is None


def test_canary_that_was_given_over_to_another_employer_stays_only_where_it_was_taken_on(house, enrolment_settings):
    """The old employer erases: nothing of it is left there; the new employer's own record is its own to erase."""
    house.open_course(capacity=9)
    first = house.good("POST", "enrolments", json=canary())
    house.settle()
    day = london_date(SystemClock().now()).isoformat()
    body = {"to_employer": "ealing", "transferred_on": day, "reason": "new_job"}
    given = house.ask("POST", f"enrolments/{first['enrolment_id']}/transfer", json=body)
    assert given.status_code == 200, given.get_data(as_text=True)
    house.settle()
    known = {"given_name": GIVEN, "family_name": FAMILY, "email": EMAIL, "swe_number": NUMBER}
    house.tell_of("E-1", "ealing", **known)
    path = f"incoming-transfers/{first['enrolment_id']}/accept"
    taken = house.ask("POST", path, org="ealing", json={"employee_ref": "E-1"})
    assert taken.status_code == 201, taken.get_data(as_text=True)
    house.settle()
    erase(house, enrolment_settings, first["practitioner_id"])
    house.settle()
    assert found_in(house) == []
    assert {name for name, _ in found_in(house, "ealing")} >= {"practitioners"}
    for org in ("brent", "ealing"):
        assert not [word for word in CANARIES if word.casefold() in json.dumps(house.events(org)).casefold()]


def test_feeds_that_are_read_again_after_an_erasure_bring_nobody_back(house, enrolment_settings, planted):
    """Reading positions go back to the beginning; what was heard is emptied and heard again."""
    erase(house, enrolment_settings, planted)
    house.settle()
    before = {one["enrolment_id"]: one["status"] for one in house.pages("enrolments")}
    database = house.unit.database("brent")
    for name in ("catalogue_courses", "catalogue_cohorts", "standings", "attendance_heard", "cohort_terms_heard"):
        database[name].delete_many({})
    house.settle(again=True)
    assert found_in(house) == []
    assert house.ask("GET", f"practitioners/{REF}").status_code == 404
    assert {one["enrolment_id"]: one["status"] for one in house.pages("enrolments")} == before
    assert len([one for one in house.events("brent") if one["type"] == "enrolment.practitioner-erased.v1"]) == 1


def test_access_report_holds_attendance_and_the_numbers_behind_decisions(house, planted):
    """They are kept by ids of enrolments: whoever asks for all of theirs gets them too."""
    report = house.good("GET", f"practitioners/{planted}/access-report")
    shown = {one["collection"]: one["rows"] for one in report["held"]}
    assert {"attendance", "attendance_heard", "standings"} <= set(shown)
    own = {one["enrolment_id"] for one in house.pages("enrolments") if one["practitioner_id"] == planted}
    assert shown["standings"]
    assert {row["_id"] for row in shown["standings"]} <= own
