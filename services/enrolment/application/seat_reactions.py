"""What enrolment does, as a cohort's owner, with what employers tell it.

A rule that says no is an answer here, never an exception.
"""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application import facts
from services.enrolment.application.cohort_handlers import promote
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events, seats
from services.enrolment.domain.cohorts import Place
from shared.errors import Forbidden
from shared.events.envelope import Received


def when_requested(desk: Desk, event: Received[facts.Requested]) -> None:
    """Answer a request for a place, as the cohort's owner; a request is answered once."""
    asked = event.data
    known = desk.places.find(asked.enrolment_id)
    if known is not None:
        if known.employer != event.organisation:
            raise Forbidden("an employer asked under another's enrolment")
        return
    kept = desk.cohorts.find(asked.course, asked.intake)
    if kept is None:
        answer = seats.Answer(seats.DECLINED, number=0, reason=seats.UNKNOWN_COHORT)
    else:
        cohort, answer = seats.ask(kept.cohort)
        if cohort != kept.cohort:
            desk.cohorts.save(replace(kept, cohort=cohort))
    place = Place(
        enrolment_id=asked.enrolment_id,
        request_id=event.id,
        employer=event.organisation,
        course=asked.course,
        intake=asked.intake,
        number=answer.number,
        state=answer.state,
    )
    desk.places.add(place)
    desk.tell(_told(place, answer), place.version)


def _told(place: Place, answer: seats.Answer) -> events.SeatConfirmed | events.WaitListed | events.SeatDeclined:
    kinds: dict[str, type[events.SeatConfirmed] | type[events.WaitListed] | type[events.SeatDeclined]] = {
        seats.SEAT: events.SeatConfirmed,
        seats.WAITING: events.WaitListed,
        seats.DECLINED: events.SeatDeclined,
    }
    return kinds[answer.state](
        enrolment_id=place.enrolment_id,
        request_id=place.request_id,
        employer=place.employer,
        course=place.course,
        intake=place.intake,
        position=answer.position,
        reason=answer.reason,
    )


def when_withdrawn(desk: Desk, event: Received[facts.Withdrawn]) -> None:
    """Free the place, as the cohort's owner, and give a freed seat to the head of the queue."""
    place = desk.places.find(event.data.enrolment_id)
    if place is None:
        return
    if place.employer != event.organisation:
        raise Forbidden("an employer withdrew another's enrolment")
    if place.state not in (seats.SEAT, seats.WAITING):
        return
    kept = desk.cohorts.find(place.course, place.intake)
    if kept is None:
        return
    cohort, promotes = seats.leave(kept.cohort, place.state)
    desk.places.move(place, seats.LEFT)
    desk.cohorts.save(replace(kept, cohort=cohort))
    if promotes:
        promote(desk, desk.places.heads(place.course, place.intake, 1)[0], in_place_of=place.enrolment_id)
