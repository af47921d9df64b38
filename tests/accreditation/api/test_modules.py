"""Shell modules and instances over HTTP: who may define, propose and decide."""

from __future__ import annotations

import pytest

MODULE = {"title": "Reflection on practice", "credits": 30, "level": 7, "pass_mark": 50, "words": 3500}
PROPOSAL = {"module": "M7", "course": "SAR", "intake": "2025-09", "course_owner": "brent", "delivered_by": ["brent"]}


def test_module_is_made_read_and_changed_only_by_who_saw_it(university):
    """Made without a precondition, the same again changes nothing, another definition needs If-Match."""
    registrar = university.registrar()
    made = registrar.put("shell-modules/M7", MODULE)
    assert (made.status_code, made.get_json()) == (201, {"code": "M7", **MODULE})
    assert registrar.put("shell-modules/M7", MODULE).status_code == 200
    assert registrar.put("shell-modules/M7", {**MODULE, "title": "Another"}).status_code == 428
    assert registrar.put("shell-modules/M7", {**MODULE, "title": "Another"}, etag='"9"').status_code == 412
    changed = registrar.put("shell-modules/M7", {**MODULE, "title": "Another"}, etag=made.headers["ETag"])
    assert changed.status_code == 200
    assert registrar.get("shell-modules").get_json()["items"] == [{"code": "M7", **MODULE, "title": "Another"}]
    assert university.tutor().get("shell-modules/M7").headers["ETag"] == changed.headers["ETag"]
    assert registrar.get("shell-modules/M8").status_code == 404


@pytest.mark.parametrize("credits_", [0, -5, 0.1, 1e30, 10_000, "30", True, None])
def test_h20_credits_that_no_module_has_are_refused(university, credits_):
    """Credits 0, -5, 0.1, 1e30 and 10,000 are refused, and nothing is kept."""
    assert university.registrar().put("shell-modules/M7", {**MODULE, "credits": credits_}).status_code == 422
    assert university.registrar().get("shell-modules").get_json()["items"] == []


def test_module_keeps_credits_once_a_run_is_proposed(university):
    """What a run promises stays."""
    university.opened(approved=False)
    etag = university.registrar().get("shell-modules/M7").headers["ETag"]
    refused = university.registrar().put("shell-modules/M7", {**MODULE, "credits": 20}, etag=etag)
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:module-in-use")


def test_module_code_is_a_code(university):
    """A code that no event could carry is refused."""
    assert university.registrar().put("shell-modules/a%20b", MODULE).status_code == 422


def test_instance_is_proposed_by_a_partner_and_approved_by_the_university(university):
    """The proposer is the token's organisation; events tell of both steps."""
    instance_id = university.opened()
    seen = university.as_("brent", "programme_lead").get(f"module-instances/{instance_id}").get_json()
    assert (seen["proposed_by"], seen["state"], seen["approved_on"], seen["credits"]) == (
        "brent",
        "approved",
        "2025-06-16",
        30,
    )
    facts = {**PROPOSAL, "instance_id": instance_id, "proposed_by": "brent", "credits": 30, "level": 7}
    assert university.events() == [
        ("accreditation.module-proposed.v1", facts),
        ("accreditation.module-approved.v1", {**facts, "approved_on": "2025-06-16"}),
    ]


def test_instance_proposed_again_is_the_same_instance(university):
    """A second key for the same proposal makes no second instance; another partner's proposal is refused."""
    instance_id = university.opened()
    again = university.as_("brent", "programme_lead").post("module-instances", PROPOSAL)
    assert (again.status_code, again.get_json()["instance_id"]) == (201, instance_id)
    other = university.registrar().post("module-instances", PROPOSAL)
    assert (other.status_code, other.get_json()["type"]) == (409, "urn:problem:instance-already-proposed")


def test_instance_of_an_unknown_module_is_refused(university):
    """There is nothing to run."""
    assert university.as_("brent", "programme_lead").post("module-instances", PROPOSAL).status_code == 404


def test_instance_is_refused_when_the_proposer_does_not_deliver(university):
    """An employer that delivers nothing proposes nothing. Source: BR-14."""
    university.registrar().put("shell-modules/M7", MODULE)
    refused = university.as_("ealing", "programme_lead").post("module-instances", PROPOSAL)
    assert (refused.status_code, refused.get_json()["type"]) == (403, "urn:problem:not-a-delivering-partner")
    stranger = {**PROPOSAL, "delivered_by": ["stranger"]}
    assert university.as_("brent", "programme_lead").post("module-instances", stranger).status_code == 422


@pytest.mark.parametrize("role", ["programme_lead", "registrar", "hr", "operator"])
@pytest.mark.parametrize("step", ["approve", "refuse"])
def test_delivering_partner_cannot_decide(university, role, step):
    """Only the awarding university approves or refuses, whatever role the partner's token claims. Source: BR-15."""
    instance_id = university.opened(approved=False)
    body = {"approved_on": "2025-06-16"} if step == "approve" else {}
    assert university.as_("brent", role).post(f"module-instances/{instance_id}/{step}", body).status_code in (403, 404)
    assert (
        university.as_("riverside", "registrar").post(f"module-instances/{instance_id}/{step}", body).status_code == 404
    )
    assert university.registrar().get(f"module-instances/{instance_id}").get_json()["state"] == "proposed"


def test_partner_sees_only_what_it_proposed_or_delivers(university):
    """Another partner's instance looks like none."""
    instance_id = university.opened()
    stranger = university.as_("ealing", "programme_lead")
    assert stranger.get("module-instances").get_json()["items"] == []
    assert stranger.get(f"module-instances/{instance_id}").status_code == 404
    mine = university.as_("brent", "programme_lead").get("module-instances").get_json()["items"]
    assert [item["instance_id"] for item in mine] == [instance_id]


def test_instance_is_decided_once(university):
    """The same approval again is the same, another is a conflict; what was refused may be proposed again."""
    instance_id = university.opened()
    assert university.approve(instance_id).status_code == 200
    registrar = university.registrar()
    other_day = registrar.post(f"module-instances/{instance_id}/approve", {"approved_on": "2025-07-01"})
    assert other_day.status_code == 409
    assert registrar.post(f"module-instances/{instance_id}/refuse").status_code == 409
    second = {**PROPOSAL, "intake": "2026-01"}
    lead = university.as_("brent", "programme_lead")
    refused_id = lead.post("module-instances", second).get_json()["instance_id"]
    assert registrar.post(f"module-instances/{refused_id}/refuse").get_json()["state"] == "refused"
    assert registrar.post(f"module-instances/{refused_id}/refuse").status_code == 200
    assert lead.post("module-instances", second).get_json()["instance_id"] != refused_id
