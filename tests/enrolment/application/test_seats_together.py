"""Seats on the real database: several transactions about one cohort at once, feeds replayed and read out of order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest

from services.enrolment.application import cohort_handlers, facts, seat_reactions
from services.enrolment.application.queue_worker import QueueWorker
from services.enrolment.domain import seats
from services.enrolment.domain.cohorts import Place
from services.enrolment.messaging.consumed import subscriptions
from services.enrolment.storage import indexes
from services.enrolment.storage.cohort_repositories import StoredPlaces
from shared.errors import ConcurrentChange, Forbidden
from shared.events.envelope import Received
from shared.identifiers import new_identifier
from shared.testing.feeds import a_received
from tests.enrolment.conftest import COHORT

ROWS = {row.type: row for row in subscriptions(None)}
PLACE_EVENTS = (
    "enrolment.seat-confirmed.v1",
    "enrolment.wait-listed.v1",
    "enrolment.seat-declined.v1",
    "enrolment.seat-promoted.v1",
)


def _event(employer: str, name: str, enrolment_id: str) -> Received:
    data = {"enrolment_id": enrolment_id, "cohort_owner": "brent", "course": "SAR", "intake": "2025-09"}
    return a_received(ROWS[f"enrolment.{name}.v1"], data, owner=employer, key=enrolment_id)


def _request(employer: str) -> Received[facts.Requested]:
    return _event(employer, "requested", new_identifier())


def _withdrawal(request: Received[facts.Requested]) -> Received[facts.Withdrawn]:
    return _event(request.organisation, "withdrawn", request.data.enrolment_id)


def _react(house, event) -> None:
    """Let the owner read one event, again and again where others were first."""
    reaction = seat_reactions.when_requested if "requested" in event.type else seat_reactions.when_withdrawn
    for _ in range(60):
        try:
            house.unit.run("brent", lambda work: reaction(house.opener.desk(work), event))
        except ConcurrentChange:
            continue
        return
    raise AssertionError("an event was never decided")


def _react_together(house, events) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda event: _react(house, event), events))


def _cohort(house):
    return house.good("GET", COHORT, "programme_lead")


def _told(house):
    return [event for event in house.events("brent") if event["type"] in PLACE_EVENTS]


def _promoted(house):
    return [event["data"]["enrolment_id"] for event in _told(house) if event["type"] == "enrolment.seat-promoted.v1"]


def test_e8_capacity_holds_when_two_employers_ask_at_the_same_time(house):
    """Sixteen requests of two employers, each read twice, for five seats: five seats, eleven wait, one answer each."""
    house.open_course(capacity=5)
    requests = [_request(employer) for employer in ("ealing", "harrow") * 8]
    _react_together(house, [*requests, *requests])
    cohort = _cohort(house)
    assert (len(cohort["seats"]), len(cohort["waiting"])) == (5, 11)
    numbers = [place["number"] for place in cohort["seats"] + cohort["waiting"]]
    assert numbers == list(range(1, 17))
    assert len({event["data"]["enrolment_id"] for event in _told(house)}) == len(_told(house)) == 16


def test_e12_quotas_and_reserved_places_hold_under_concurrency_and_replay(house):
    """Requests and withdrawals of three employers at once, then everything again in another order: the same seats."""
    house.open_course(capacity=6)
    quotas = [{"employer": "ealing", "at_most": 2}, {"employer": "hounslow", "reserved": 1}]
    house.set_terms(capacity=6, quotas=quotas)
    requests = [_request(employer) for employer in ("ealing", "harrow") * 6]
    _react_together(house, requests)
    leaving = [_withdrawal(requests[at]) for at in (0, 1, 2, 3)]
    _react_together(house, [*leaving, *requests, *leaving])
    found = _cohort(house)
    by_employer = {share["employer"]: share["taken"] for share in found["shares"]}
    assert found["taken"] == len(found["seats"]) <= 5, "the reserved place is nobody else's"
    assert by_employer["ealing"] <= 2
    assert by_employer["ealing"] + by_employer["harrow"] == found["taken"] == 5
    assert len(set(_promoted(house))) == len(_promoted(house)), "nobody is promoted twice"
    before = len(house.events("brent"))
    _react_together(house, [*leaving[::-1], *requests[::-1]])
    assert len(house.events("brent")) == before, "an event that was read says nothing when it is read again"
    late = _request("hounslow")
    _react(house, late)
    assert late.data.enrolment_id in [place["enrolment_id"] for place in _cohort(house)["seats"]]


def test_e8_promotions_come_in_order_and_pass_over_full_quotas_only(house):
    """Two of Ealing wait before one of Harrow: Harrow's has the seat while Ealing is full, then Ealing's first."""
    house.open_course(capacity=3)
    house.set_terms(capacity=3, quotas=[{"employer": "ealing", "at_most": 1}])
    first, *queue = [_request(employer) for employer in ("ealing", "harrow", "harrow", "ealing", "ealing", "harrow")]
    for request in (first, *queue):
        _react(house, request)
    _react(house, _withdrawal(queue[0]))
    assert _promoted(house) == [queue[4].data.enrolment_id]
    _react(house, _withdrawal(first))
    assert _promoted(house)[1:] == [queue[2].data.enrolment_id]
    _react(house, _withdrawal(queue[3]))
    assert len(_promoted(house)) == 2, "who leaves the queue promotes nobody"


def test_e8_a_withdrawal_read_before_its_request_never_takes_a_seat(house):
    """Feeds of two topics may overtake each other: the request is declined once, and no place is lost."""
    house.open_course(capacity=1)
    request = _request("ealing")
    for event in (_withdrawal(request), request, request, _withdrawal(request)):
        _react(house, event)
    answers = [(event["type"], event["data"]["reason"]) for event in _told(house)]
    assert answers == [("enrolment.seat-declined.v1", "withdrawn")]
    assert _cohort(house)["seats"] == []


def test_p18_an_employer_cannot_ask_or_withdraw_under_anothers_enrolment(house):
    """The owner looks at whose feed it is."""
    house.open_course(capacity=1)
    request = _request("ealing")
    _react(house, request)
    for event in (request, _withdrawal(request)):
        with pytest.raises(Forbidden):
            _react(house, msgspec.structs.replace(event, organisation="harrow"))


def test_e8_a_long_queue_is_promoted_in_parts_and_never_read_as_a_whole(house, monkeypatch):
    """250 wait; many seats more: steps of at most a hundred, in order, reading one place for each promotion."""
    house.open_course(capacity=0)
    waiting = [
        Place(new_identifier(), new_identifier(), ("ealing", "harrow")[at % 2], "SAR", "2025-09", at + 1, seats.WAITING)
        for at in range(250)
    ]
    for start in range(0, len(waiting), 50):
        part = waiting[start : start + 50]
        house.unit.run("brent", lambda work, part=part: _queue(house.opener.desk(work), part))
    read = []
    first_waiting = StoredPlaces.first_waiting

    def counted(places, *asked):
        read.append(asked)
        return first_waiting(places, *asked)

    monkeypatch.setattr(StoredPlaces, "first_waiting", counted)
    found = house.set_terms(capacity=230)
    assert found["taken"] == cohort_handlers.MOST_AT_ONCE
    newcomer = _request("ealing")
    _react(house, newcomer)
    assert _cohort(house)["queued"] == 151, "a newcomer gets none of the free seats while somebody waits for them"
    worker = QueueWorker(house.unit, ["brent"], open_books=house.opener.books, open_desk=house.opener.desk)
    assert [worker.work_once(), worker.work_once()] == [True, False]
    assert _promoted(house) == [place.enrolment_id for place in waiting[:230]]
    assert len(read) <= 230 + 2 * 3, "one for each promotion, and each employer's head at the begin of a step"
    assert (_cohort(house)["taken"], _cohort(house)["queued"]) == (230, 21)
    largest = max(len(entry["events"]) for entry in house.unit.database("brent")["org_entries"].find({}))
    assert largest <= 2 * cohort_handlers.MOST_AT_ONCE + 2


def _queue(desk, places):
    kept = desk.cohorts.find("SAR", "2025-09")
    cohort = kept.cohort
    for place in places:
        cohort, _ = seats.ask(cohort, place.employer)
        desk.places.add(place)
    desk.cohorts.save(replace(kept, cohort=cohort))


def test_e8_the_head_of_the_queue_is_found_by_an_index(house):
    """The plans of both questions: an index that is in the order of arrival, and no sorting of what it finds."""
    indexes.prepare(house.unit.database("brent"))
    places = house.unit.database("brent")["places"]
    head = {"cohort": "SAR/2025-09", "state": seats.WAITING, "number": {"$gte": 1, "$lt": 33}}
    for wanted in (head, {**head, "employer": "ealing"}):
        plan = str(places.find(wanted).sort("number", 1).limit(1).explain()["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in plan
        assert "COLLSCAN" not in plan


def test_counts_that_were_kept_before_quotas_existed_are_counted_anew(house):
    """A cohort from an earlier version has no shares: its places say whose they are."""
    house.open_course(capacity=2)
    requests = [_request(employer) for employer in ("ealing", "harrow", "ealing")]
    for request in requests:
        _react(house, request)
    rows = house.unit.database("brent")["cohorts"]
    rows.update_one({"_id": "SAR/2025-09"}, {"$unset": {"cohort.shares": "", "cohort.terms": ""}})
    _react(house, _withdrawal(requests[0]))
    shares = {share["employer"]: (share["taken"], share["waiting"]) for share in _cohort(house)["shares"]}
    assert shares == {"ealing": (1, 0), "harrow": (1, 0)}
