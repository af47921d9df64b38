"""A person's place goes with them to another employer: both orders of the feeds, replay, refusal, lapse, quotas."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.enrolment.messaging.consumed import subscriptions
from tests.enrolment.api.test_lifecycle import act, decided, nominate, settle_settings, sweep, told
from tests.enrolment.conftest import COHORT, as_received

PERSON = {
    "given_name": "Aoife",
    "family_name": "O'Neill",
    "email": "aoife@ealing.example",
    "date_of_birth": "1982-07-07",
    "swe_number": "SW53380",
    "employment_start": "2025-11-03",
    "line_manager_ref": "E-9",
    "fte": "0.8",
}
TRANSFER = {"to_employer": "ealing", "transferred_on": "2025-11-01", "reason": "new_job"}


def give_over(house, enrolment_id: str, **changes) -> dict:
    """Return the old enrolment after it was given over and everybody heard of it."""
    gone = act(house, enrolment_id, "transfer", **(TRANSFER | changes))
    house.settle()
    return gone


def take_on(house, enrolment_id: str, org: str = "ealing", **changes) -> dict:
    """Return the new enrolment, before anybody heard of it."""
    body = {"employee_ref": "E-1", "person": PERSON} | changes
    return house.good("POST", f"incoming-transfers/{enrolment_id}/accept", org=org, json=body)


def statuses(house, *found: tuple[str, str]) -> list[str]:
    """Return the status of each (employer, enrolment)."""
    return [house.good("GET", f"enrolments/{which}", org=org)["status"] for org, which in found]


def places(house) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
    """Return seats and queue of the cohort as (employer, enrolment, number)."""
    cohort = house.good("GET", COHORT, "programme_lead")
    return tuple(
        [(place["employer"], place["enrolment_id"], place["number"]) for place in cohort[kind]]
        for kind in ("seats", "waiting")
    )


def hear(house, taker: str, of: str, names: Sequence[str]) -> None:
    """Deliver to `taker` what `of` told under these names, in this order of names, whatever was delivered before."""
    table = {row.type: row for row in subscriptions(house.opener.desk)}
    for name in names:
        for number, event in enumerate(house.events(of), start=1):
            row = table.get(event["type"])
            if event["type"] != f"enrolment.{name}.v1" or row is None:
                continue
            received = as_received(row, event, of, number)
            if taker in row.concerns(received, house.partnership):
                house.unit.run(taker, lambda work, row=row, received=received: row.reaction(work, received))


def withdrawn_before_the_place_moved(house) -> tuple[str, str]:
    """Return old and new enrolment: the owner heard of accepting and withdrawing before it heard of the giving."""
    house.open_course(capacity=1)
    old = decided(house, org="harrow")
    give_over(house, old, org="harrow")
    house.unit.database("brent")["handovers"].delete_many({})
    new = take_on(house, old)["enrolment_id"]
    act(house, new, "withdraw", org="ealing", reason="workload", withdrawn_on="2025-11-10")
    hear(house, "brent", "ealing", ["transfer-accepted", "withdrawn"])
    hear(house, "brent", "harrow", ["transferred"])
    house.settle()
    return old, new


def test_a_transfer_carries_the_seat_and_never_frees_it(house):
    """The seat keeps its number; whoever waits goes on waiting; the old employer's rows stay there."""
    house.open_course(capacity=1)
    old = decided(house, org="harrow")
    waits = decided(house, org="hounslow")
    gone = house.good("POST", f"enrolments/{old}/transfer", org="harrow", json=TRANSFER)
    assert gone["transfer"] == {**TRANSFER, "accept_by": gone["transfer"]["accept_by"], "state": "in_progress"}
    house.settle()
    asked = house.good("GET", "incoming-transfers", org="ealing", query_string={"state": "open"})["items"]
    assert [(each["from_enrolment_id"], each["from_employer"], each["route"]) for each in asked] == [
        (old, "harrow", "practice_only")
    ]
    assert house.pages("incoming-transfers", org="hounslow") == []
    new = take_on(house, old)
    assert (new["status"], new["transferred_from"]) == ("requested", {"employer": "harrow", "enrolment_id": old})
    house.settle()
    assert statuses(house, ("harrow", old), ("ealing", new["enrolment_id"]), ("hounslow", waits)) == [
        "transferred",
        "confirmed",
        "waiting",
    ]
    assert places(house) == ([("ealing", new["enrolment_id"], 1)], [("hounslow", waits, 2)])
    assert house.good("GET", f"enrolments/{old}", org="harrow")["transfer"]["state"] == "moved"
    assert house.good("GET", "practitioners/E-1", org="ealing")["given_name"] == "Aoife"
    assert told(house, "seat-promoted") == []
    carried = str(house.events("harrow")) + str(house.events("brent"))
    assert "Aoife" not in carried
    assert "10001" not in carried


def test_a_place_in_the_queue_keeps_its_number_and_is_promoted_at_the_new_employer(house):
    """Waiting first of two, it is still first of two; the promotion reaches the new employer."""
    house.open_course(capacity=1)
    seated, old, last = [decided(house, org=org) for org in ("hounslow", "harrow", "hillingdon")]
    give_over(house, old, org="harrow")
    new = take_on(house, old)["enrolment_id"]
    house.settle()
    found = house.good("GET", f"enrolments/{new}", org="ealing")
    assert (found["status"], found["position"]) == ("waiting", 1)
    assert places(house)[1] == [("ealing", new, 2), ("hillingdon", last, 3)]
    act(house, seated, "withdraw", org="hounslow", reason="workload", withdrawn_on="2025-11-10")
    house.settle()
    assert statuses(house, ("ealing", new), ("hillingdon", last)) == ["confirmed", "waiting"]


@pytest.mark.parametrize("first", ["given", "taken"])
def test_both_orders_of_the_two_feeds_end_the_same(house, first):
    """Whether the owner hears of the giving or of the taking first: one seat, moved once, and told once."""
    house.open_course(capacity=1)
    old = decided(house, org="harrow")
    give_over(house, old, org="harrow")
    new = take_on(house, old)["enrolment_id"]
    if first == "taken":  # as after the loss of the owner's latest writes: it has not heard of the giving yet
        house.unit.database("brent")["handovers"].delete_many({})
        hear(house, "brent", "ealing", ["transfer-accepted"])
        assert places(house)[0] == [("harrow", old, 1)]
        hear(house, "brent", "harrow", ["transferred"])
    house.settle()
    assert places(house) == ([("ealing", new, 1)], [])
    assert statuses(house, ("ealing", new)) == ["confirmed"]
    assert len(told(house, "transfer-closed")) == 1
    assert [event["enrolment_id"] for event in told(house, "seat-confirmed")].count(new) == 1


def test_replay_of_every_feed_moves_nothing_twice(house):
    """All feeds from the beginning, twice: the same feeds, the same places."""
    house.open_course(capacity=1)
    old = decided(house)
    give_over(house, old)
    take_on(house, old)
    house.settle()
    before = ({org: house.events(org) for org in ("brent", "ealing")}, places(house))
    house.settle(again=True)
    house.settle(again=True)
    assert ({org: house.events(org) for org in ("brent", "ealing")}, places(house)) == before


def test_a_refused_transfer_gives_the_place_back(house):
    """Whoever waits is promoted; both employers see what became of it; it is answered once."""
    house.open_course(capacity=1)
    old = decided(house)
    waits = decided(house, org="harrow")
    give_over(house, old)
    refused = house.good("POST", f"incoming-transfers/{old}/refuse", org="ealing", json={})
    assert refused["state"] == "refused"
    house.settle()
    assert statuses(house, ("brent", old), ("harrow", waits)) == ["transferred", "confirmed"]
    assert house.good("GET", f"enrolments/{old}")["transfer"]["state"] == "refused"
    for answer in ("accept", "refuse"):
        body = {"employee_ref": "E-1", "person": PERSON} if answer == "accept" else {}
        assert house.ask("POST", f"incoming-transfers/{old}/{answer}", org="ealing", json=body).status_code == 409


def test_a_transfer_that_nobody_accepts_lapses(house):
    """Not on its last day and the two days that feeds may be late; then once, and whoever waits is promoted."""
    house.open_course(capacity=1)
    settle_settings(house, transfer_days=10)
    old = decided(house)
    waits = decided(house, org="harrow")
    give_over(house, old)
    assert sweep(house, 12) == 0
    assert sweep(house, 13) == 1
    assert sweep(house, 13) == 0
    house.settle()
    assert statuses(house, ("brent", old), ("harrow", waits)) == ["transferred", "confirmed"]
    assert house.good("GET", f"enrolments/{old}")["transfer"]["state"] == "lapsed"
    assert house.good("GET", f"incoming-transfers/{old}", org="ealing")["state"] == "lapsed"


def test_an_acceptance_that_comes_after_the_place_went_back_is_a_new_request(house):
    """Nobody loses the seat that was promoted in between; the newcomer waits at the end."""
    house.open_course(capacity=1)
    settle_settings(house, transfer_days=10)
    old = decided(house)
    waits = decided(house, org="harrow")
    give_over(house, old)
    new = take_on(house, old)["enrolment_id"]  # in time, and read by the owner only after the place went back
    sweep(house, 13)
    house.settle()
    assert statuses(house, ("harrow", waits), ("ealing", new)) == ["confirmed", "waiting"]
    assert places(house)[0] == [("harrow", waits, 2)]


def test_a_person_withdrawn_before_the_place_moved_gets_no_seat(house):
    """The owner hears of accepting and withdrawing before it hears of the giving: the place goes back."""
    _, new = withdrawn_before_the_place_moved(house)
    assert places(house) == ([], [])
    assert statuses(house, ("ealing", new)) == ["withdrawn"]


def test_nobody_takes_a_place_that_was_given_to_another(house):
    """Not to be seen, not to be answered, and an event that says so is parked."""
    house.open_course()
    old = decided(house)
    give_over(house, old)
    body = {"employee_ref": "E-1", "person": PERSON}
    assert house.ask("POST", f"incoming-transfers/{old}/accept", org="harrow", json=body).status_code == 404
    assert house.ask("GET", f"incoming-transfers/{old}", org="harrow").status_code == 404
    for wrong in ("brent", "goldsmiths", "nobody"):
        other = decided(house, employee_ref=f"2{wrong}")
        answer = house.ask("POST", f"enrolments/{other}/transfer", json=TRANSFER | {"to_employer": wrong})
        assert answer.status_code == 422


def test_who_is_taken_on_is_known_or_described_and_not_there_twice(house):
    """Unknown without details: refused; details are checked like a record; a second enrolment is refused."""
    house.open_course(capacity=5)
    old, other = nominate(house), nominate(house, employee_ref="10002")
    house.settle()
    give_over(house, old)
    give_over(house, other)
    path = f"incoming-transfers/{old}/accept"
    assert house.ask("POST", path, org="ealing", json={"employee_ref": "E-1"}).status_code == 422
    wrong = house.ask("POST", path, org="ealing", json={"employee_ref": "E-1", "person": PERSON | {"swe_number": "X"}})
    assert [fault["pointer"] for fault in wrong.json["errors"]] == ["/person/swe_number"]
    take_on(house, old)
    twice = house.ask("POST", f"incoming-transfers/{other}/accept", org="ealing", json={"employee_ref": "E-1"})
    assert twice.status_code == 409
    record = PERSON | {"employee_ref": "E-1", "pcf_level": "SW", "course": "SAR", "intake": "2025-09"}
    later = {**record, "route": "practice_only", "manager_approved_on": "2025-11-04"}
    again = house.ask("POST", "enrolments", org="ealing", json=later)
    assert [fault["code"] for fault in again.json["errors"]] == ["conflicting_duplicate"]


def test_a_full_quota_lets_the_place_wait_under_its_old_number(house):
    """The new employer has all the seats that it may have: the person waits first, and the seat goes on."""
    house.open_course(capacity=2)
    house.set_terms(capacity=2, quotas=[{"employer": "ealing", "at_most": 1, "reserved": 0}])
    house.settle()
    own, old = nominate(house, org="ealing"), nominate(house, org="harrow")
    house.settle()
    waits = decided(house, org="hounslow")
    give_over(house, old, org="harrow")
    new = take_on(house, old)["enrolment_id"]
    house.settle()
    assert statuses(house, ("ealing", own), ("ealing", new), ("hounslow", waits)) == [
        "confirmed",
        "waiting",
        "confirmed",
    ]
    act(house, own, "withdraw", org="ealing", reason="workload", withdrawn_on="2025-11-10")
    house.settle()
    assert statuses(house, ("ealing", new)) == ["confirmed"]
