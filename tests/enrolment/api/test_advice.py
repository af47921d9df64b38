"""Self-audits and recommendations through the API: who may see and set what, and that advice follows both."""

from __future__ import annotations

import pytest

from tests.enrolment.conftest import a_record

AUDIT = {
    "audited_on": "2025-06-01",
    "needs": [{"domain": 7, "rating": 1}, {"framework": "ncfsa", "domain": 2, "rating": 3}],
}
SELF = {"role": "practitioner", "subject": "10001"}
OTHER = {"role": "practitioner", "subject": "10002"}


@pytest.fixture
def person(house) -> str:
    """Keep one social worker and offer two courses; return the person's opaque id."""
    develops = {"develops": [{"framework": "pcf", "domain": 7}]}
    house.open_course("ONE", level="SW", prerequisite=None, evidence_set=None, description=develops)
    house.open_course("TWO", level="ESW", prerequisite=None)
    house.good("PUT", "practitioners/10001", json={"given_name": "Aoife", "pcf_level": "SW"})
    return house.good("GET", "practitioners/10001")["practitioner_id"]


def test_e4_recommendations_follow_needs_and_history(house, person):
    """By reference or opaque id; what is taken is not recommended any more, and everything left out says why."""
    house.good("PUT", "practitioners/10001/learning-needs", json=AUDIT, **SELF)
    for reference in ("10001", person):
        found = house.good("GET", "recommendations", query_string={"practitioner": reference})
        assert found["practitioner_id"] == person
        [combination] = found["items"]
        assert (combination["courses"], combination["reasons"][0]["code"]) == (["ONE"], "meets_need")
        assert [(one["course"], one["code"]) for one in found["left_out"]] == [("TWO", "level_mismatch")]
    assert house.ask("POST", "enrolments", json=a_record(course="ONE")).status_code == 201
    after = house.good("GET", "recommendations", query_string={"practitioner": "10001"})
    assert after["items"] == []
    assert after["left_out"][0]["code"] == "already_enrolled"


@pytest.mark.usefixtures("person")
def test_e4_a_course_completed_elsewhere_is_history_too(house):
    """HR vouches for it."""
    prior = {"prior_courses": [{"course": "ONE", "completed_on": "2020-01-01"}]}
    house.good("PUT", "practitioners/10001/background", json=prior)
    found = house.good("GET", "recommendations", query_string={"practitioner": "10001"})
    assert found["left_out"][0] == {
        "code": "already_completed",
        "course": "ONE",
        "about": None,
        "sentence": "it was completed already",
    }


@pytest.mark.usefixtures("person")
def test_a_practitioner_sees_and_sets_their_own_only(house):
    """Somebody else is not there for them; a supervisor reads, and sets nothing."""
    house.good("PUT", "practitioners/10001/learning-needs", json=AUDIT, **SELF)
    asked = {"query_string": {"practitioner": "10001"}}
    assert house.ask("GET", "recommendations", **asked, **SELF).status_code == 200
    assert house.ask("GET", "recommendations", **asked, **OTHER).status_code == 404
    assert house.ask("GET", "practitioners/10001/learning-needs", **OTHER).status_code == 404
    assert house.ask("PUT", "practitioners/10001/learning-needs", json=AUDIT, **OTHER).status_code == 404
    assert house.ask("GET", "practitioners/10001/learning-needs", role="supervisor").status_code == 200
    assert house.ask("PUT", "practitioners/10001/learning-needs", "supervisor", json=AUDIT).status_code == 403
    assert house.ask("PUT", "practitioners/10001/background", json={"roles": []}, **SELF).status_code == 403


def test_a_self_audit_is_changed_by_whoever_has_seen_it(house, person):
    """The first needs no If-Match, the next one does; what it says is what comes back."""
    first = house.ask("PUT", "practitioners/10001/learning-needs", json=AUDIT, **SELF)
    assert first.status_code == 201
    kept = first.get_json()
    assert kept["practitioner_id"] == person
    assert kept["needs"][0] == {"framework": "pcf", "domain": 7, "rating": 1}
    again = {"audited_on": "2025-12-01", "needs": []}
    assert house.ask("PUT", "practitioners/10001/learning-needs", json=again, **SELF).status_code == 428
    headers = {"If-Match": first.headers["ETag"]}
    second = house.ask("PUT", "practitioners/10001/learning-needs", json=again, headers=headers, **SELF)
    assert second.status_code == 200
    assert house.good("GET", "practitioners/10001/learning-needs", **SELF)["needs"] == []


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    "needs",
    [
        [{"domain": 10, "rating": 1}],
        [{"domain": 1, "rating": 0}],
        [{"domain": 1, "rating": 1}, {"domain": 1, "rating": 2}],
        [{"domain": 1, "rating": "low"}],
    ],
)
def test_a_self_audit_that_makes_no_sense_is_refused(house, needs):
    """A tenth domain of nine, a rating off the scale, a domain twice."""
    answer = house.ask("PUT", "practitioners/10001/learning-needs", json={"audited_on": "2025-06-01", "needs": needs})
    assert answer.status_code in (400, 422)


@pytest.mark.usefixtures("person")
def test_needs_and_roles_never_reach_a_feed(house):
    """They stay with the employer."""
    before = len(house.events("brent"))
    house.good("PUT", "practitioners/10001/learning-needs", json=AUDIT)
    house.good("PUT", "practitioners/10001/background", json={"roles": ["leader"]})
    assert len(house.events("brent")) == before


@pytest.mark.usefixtures("person")
def test_what_was_taken_under_a_merged_record_counts(house):
    """Two records of one person: history, needs and roles of both."""
    house.good("PUT", "practitioners/10009", json={"given_name": "Aoife", "pcf_level": "SW"})
    prior = {"roles": ["leader"], "prior_courses": [{"course": "ONE", "completed_on": "2020-01-01"}]}
    house.good("PUT", "practitioners/10009/background", json=prior)
    house.good("PUT", "practitioners/10009/learning-needs", json=AUDIT)
    house.good("POST", "practitioner-duplicates/merge", json={"into": "10001", "merged": "10009"})
    for reference in ("10001", "10009"):
        found = house.good("GET", "recommendations", query_string={"practitioner": reference})
        assert next((one["course"], one["code"]) for one in found["left_out"]) == ("ONE", "already_completed")
