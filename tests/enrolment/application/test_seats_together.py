"""Seats on the real database when several transactions decide about one cohort at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from services.enrolment.application import facts, seat_reactions
from shared.errors import ConcurrentChange
from shared.events.envelope import Received
from shared.identifiers import new_identifier


def _request(employer: str) -> Received[facts.Requested]:
    enrolment_id = new_identifier()
    return Received(
        id=new_identifier(),
        type="enrolment.requested.v1",
        key=enrolment_id,
        organisation=employer,
        service="enrolment",
        topic=f"org.{employer}.enrolment.v1",
        number=1,
        time=datetime(2025, 9, 1, tzinfo=UTC),
        correlation_id=new_identifier(),
        data=facts.Requested(enrolment_id, "brent", "SAR", "2025-09"),
    )


def test_capacity_holds_when_two_employers_ask_at_the_same_time(house):
    """Sixteen requests of two employers for five seats: five seats, eleven in the queue, every number once."""
    house.open_course(capacity=5)

    def ask(request):
        for _ in range(40):
            try:
                house.unit.run("brent", lambda work: seat_reactions.when_requested(house.opener.desk(work), request))
            except ConcurrentChange:
                continue
            return
        raise AssertionError("a request was never decided")

    requests = [_request(employer) for employer in ("ealing", "harrow") * 8]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ask, [*requests, *requests]))
    cohort = house.good("GET", "courses/SAR/cohorts/2025-09", "programme_lead")
    assert (len(cohort["seats"]), len(cohort["waiting"])) == (5, 11)
    numbers = [place["number"] for place in cohort["seats"] + cohort["waiting"]]
    assert numbers == list(range(1, 17))
