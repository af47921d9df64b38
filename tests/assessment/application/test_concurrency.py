"""Several people at once: each rule holds as if they had come one after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

CANDIDATE, MANAGER = "10001", "90001"


def piece(ref):
    """Return a testimonial as it is handed in."""
    return {
        "ref": ref,
        "kind": "testimonial",
        "author_role": "carer",
        "author_ref": None,
        "made_on": "2026-01-20",
        "domains": ["knowledge"],
        "level": "SW",
    }


def test_pieces_added_at_once_are_all_kept_and_one_reference_once(house, post, portfolio_id):
    """Four visits with different pieces all count; of two with the same reference one is refused."""
    path = f"portfolios/{portfolio_id}/evidence"
    refs = ["a", "b", "c", "a"]
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda ref: post(path, {"items": [piece(ref)]}, "practitioner", CANDIDATE), refs))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 409]
    found = house.ask("GET", f"portfolios/{portfolio_id}", "practitioner", CANDIDATE).json
    assert sorted(one["ref"] for one in found["evidence"]) == ["a", "b", "c"]
    told = [name for name, _, _ in house.events() if name == "assessment.evidence-added.v1"]
    assert len(told) == 3


def test_h16_one_key_in_parallel_has_one_effect(house, post, portfolio_id):
    """The same request several times at once is carried out once and answered alike."""
    body = {
        "practitioner_ref": CANDIDATE,
        "items": [{"held_on": "2025-10-01", "minutes": 90, "uninterrupted": True, "pcf_discussed": True}],
    }
    key = {"Idempotency-Key": f"once-{portfolio_id}"}
    with ThreadPoolExecutor(2) as both:
        answers = list(
            both.map(lambda _: post("supervision-sessions", body, "supervisor", MANAGER, headers=key), range(4))
        )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.get_data() for answer in answers if answer.status_code == 201}) == 1
    assert sum(name == "assessment.supervision-held.v1" for name, _, _ in house.events()) == 1
