"""Boards, credit and the registry's feed over HTTP, on the real database, also when things happen at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from services.accreditation.bootstrap import open_books
from tests.accreditation.conftest import HEI


def _ready(university, number="SW1001", employer="ealing", mark=60):
    enrolment_id, registration_id = university.registered(number, employer)
    university.agreed(registration_id, mark)
    return enrolment_id, registration_id


def _credit_events(university):
    return [data for kind, data in university.events() if kind == "accreditation.credit-awarded.v1"]


def test_credit_follows_ratification_once_when_practice_was_confirmed(university):
    """Exactly the module's credits, dated by the last fact; ratifying twice answers the same and adds nothing."""
    instance_id = university.opened()
    enrolment_id, registration_id = _ready(university)
    university.practised(enrolment_id)
    board_id = university.convened(instance_id)
    first, second = university.ratify(board_id), university.ratify(board_id)
    assert (first.status_code, first.get_json()) == (200, second.get_json())
    assert (first.get_json()["state"], first.get_json()["ratified_marks"]) == ("ratified", 1)
    (credit,) = university.credits()
    expected = {"credits": 30, "level": 7, "module": "M7", "awarded_on": "2026-07-08", "sequence": 1}
    assert {name: credit[name] for name in expected} == expected
    (told,) = _credit_events(university)
    assert (told["enrolment_id"], told["registration_id"]) == (enrolment_id, registration_id)
    assert university.registration(enrolment_id)["credit_id"] == credit["credit_id"] == told["credit_id"]


def test_p14_credit_that_the_feed_tells_of_and_a_backup_does_not_is_entered_again_and_never_awarded_twice(university):
    """The board ratifies a second time on the restored database: the same credit, under its own id, told once."""
    instance_id = university.opened()
    enrolment_id, _ = _ready(university)
    university.practised(enrolment_id)
    told_id = "01981f3e-6d2a-7c11-8f00-5a2b3c4d5e05"
    facts = {"credit_id": told_id, "enrolment_id": enrolment_id, "module": "M7", "credits": 30}
    told = {"_id": "e-1", "feed": "org", "number": 9, "type": "accreditation.credit-awarded.v1", "key": told_id}
    university.unit.database(HEI)["brought_back"].insert_one({**told, "facts": facts})
    assert university.ratify(university.convened(instance_id)).status_code == 200
    (credit,) = university.credits()
    assert credit["credit_id"] == university.registration(enrolment_id)["credit_id"] == told_id
    assert _credit_events(university) == []


def test_credit_follows_practice_when_the_board_was_first(university):
    """The last fact decides, whichever it is; a practice fail gives none."""
    instance_id = university.opened()
    enrolment_id, _ = _ready(university)
    failed_id, _ = _ready(university, "SW1002")
    university.ratify(university.convened(instance_id))
    assert university.credits() == []
    university.practised(failed_id, "fail")
    assert university.credits() == []
    university.practised(enrolment_id)
    university.practised(enrolment_id)
    assert [credit["enrolment_id"] for credit in university.credits()] == [enrolment_id]
    assert len(_credit_events(university)) == 1


def test_credit_follows_approval_when_it_was_last(university):
    """A board may sit on a run that is still proposed; credit waits for the approval."""
    instance_id = university.opened(approved=False)
    enrolment_id, _ = _ready(university)
    university.practised(enrolment_id)
    university.ratify(university.convened(instance_id))
    assert university.credits() == []
    university.approve(instance_id)
    assert [credit["enrolment_id"] for credit in university.credits()] == [enrolment_id]


def test_h20_withdrawn_candidate_is_never_awarded(university):
    """Withdrawal before the last fact: no award, and none ever after."""
    instance_id = university.opened()
    enrolment_id, _ = _ready(university)
    university.practised(enrolment_id)
    university.withdrawn(enrolment_id)
    university.ratify(university.convened(instance_id))
    university.practised(enrolment_id)
    assert university.credits() == []


def test_h20_second_award_for_the_same_module_and_person_is_refused(university):
    """Two employers, one registration number in two spellings: one person, one award, a recorded refusal."""
    instance_id = university.opened()
    first, _ = _ready(university, "SW1001", "ealing")
    second, _ = _ready(university, " sw0001001 ", "hillingdon")
    university.practised(first, employer="ealing")
    university.practised(second, employer="hillingdon")
    university.ratify(university.convened(instance_id))
    (credit,) = university.credits()
    assert (credit["employer"], len(_credit_events(university))) == ("ealing", 1)
    assert university.registration(second)["credited_before"] == credit["credit_id"]
    assert university.registration(first)["person_id"] == university.registration(second)["person_id"]


def test_mark_below_the_pass_mark_gives_no_credit(university):
    """49 of 50 is a fail."""
    instance_id = university.opened()
    enrolment_id, _ = _ready(university, mark=49)
    university.practised(enrolment_id)
    university.ratify(university.convened(instance_id))
    assert university.credits() == []
    assert university.registration(enrolment_id)["academic"] == "fail"


def test_two_ratifications_at_once_award_once(university):
    """Eight at the same moment, on one board: one decision, one credit, one event, the same answers."""
    instance_id = university.opened()
    enrolment_id, _ = _ready(university)
    university.practised(enrolment_id)
    board_id = university.convened(instance_id)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: university.ratify(board_id), range(8)))
    done = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert done
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert all(body == done[0] for body in done)
    assert university.ratify(board_id).get_json() == done[0]
    assert (len(university.credits()), len(_credit_events(university))) == (1, 1)


def test_two_boards_at_once_award_once(university):
    """Two boards over the same run at the same moment: each mark is frozen by one of them, each credit falls once."""
    instance_id = university.opened()
    people = [_ready(university, f"SW{2000 + number}")[0] for number in range(3)]
    for enrolment_id in people:
        university.practised(enrolment_id)
    boards = [university.convened(instance_id), university.convened(instance_id)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(university.ratify, boards))
    frozen = sum(university.ratify(board).get_json()["ratified_marks"] for board in boards)
    assert frozen == 3
    assert sorted(credit["enrolment_id"] for credit in university.credits()) == sorted(people)
    assert [credit["sequence"] for credit in university.credits()] == [1, 2, 3]


def test_h16_same_key_gives_the_same_reply(university):
    """A repeated request with its key is answered from memory; another body under it is refused."""
    instance_id = university.opened()
    registrar, body = university.registrar(), {"held_on": "2026-07-08", "instance_ids": [instance_id]}
    once, again = registrar.post("boards", body, key="k-1"), registrar.post("boards", body, key="k-1")
    assert once.get_json() == again.get_json()
    assert registrar.post("boards", {**body, "held_on": "2026-07-09"}, key="k-1").status_code == 422
    assert len(registrar.get("boards").get_json()["items"]) == 1


def test_i11_marker_may_not_ratify(university):
    """Whoever marked work before the board is refused, though a registrar; somebody else ratifies."""
    instance_id = university.opened()
    _ready(university)
    board_id = university.convened(instance_id)
    refused = university.ratify(board_id, subject="tutor-2")
    assert (refused.status_code, refused.get_json()["type"]) == (403, "urn:problem:marker-may-not-ratify")
    assert university.registrar().get(f"boards/{board_id}").get_json()["state"] == "convened"
    assert university.ratify(board_id).status_code == 200


def test_h14_board_of_a_day_to_come_awards_nothing(university):
    """A real instance refuses a decision dated in the future, and awards from that day on."""
    instance_id = university.opened()
    enrolment_id, _ = _ready(university)
    university.practised(enrolment_id)
    service = university.app.extensions["service"]
    university.app.extensions["service"] = replace(service, is_production=True)
    early = university.registrar().post("boards", {"held_on": "2099-07-08", "instance_ids": [instance_id]})
    refused = university.ratify(early.get_json()["board_id"])
    assert (refused.status_code, refused.get_json()["type"]) == (422, "urn:problem:board-not-held")
    assert university.credits() == []
    held = university.registrar().post("boards", {"held_on": "2025-07-08", "instance_ids": [instance_id]})
    assert university.ratify(held.get_json()["board_id"]).status_code == 200
    assert len(university.credits()) == 1


@pytest.mark.parametrize("day", ["0001-01-01", "2026-02-30", "2026-07-08T10:00:00", "2101-01-01", 46054, None, ""])
def test_h14_day_that_is_none_makes_no_board(university, day):
    """A board sits on a real day."""
    instance_id = university.opened()
    body = {"held_on": day, "instance_ids": [instance_id]}
    assert university.registrar().post("boards", body).status_code == 422
    assert university.registrar().get("boards").get_json()["items"] == []


def test_only_the_awarding_university_ratifies_and_nobody_awards(university):
    """Partners and other universities are refused, and there is no route that awards."""
    instance_id = university.opened()
    board_id = university.convened(instance_id)
    for organisation, role in (("brent", "programme_lead"), ("brent", "registrar"), ("riverside", "registrar")):
        assert university.as_(organisation, role).post(f"boards/{board_id}/ratify").status_code in (403, 404)
    assert university.tutor().post(f"boards/{board_id}/ratify").status_code == 403
    for caller in (university.registrar(), university.as_("brent", "registrar")):
        assert caller.post("credits", {"module": "M7", "credits": 30}).status_code in (403, 404, 405)
    elsewhere = university.as_("riverside", "registrar", hei="riverside")
    assert elsewhere.post(f"boards/{board_id}/ratify").status_code == 404


def test_marks_after_ratification_stay_frozen(university):
    """After the board no mark is added; corrections are a new decision."""
    instance_id = university.opened()
    _, registration_id = _ready(university)
    university.ratify(university.convened(instance_id))
    late = university.tutor("t-9").post(f"registrations/{registration_id}/marks", {"kind": "second", "mark": 99})
    assert (late.status_code, late.get_json()["type"]) == (409, "urn:problem:mark-ratified")


def test_board_needs_known_instances(university):
    """An unknown, refused or missing instance makes no board; nor does a day that is none."""
    registrar = university.registrar()
    unknown = {"held_on": "2026-07-08", "instance_ids": ["01981f3e-6d2a-7c11-8f00-5a2b3c4d5e01"]}
    assert registrar.post("boards", unknown).status_code == 404
    assert registrar.post("boards", {"held_on": "2026-07-08", "instance_ids": []}).status_code == 422
    assert registrar.post("boards", {**unknown, "held_on": "2026-02-30"}).status_code == 422


def test_registry_feed_is_ordered_replayable_and_names_the_universitys_own_persons(university):
    """By cursor, the same from the start again, with the person register's names; for the registrar only."""
    instance_id = university.opened()
    people = [_ready(university, f"SW{3000 + number}")[0] for number in range(3)]
    university.ratify(university.convened(instance_id))
    for enrolment_id in reversed(people):
        university.practised(enrolment_id)
    registrar = university.registrar()
    whole = registrar.get("registry-feed").get_json()["items"]
    assert [item["enrolment_id"] for item in whole] == list(reversed(people))
    assert [item["registration_number"] for item in whole] == ["SW3002", "SW3001", "SW3000"]
    assert (whole[0]["given_name"], whole[0]["family_name"], whole[0]["credits"]) == ("Ada", "Lovelace", 30)
    page = registrar.get("registry-feed", limit=2).get_json()
    rest = registrar.get("registry-feed", after=page["next"]).get_json()
    assert page["items"] + rest["items"] == whole
    assert rest["next"] is None
    for other in (university.tutor(), university.as_("goldsmiths", "auditor")):
        assert other.get("registry-feed").status_code == 403


def test_candidates_confirmed_while_the_run_is_approved_all_hear_of_it(university):
    """However the two cross, nobody is left on a run that looks unapproved."""
    instance_id = university.opened(approved=False)
    with ThreadPoolExecutor(4) as pool:
        enrolled = [pool.submit(university.confirmed) for _ in range(3)]
        approving = pool.submit(university.approve, instance_id)
        ids = [done.result() for done in enrolled]
        assert approving.result().status_code == 200
    books = open_books(university.unit.reading("goldsmiths"))
    placed = [books.candidacies.find("ealing", enrolment_id).terms for enrolment_id in ids]
    assert [str(terms.approved_on) for terms in placed] == ["2025-06-16"] * 3
