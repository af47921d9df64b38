"""Courses, programmes and eligibility through the doors: API, file and intake alike, and accreditation that follows."""

from __future__ import annotations

import csv
import io
import json

import pytest

from shared.identifiers import new_identifier
from tests.enrolment.conftest import a_record

APPROVED = "accreditation.module-approved.v1"
REFUSED = "accreditation.module-refused.v1"
PLAIN = {"title": "A course", "level": "ALL", "routes": ["practice_only"]}


def a_run(course: str = "SAR", **changes) -> dict[str, object]:
    """Return the facts of a run of a module for a course."""
    return {
        "instance_id": new_identifier(),
        "module": "SAR7",
        "course": course,
        "intake": "2025-09",
        "course_owner": "brent",
        "proposed_by": "brent",
        "delivered_by": ["brent"],
        "credits": 30,
        "level": 7,
    } | changes


def approve(house, hei: str = "goldsmiths", **changes) -> None:
    """Deliver the approval of a run, from 16 June 2025."""
    run = a_run(**{"approved_on": "2025-06-16", **changes})
    house.hear(APPROVED, hei, str(run["instance_id"]), run)


def in_catalogue(house, code: str, org: str = "ealing") -> dict[str, object]:
    """Return a course as an employer's catalogue shows it."""
    return next(item for item in house.good("GET", "/v1/catalogue", org=org)["items"] if item["code"] == code)


def accreditation(house, code: str = "SAR", org: str = "ealing") -> tuple[object, object]:
    """Return a course's status and its day, as an employer sees them."""
    shown = in_catalogue(house, code, org)
    return shown["accreditation"], shown["accredited_from"]


def ask(house, org: str = "brent", **changes) -> tuple[str, ...]:
    """Return the codes of a nomination through the API; none when it was taken."""
    answer = house.ask("POST", "enrolments", org=org, json=a_record(**changes))
    if answer.status_code == 422:
        return tuple(fault["code"] for fault in answer.get_json()["errors"])
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return ()


def open_asking(house, **eligibility) -> None:
    """Publish a course for all levels that asks for something."""
    house.open_course("CCB", capacity=50, level="ALL", prerequisite=None, eligibility=eligibility)


def test_s2_a_pending_course_is_approved_from_the_stated_day(house):
    """The university's approval reaches the course, its owner and every employer's catalogue."""
    house.open_course(accreditation="pending")
    assert accreditation(house) == ("pending", None)
    approve(house)
    house.settle()
    assert accreditation(house) == ("approved", "2025-06-16")
    assert accreditation(house, org="brent") == ("approved", "2025-06-16")
    own = house.good("GET", "courses/SAR", "programme_lead")
    assert (own["accreditation"], own["accredited_from"]) == ("approved", "2025-06-16")


def test_s2_an_approval_before_the_course_counts_as_well(house):
    """What is heard first does not matter."""
    approve(house)
    house.open_course(accreditation="pending")
    assert accreditation(house) == ("approved", "2025-06-16")


def test_s2_a_refusal_makes_it_none(house):
    """Until another run is approved."""
    house.open_course(accreditation="pending")
    run = a_run()
    house.hear(REFUSED, "goldsmiths", str(run["instance_id"]), run)
    house.settle()
    assert accreditation(house) == ("none", None)
    approve(house)
    house.settle()
    assert accreditation(house) == ("approved", "2025-06-16")


def test_s2_only_the_awarding_university_of_the_course_decides(house):
    """Not an employer, not for another's course, not with another module."""
    house.open_course(accreditation="pending")
    approve(house, hei="ealing")
    approve(house, course_owner="ealing")
    approve(house, module="OTHER")
    house.settle()
    assert accreditation(house) == ("pending", None)


def test_s2_the_same_approval_again_changes_nothing(house):
    """A replay of both feeds leaves everything as it was."""
    house.open_course(accreditation="pending")
    run = a_run(approved_on="2025-06-16")
    for _ in range(3):
        house.hear(APPROVED, "goldsmiths", str(run["instance_id"]), run)
    house.settle()
    told = len(house.events("brent"))
    house.settle(again=True)
    assert len(house.events("brent")) == told
    assert accreditation(house) == ("approved", "2025-06-16")


def test_s2_the_owner_publishes_again_without_undoing_the_university(house):
    """The same body needs no If-Match and changes nothing; a changed one keeps what the university decided."""
    house.open_course(accreditation="pending")
    approve(house)
    house.open_course(accreditation="pending")
    assert accreditation(house) == ("approved", "2025-06-16")
    answer = house.ask("GET", "courses/SAR", "programme_lead")
    body = {
        name: value for name, value in answer.get_json().items() if name not in ("code", "owner", "accredited_from")
    }
    changed = body | {"title": "Another title", "accreditation": "none"}
    headers = {"If-Match": answer.headers["ETag"]}
    kept = house.good("PUT", "courses/SAR", "programme_lead", json=changed, headers=headers)
    assert (kept["title"], kept["accreditation"]) == ("Another title", "approved")


def test_s2_a_nomination_on_a_pending_course_is_as_before(house):
    """Credit is the university's; the academic route stays open to whom it was open."""
    house.open_course(accreditation="pending")
    assert ask(house, route="practice_and_academic", prerequisite_on="2025-01-01") == ()


def test_a_course_that_says_nothing_more_tells_nothing_more(house):
    """No description on the bus without one; every employer sees the plain course."""
    house.open_course()
    assert [event["type"] for event in house.events("brent")][:1] == ["enrolment.course-published.v1"]
    assert "enrolment.course-described.v1" not in {event["type"] for event in house.events("brent")}
    shown = in_catalogue(house, "SAR")
    assert (shown["kind"], shown["minutes"], shown["cpd_pieces"]) == ("course", None, 1)


def test_e16_e21_e22_e23_e27_the_catalogue_shows_what_a_course_is(house):
    """Kind, parts, micro-credential, bite size, handbooks and developed domains reach every employer."""
    description = {
        "kind": "online_course",
        "parts": [
            {"kind": "self_study", "minutes": 20},
            {"kind": "team_activity", "minutes": 40, "with_peers": True},
        ],
        "micro_credential_by": "goldsmiths",
        "develops": [{"framework": "pcf", "domain": 6}, {"framework": "ncfsa", "domain": 1}],
        "handbooks": [
            {"version": "1", "link": "https://brent.example/swott-1", "valid_from": "2020-01-01"},
            {"version": "2", "link": "https://brent.example/swott-2", "valid_from": "2099-01-01"},
        ],
    }
    house.good("PUT", "courses/SWOTT", "programme_lead", json=PLAIN | {"description": description})
    house.settle()
    shown = in_catalogue(house, "SWOTT")
    assert (shown["kind"], shown["minutes"], shown["bite_size"]) == ("online_course", 60, True)
    assert (shown["cpd_pieces"], shown["cpd_pieces_with_peers"]) == (2, 1)
    assert shown["micro_credential_by"] == "goldsmiths"
    assert shown["develops"] == description["develops"]
    assert (shown["handbook"]["version"], len(shown["handbooks"])) == ("1", 2)
    asked = house.good("GET", "courses/SWOTT/handbook", "programme_lead", query_string={"on": "2099-05-05"})
    assert asked["version"] == "2"
    early = house.ask("GET", "courses/SWOTT/handbook", "programme_lead", query_string={"on": "1999-05-05"})
    assert early.status_code == 404


def test_e21_e27_the_catalogue_is_narrowed_by_kind_level_and_minutes(house):
    """A short webinar is found among courses."""
    short = PLAIN | {"description": {"kind": "webinar", "minutes": 30}}
    house.good("PUT", "courses/WEB", "programme_lead", json=short)
    house.open_course(level="SW")
    for query, codes in (
        ({"kind": "webinar"}, ["WEB"]),
        ({"level": "SW"}, ["SAR", "WEB"]),
        ({"level": "ESW"}, ["WEB"]),
        ({"most_minutes": "30"}, ["WEB"]),
        ({"most_minutes": "29"}, []),
    ):
        found = house.good("GET", "/v1/catalogue", query_string=query)["items"]
        assert [item["code"] for item in found] == codes


@pytest.mark.parametrize(
    "more",
    [
        {"credits": 10, "description": {"minutes": 30}},
        {"description": {"micro_credential_by": "nobody"}},
        {"eligibility": {"elements": ["X"]}},
        {"eligibility": {"after": ["CCB"]}},
    ],
)
def test_a_course_that_makes_no_sense_is_refused(house, more):
    """Told as a rule that says no, never as an error of ours."""
    answer = house.ask("PUT", "courses/CCB", "programme_lead", json=PLAIN | more)
    assert answer.status_code == 422
    assert answer.get_json()["type"].endswith("enrolment-rule")


@pytest.mark.parametrize("level", ["ASYE", "SW", "ESW", "ADVANCED", "STRATEGIC"])
def test_e2_a_course_is_for_people_of_its_level(house, level):
    """A person of another level is refused with the code; one of the level is taken."""
    house.open_course("LVL", capacity=50, level=level, prerequisite=None)
    for at, of in enumerate(("ASYE", "SW", "ESW", "ADVANCED", "STRATEGIC")):
        person = {"employee_ref": f"2000{at}", "swe_number": f"SW5000{at}", "email": f"p{at}@brent.example"}
        expected = () if of == level else ("level_mismatch",)
        assert ask(house, course="LVL", pcf_level=of, **person) == expected


def test_e2_a_course_for_all_levels_refuses_no_level(house):
    """The level ALL is every level; and no other word is a level of a course."""
    house.open_course("ANY", capacity=50, level="ALL", prerequisite=None)
    for at, of in enumerate(("ASYE", "SW", "ESW", "ADVANCED", "STRATEGIC")):
        person = {"employee_ref": f"2000{at}", "swe_number": f"SW5000{at}", "email": f"p{at}@brent.example"}
        assert ask(house, course="ANY", pcf_level=of, **person) == ()
    answer = house.ask("PUT", "courses/ODD", "programme_lead", json=PLAIN | {"level": "GRADE 7"})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/level")


def test_e28_a_strategic_manager_gets_a_confirmed_place(house):
    """A manager at the strategic level on a course of that level: seat, confirmation, and nothing that differs."""
    house.open_course("LEAD", capacity=5, level="STRATEGIC", prerequisite=None)
    manager = {"course": "LEAD", "pcf_level": "STRATEGIC", "job_title": "Head of Service"}
    assert ask(house, org="ealing", **manager) == ()
    house.settle()
    [held] = house.good("GET", "enrolments", org="ealing", query_string={"course": "LEAD"})["items"]
    assert (held["status"], held["pcf_level"]) == ("confirmed", "STRATEGIC")
    told = [event["data"] for event in house.events("ealing") if event["type"] == "enrolment.confirmed.v1"]
    assert [(one["course"], one["pcf_level"]) for one in told] == [("LEAD", "STRATEGIC")]


def test_e28_a_course_for_leaders_takes_leaders(house):
    """A leader whom HR vouches for is confirmed; who is none is refused with the code."""
    open_asking(house, roles=["leader", "manager"])
    assert ask(house, course="CCB", pcf_level="ADVANCED") == ("role_not_eligible",)
    house.good("PUT", "practitioners/10001", json={"given_name": "Aoife"})
    house.good("PUT", "practitioners/10001/background", json={"roles": ["leader"]})
    assert ask(house, course="CCB", pcf_level="ADVANCED") == ()
    house.settle()
    [held] = house.good("GET", "enrolments", query_string={"course": "CCB"})["items"]
    assert held["status"] == "confirmed"


def test_e15_one_central_programme_serves_people_of_all_employers_in_one_cohort(house):
    """One owner, one programme in every employer's catalogue, and one cohort in which their people sit together."""
    house.open_course("CEN", capacity=10, level="ALL", prerequisite=None)
    body = {"title": "Across boroughs", "strands": [{"level": "ALL", "courses": ["CEN"]}], "delivery": "central"}
    house.good("PUT", "programmes/ACROSS", "programme_lead", json=body)
    house.settle()
    for org in ("brent", "ealing", "harrow"):
        [known] = house.good("GET", "/v1/catalogue/programmes", org=org)["items"]
        assert (known["code"], known["owner"], known["delivery"]) == ("ACROSS", "brent", "central")
        assert ask(house, org=org, course="CEN") == ()
    house.settle()
    cohort = house.good("GET", "courses/CEN/cohorts/2025-09", "programme_lead")
    assert sorted(place["employer"] for place in cohort["seats"]) == ["brent", "ealing", "harrow"]


def test_e15_no_employer_publishes_a_programme_of_its_own_under_the_code(house):
    """Only the partnership's programme lead describes programmes; the catalogue keeps the one that it had."""
    house.good("PUT", "courses/ONE", "programme_lead", json=PLAIN)
    body = {"title": "Across boroughs", "strands": [{"level": "ALL", "courses": ["ONE"]}], "delivery": "central"}
    house.good("PUT", "programmes/ACROSS", "programme_lead", json=body)
    own = body | {"title": "Ealing's own", "delivery": "local"}
    refused = {
        role: house.ask("PUT", "programmes/ACROSS", role, org="ealing", json=own).status_code
        for role in ("programme_lead", "hr")
    }
    assert refused == {"programme_lead": 404, "hr": 403}
    house.settle()
    [known] = house.good("GET", "/v1/catalogue/programmes", org="ealing")["items"]
    assert (known["title"], known["owner"]) == ("Across boroughs", "brent")


def test_e5_e13_a_course_that_was_completed_opens_the_next(house):
    """The employer's own history decides: not while it is under way, but once it is completed."""
    house.open_course("ONE", capacity=50, level="ALL", prerequisite=None, evidence_set=None)
    open_asking(house, after=["ONE"])
    assert ask(house, course="CCB") == ("sequence_not_met",)
    assert ask(house, course="ONE") == ()
    house.settle()
    assert ask(house, course="CCB") == ("sequence_not_met",)
    [held] = house.good("GET", "enrolments", query_string={"course": "ONE"})["items"]
    house.good("POST", f"enrolments/{held['enrolment_id']}/complete", json={"completed_on": "2026-01-31"})
    assert ask(house, course="CCB") == ()


def test_e6_roles_are_what_hr_vouches_for(house):
    """Kept with the person, never in a file; the job title says nothing."""
    open_asking(house, roles=["professional_educator", "manager"])
    house.good("PUT", "practitioners/10001", json={"given_name": "Aoife", "job_title": "Manager"})
    assert ask(house, course="CCB") == ("role_not_eligible",)
    house.good("PUT", "practitioners/10001/background", json={"roles": ["manager"]})
    assert ask(house, course="CCB") == ()


def test_e11_the_whole_course_is_not_open_to_every_employer(house):
    """Its elements are, as courses of their own."""
    house.open_course("CCB-1", capacity=5, level="ALL", prerequisite=None)
    open_asking(house, open_to=["county"], elements=["CCB-1"])
    assert ask(house, org="ealing", course="CCB") == ("not_open_to_employer",)
    assert ask(house, org="ealing", course="CCB-1") == ()


def test_e3_pcf_ratings_come_before_the_nomination(house):
    """The person's own self-audit is what counts."""
    open_asking(house, rated_domains=[1, 7])
    house.good("PUT", "practitioners/10001", json={"given_name": "Aoife"})
    assert ask(house, course="CCB") == ("pcf_rating_missing",)
    audit = {"audited_on": "2025-06-01", "needs": [{"domain": 1, "rating": 2}, {"domain": 7, "rating": 5}]}
    own = {"role": "practitioner", "subject": "10001"}
    house.good("PUT", "practitioners/10001/learning-needs", json=audit, **own)
    assert ask(house, course="CCB") == ()


def test_e13_a_file_and_the_intake_are_decided_alike(house):
    """The same code in the file's row; on the intake an answer of its own type: the released one has no such code."""
    open_asking(house, after=["asye"])
    record = a_record(course="CCB", pcf_level="ASYE")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(record))
    writer.writeheader()
    writer.writerow(record)
    job = house.upload(text.getvalue().encode(), "people.csv", "harrow")
    [row] = house.pages(f"enrolment-uploads/{job['id']}/rows", "harrow")
    assert row["codes"] == ["sequence_not_met"]
    house.intake("brent", json.dumps({"record_ref": "r-7f3a9", "record": record}).encode())
    [answer] = house.events("brent", "out")
    assert answer["type"] == "enrolment.record-ineligible.v1"
    assert answer["data"]["codes"] == ["sequence_not_met"]
    assert answer["data"]["faults"] == [{"code": "sequence_not_met", "field": "course"}]


def test_e1_e14_e15_a_programme_reaches_every_employer(house):
    """In its order, with its strands; the same again changes nothing; of one's own courses only."""
    for code in ("ONE", "TWO"):
        house.good("PUT", f"courses/{code}", "programme_lead", json=PLAIN)
    body = {"title": "Community", "strands": [{"level": "SW", "courses": ["TWO", "ONE"]}]}
    kept = house.good("PUT", "programmes/COM", "programme_lead", json=body)
    assert kept == {**body, "code": "COM", "owner": "brent", "delivery": "central"}
    assert house.good("PUT", "programmes/COM", "programme_lead", json=body) == kept
    house.settle()
    assert house.good("GET", "/v1/catalogue/programmes", org="ealing")["items"] == [kept]
    assert house.good("GET", "programmes", "programme_lead")["items"] == [kept]
    missing = {"title": "X", "strands": [{"level": "SW", "courses": ["GONE"]}]}
    assert house.ask("PUT", "programmes/X", "programme_lead", json=missing).status_code == 422
    assert house.ask("PUT", "programmes/X", "programme_lead", org="ealing", json=body).status_code == 404
    without = house.ask("PUT", "programmes/COM", "programme_lead", json=body | {"title": "Y"})
    assert without.status_code == 428
