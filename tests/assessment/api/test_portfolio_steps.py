"""A portfolio from evidence to outcome over HTTP, on a real database."""

from __future__ import annotations

import json
from datetime import date

import pytest

from shared.identifiers import new_identifier

CANDIDATE, MANAGER, ASSESSOR, MODERATOR = "10001", "90001", "91891", "91892"


def piece(ref, kind, **changes):
    """Return a piece of evidence as it is handed in."""
    known = {"author_role": "observer", "author_ref": None, "made_on": "2026-01-20", "domains": [], "level": "SW"}
    return {"ref": ref, "kind": kind, **known, **changes}


@pytest.fixture
def enough(house):
    """Pieces that meet the scenario's evidence set."""
    rules = house.ports.rulebook.rules("cpd-portfolio")
    kinds = [item.kind for item in rules.items]
    first = piece("e0", "observation", author_ref="90777", domains=list(rules.domains))
    return [first, *(piece(f"e{place}", kind, author_ref=MANAGER) for place, kind in enumerate(kinds, start=1))]


@pytest.fixture
def submitted(post, portfolio_id, enough):
    """A portfolio handed in and sufficient."""
    assert post(f"portfolios/{portfolio_id}/evidence", {"items": enough}, "practitioner", CANDIDATE).status_code == 201
    answer = post(f"portfolios/{portfolio_id}/submit", {"submitted_on": "2026-04-20"}, "practitioner", CANDIDATE)
    assert (answer.status_code, answer.json["outcome"], answer.json["missing"]) == (200, "submitted", [])
    return portfolio_id


def test_portfolio_goes_from_evidence_to_outcome_by_three_people(house, post, submitted):
    """Verified, recommended and confirmed by three people, it ends as the employer says, once on the feed."""
    path = f"portfolios/{submitted}"
    assert post(f"{path}/verify", {"verified_on": "2026-04-30"}, "supervisor", MANAGER).json["state"] == "verified"
    body = {"recommended_on": "2026-05-07", "outcome": "pass"}
    assert post(f"{path}/recommend", body, "assessor", ASSESSOR).json["practice"] == "submitted"
    body = {"confirmed_on": "2026-05-18", "outcome": "pass"}
    assert post(f"{path}/confirm", body, "moderator", MODERATOR).json["practice"] == "confirmed_pass"
    confirmed = [json.loads(data) for name, _, data in house.events() if name == "assessment.practice-confirmed.v1"]
    assert confirmed == [
        {
            "portfolio_id": submitted,
            "enrolment_id": submitted,
            "course": "SAR",
            "intake": "2025-09",
            "route": "practice_and_academic",
            "pcf_level": "SW",
            "outcome": "pass",
            "confirmed_on": "2026-05-18",
        }
    ]


def test_portfolio_shows_everything_with_opaque_people(house, submitted):
    """What is shown and stored of people are opaque ids: no reference of anybody stands in the database."""
    found = house.ask("GET", f"portfolios/{submitted}", "practitioner", CANDIDATE)
    assert found.json["practitioner_id"] == house.person_id(CANDIDATE)
    assert found.json["evidence"][0]["author_id"] == house.person_id("90777")
    assert found.json["line_managers"] == [{"line_manager_id": house.person_id(MANAGER), "from_on": "2020-01-01"}]
    database = house.unit.database("brent")
    kept = repr([list(database[name].find({})) for name in database.list_collection_names()])
    assert not [reference for reference in (f"'{CANDIDATE}'", f"'{MANAGER}'", "'90777'") if reference in kept]


def test_submission_is_returned_naming_everything_missing_in_order(post, portfolio_id):
    """What is missing is named: domains in the framework's order, then kinds, then independence after its kind."""
    items = [piece("e1", "observation", author_ref=MANAGER, domains=["knowledge"])]
    post(f"portfolios/{portfolio_id}/evidence", {"items": items}, "practitioner", CANDIDATE)
    answer = post(f"portfolios/{portfolio_id}/submit", {"submitted_on": "2026-04-20"}, "practitioner", CANDIDATE)
    assert answer.json["outcome"] == "returned"
    assert answer.json["missing"] == [
        "domain:professionalism",
        "domain:values_and_ethics",
        "domain:diversity_and_equality",
        "domain:rights_justice_and_economic_wellbeing",
        "domain:critical_reflection_and_analysis",
        "domain:skills_and_interventions",
        "domain:contexts_and_organisations",
        "domain:professional_leadership",
        "observation",
        "observation_not_by_line_manager",
        "feedback_person",
        "feedback_professional",
        "testimonial",
        "work_product",
        "reflection",
    ]


def test_manager_of_the_day_decides_independence_when_managers_change(house, post, portfolio_id, enough):
    """An observation by somebody who became line manager on the day itself is not independent (BR-7)."""
    house.manage(CANDIDATE, "90777", date(2026, 1, 20))
    post(f"portfolios/{portfolio_id}/evidence", {"items": enough[:2]}, "practitioner", CANDIDATE)
    asked = {"portfolio": portfolio_id, "on": "2026-04-20"}
    missing = house.ask("GET", "readiness", "practitioner", CANDIDATE, query_string=asked).json["missing"]
    assert "observation" not in missing
    assert "observation_not_by_line_manager" not in missing  # e1 is now by a former manager
    asked = {"portfolio": portfolio_id, "on": "2026-01-19"}
    assert "observation" in house.ask("GET", "readiness", "practitioner", CANDIDATE, query_string=asked).json["missing"]


def test_withdrawn_consent_reopens_a_submitted_portfolio(post, submitted):
    """Once its independent observation is withdrawn, no decision is taken; what is missing is named (BR-6)."""
    path = f"portfolios/{submitted}"
    body = {"reason": "consent_withdrawn", "on": "2026-04-25"}
    assert post(f"{path}/evidence/e0/invalidate", body, "supervisor", MANAGER).status_code == 200
    refused = post(f"{path}/verify", {"verified_on": "2026-04-30"}, "supervisor", MANAGER)
    assert (refused.status_code, refused.json["type"]) == (422, "urn:problem:evidence-missing")
    assert {"observation", "observation_not_by_line_manager"} <= {fault["code"] for fault in refused.json["errors"]}
    again = post(f"{path}/submit", {"submitted_on": "2026-05-01"}, "practitioner", CANDIDATE)
    assert (again.json["attempt"], again.json["outcome"]) == (2, "returned")


def test_i11_candidate_cannot_verify_their_own_portfolio(post, submitted):
    """Whatever roles a candidate holds, their own portfolio is decided by others."""
    answer = post(f"portfolios/{submitted}/verify", {"verified_on": "2026-04-30"}, "supervisor", CANDIDATE)
    assert (answer.status_code, answer.json["type"]) == (403, "urn:problem:own-portfolio")


def test_i11_one_person_cannot_take_two_of_the_three_decisions(post, submitted):
    """The supervisor who verified may not recommend, nor confirm what another recommended."""
    path = f"portfolios/{submitted}"
    post(f"{path}/verify", {"verified_on": "2026-04-30"}, "supervisor", MANAGER)
    body = {"recommended_on": "2026-05-07", "outcome": "pass"}
    answer = post(f"{path}/recommend", body, "assessor", MANAGER)
    assert (answer.status_code, answer.json["type"]) == (403, "urn:problem:same-person-twice")
    assert post(f"{path}/recommend", body, "assessor", ASSESSOR).status_code == 200
    body = {"confirmed_on": "2026-05-18", "outcome": "pass"}
    assert post(f"{path}/confirm", body, "moderator", MANAGER).status_code == 403
    assert post(f"{path}/confirm", body, "moderator", ASSESSOR).status_code == 403
    assert post(f"{path}/confirm", body, "moderator", MODERATOR).status_code == 200


def test_h14_step_dated_before_what_it_follows_or_out_of_order_is_refused(post, submitted):
    """Nothing is recommended before it is verified, and nothing dated before what it follows."""
    path = f"portfolios/{submitted}"
    body = {"recommended_on": "2026-05-07", "outcome": "pass"}
    assert post(f"{path}/recommend", body, "assessor", ASSESSOR).status_code == 409
    early = post(f"{path}/verify", {"verified_on": "2026-04-19"}, "supervisor", MANAGER)
    assert (early.status_code, early.json["type"]) == (422, "urn:problem:date-out-of-order")


def test_i7_another_employer_sees_nothing_of_a_portfolio(house, submitted):
    """Every door, at Brent's address and at one's own, answers to the byte as for what exists nowhere."""
    before = house.events()
    absent = house.ask("GET", f"portfolios/{new_identifier()}", "supervisor", MANAGER).data
    path = f"portfolios/{submitted}"
    doors = [
        ("GET", path, "supervisor", None),
        ("POST", f"{path}/evidence", "supervisor", {"items": [piece("e99", "testimonial")]}),
        ("POST", f"{path}/evidence/e0/invalidate", "supervisor", {"reason": "consent_withdrawn", "on": "2026-04-25"}),
        ("POST", f"{path}/submit", "practitioner", {"submitted_on": "2026-04-25"}),
        ("POST", f"{path}/verify", "supervisor", {"verified_on": "2026-04-30"}),
        ("POST", f"{path}/recommend", "assessor", {"recommended_on": "2026-05-07", "outcome": "pass"}),
        ("POST", f"{path}/confirm", "moderator", {"confirmed_on": "2026-05-18", "outcome": "pass"}),
        ("GET", f"readiness?portfolio={submitted}", "supervisor", None),
    ]
    for method, where, role, body in doors:
        for at in ("brent", "ealing"):
            answer = house.ask(method, where, role, CANDIDATE, org="ealing", at=at, json=body)
            assert (where, at, answer.status_code, answer.data) == (where, at, 404, absent)
    assert house.ask("GET", "portfolios", "supervisor", MANAGER, org="ealing").status_code == 404
    assert house.ask("GET", "portfolios", "supervisor", "1", org="ealing", at="ealing").json["items"] == []
    assert house.events() == before


def test_i7_a_cursor_of_another_employer_is_no_cursor(house, portfolio_id):
    """Brent's cursor opens nothing at Ealing's list."""
    assert portfolio_id
    house.enrol("10002")
    cursor = house.ask("GET", "portfolios?limit=1", "supervisor", MANAGER).json["next"]
    answer = house.ask("GET", f"portfolios?after={cursor}", "supervisor", "1", org="ealing", at="ealing")
    assert (answer.status_code, answer.json["type"]) == (400, "urn:problem:forged-cursor")


@pytest.mark.parametrize("role", ["hr", "tutor", "registrar", "board", "auditor", "programme_lead", "operator"])
def test_i8_nobody_but_its_people_changes_an_assessment(house, post, submitted, role):
    """Every step of a portfolio is refused to every role that is not of it, and nothing is told."""
    before = house.events()
    path = f"portfolios/{submitted}"
    steps = {
        f"{path}/evidence": {"items": [piece("e99", "testimonial")]},
        f"{path}/evidence/e0/invalidate": {"reason": "consent_withdrawn", "on": "2026-04-25"},
        f"{path}/submit": {"submitted_on": "2026-04-25"},
        f"{path}/verify": {"verified_on": "2026-04-30"},
        f"{path}/recommend": {"recommended_on": "2026-05-07", "outcome": "pass"},
        f"{path}/confirm": {"confirmed_on": "2026-05-18", "outcome": "pass"},
        f"{path}/self-assessments": {"items": []},
    }
    claim = {"X-Role": "moderator", "X-Organisation": "brent"}
    for where, body in steps.items():
        assert (where, post(where, body, role, "somebody", headers=claim).status_code) == (where, 403)
    assert house.events() == before


def test_i8_hr_and_colleagues_do_not_change_an_assessment(post, house, submitted):
    """HR cannot edit, submit or decide; another practitioner can neither read nor add; nobody takes a role by body."""
    path = f"portfolios/{submitted}"
    extra = {"items": [piece("e99", "testimonial")]}
    assert post(f"{path}/evidence", extra, "hr", "hr-1").status_code == 403
    assert post(f"{path}/verify", {"verified_on": "2026-04-30"}, "hr", "hr-1").status_code == 403
    assert post(f"{path}/evidence", extra, "practitioner", "10002").status_code == 403
    assert house.ask("GET", path, "practitioner", "10002").status_code == 403
    assert post(f"{path}/verify", {"verified_on": "2026-04-30", "role": "supervisor"}, "hr", "hr-1").status_code == 403


def test_batch_of_evidence_is_taken_whole_or_not_at_all(house, post, portfolio_id):
    """A bad piece keeps out its whole batch, and says which and where."""
    items = [piece("e1", "testimonial"), piece("e2", "testimonial", domains=["knowledge", "telepathy"])]
    answer = post(f"portfolios/{portfolio_id}/evidence", {"items": items}, "practitioner", CANDIDATE)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/items/1/domains/1")
    assert house.ask("GET", f"portfolios/{portfolio_id}", "practitioner", CANDIDATE).json["evidence"] == []
    twice = [piece("e1", "testimonial"), piece("e1", "testimonial")]
    answer = post(f"portfolios/{portfolio_id}/evidence", {"items": twice}, "practitioner", CANDIDATE)
    assert (answer.status_code, answer.json["type"]) == (409, "urn:problem:evidence-ref-taken")


def test_h16_same_post_twice_adds_evidence_once(house, post, portfolio_id):
    """The same key and body give the same reply and one effect."""
    key = {"Idempotency-Key": new_identifier()}
    body = {"items": [piece("e1", "testimonial")]}
    answers = [
        post(f"portfolios/{portfolio_id}/evidence", body, "practitioner", CANDIDATE, headers=key) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert sum(name == "assessment.evidence-added.v1" for name, _, _ in house.events()) == 1


def test_if_match_is_honoured_when_sent(house, post, submitted):
    """A step that names an older state than the present one is refused; the present one passes."""
    read = house.ask("GET", f"portfolios/{submitted}", "supervisor", MANAGER)
    stale = {"If-Match": '"0"'}
    body = {"verified_on": "2026-04-30"}
    assert post(f"portfolios/{submitted}/verify", body, "supervisor", MANAGER, headers=stale).status_code == 412
    present = {"If-Match": read.headers["ETag"]}
    assert post(f"portfolios/{submitted}/verify", body, "supervisor", MANAGER, headers=present).status_code == 200


def test_list_finds_a_practitioners_portfolio_by_reference(house, portfolio_id):
    """A reference finds the person's portfolios; a practitioner lists only their own."""
    asked = {"practitioner_ref": CANDIDATE, "course": "SAR", "intake": "2025-09"}
    found = house.ask("GET", "portfolios", "supervisor", MANAGER, query_string=asked)
    assert [item["portfolio_id"] for item in found.json["items"]] == [portfolio_id]
    house.enrol("10002")
    assert len(house.ask("GET", "portfolios", "supervisor", MANAGER).json["items"]) == 2
    assert len(house.ask("GET", "portfolios", "practitioner", CANDIDATE).json["items"]) == 1
    assert house.ask("GET", "portfolios", "practitioner", "10002", query_string=asked).status_code == 403
    page = house.ask("GET", "portfolios", "supervisor", MANAGER, query_string={"limit": "1"}).json
    rest = house.ask(
        "GET", "portfolios", "supervisor", MANAGER, query_string={"limit": "1", "after": page["next"]}
    ).json
    assert (page["items"][0]["portfolio_id"], rest["next"]) == (portfolio_id, None)


def test_self_assessment_takes_every_domain_once_per_wave(house, post, portfolio_id):
    """Ratings cover the framework from 1 to 5; a wave is taken once; the event links to nobody."""
    domains = house.ports.rulebook.rules("cpd-portfolio").domains
    ratings = dict.fromkeys(domains, 3)
    path = f"portfolios/{portfolio_id}/self-assessments"

    def answer(wave, said):
        body = {"items": [{"wave": wave, "held_on": "2025-09-08", "ratings": said}]}
        return post(path, body, "practitioner", CANDIDATE)

    assert answer("T0", {**ratings, "knowledge": 6}).status_code == 422
    assert answer("T0", dict.fromkeys(domains[1:], 3)).json["errors"][0]["pointer"] == (
        "/items/0/ratings/professionalism"
    )
    assert answer("T0", ratings).status_code == 201
    assert answer("T0", ratings).status_code == 409
    assert answer("T1", ratings).status_code == 201
    told = [event for event in house.events() if event[0] == "assessment.self-assessment-recorded.v1"]
    assert len({key for _, key, _ in told}) == 1
    assert not [
        data for _, _, data in told if portfolio_id.encode() in data or house.person_id(CANDIDATE).encode() in data
    ]
