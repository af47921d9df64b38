"""What enrolment does, as a cohort's owner, with what employers tell it.

A rule that says no is an answer here, never an exception.
"""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application import facts
from services.enrolment.application.cohort_handlers import give_up, tell_standing
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events, explanations, seats
from services.enrolment.domain.cohorts import Place
from services.enrolment.domain.explanations import Standing
from shared.errors import Forbidden
from shared.events.envelope import Received

NO_REQUEST = ""
"""Stands in a place whose withdrawal was read before its request."""
CONTRACT_REASONS = (seats.UNKNOWN_COHORT, seats.COHORT_CLOSED, seats.WITHDRAWN_FIRST)
"""Reasons that the released answer may name; another one stands in the explanation beside it."""


def when_requested(desk: Desk, event: Received[facts.Requested]) -> None:
    """Answer a request for a place, as the cohort's owner; a request is answered once."""
    asked = event.data
    known = desk.places.find(asked.enrolment_id)
    if known is not None and known.employer != event.organisation:
        raise Forbidden("an employer asked under another's enrolment")
    if known is not None:
        if known.request_id == NO_REQUEST:
            _decline_withdrawn(desk, known, event.id)
        return
    kept = desk.cohorts.find(asked.course, asked.intake)
    if kept is None:
        answer = seats.Answer(seats.DECLINED, number=0, reason=seats.UNKNOWN_COHORT)
        why = Standing(seats.DECLINED, event.organisation, reason=seats.UNKNOWN_COHORT)
    else:
        cohort, answer = seats.ask(kept.cohort, event.organisation)
        if cohort != kept.cohort:
            desk.cohorts.save(replace(kept, cohort=cohort))
        rank = cohort.taken if answer.state == seats.SEAT else answer.position
        why = explanations.standing(cohort, event.organisation, answer.state, rank, answer.reason)
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
    tell_standing(desk, place, why)


def _decline_withdrawn(desk: Desk, known: Place, request_id: str) -> None:
    place = desk.places.save(replace(known, request_id=request_id))
    answer = seats.Answer(seats.DECLINED, number=0, reason=seats.WITHDRAWN_FIRST)
    desk.tell(_told(place, answer), place.version)
    tell_standing(desk, place, Standing(seats.DECLINED, place.employer, reason=seats.WITHDRAWN_FIRST))


def _told(place: Place, answer: seats.Answer) -> events.SeatConfirmed | events.WaitListed | events.SeatDeclined:
    kinds: dict[str, type[events.SeatConfirmed] | type[events.WaitListed] | type[events.SeatDeclined]] = {
        seats.SEAT: events.SeatConfirmed,
        seats.WAITING: events.WaitListed,
        seats.DECLINED: events.SeatDeclined,
    }
    return kinds[place.state if place.state in kinds else seats.DECLINED](
        enrolment_id=place.enrolment_id,
        request_id=place.request_id,
        employer=place.employer,
        course=place.course,
        intake=place.intake,
        position=answer.position,
        reason=answer.reason if answer.reason in CONTRACT_REASONS else None,
    )


def when_withdrawn(desk: Desk, event: Received[facts.Withdrawn]) -> None:
    """Free the place, as the cohort's owner, and give a freed seat to whoever is in turn.

    A withdrawal that is read before its request is kept, so that the request gets no seat when it comes.
    """
    gone = event.data
    place = desk.places.find(gone.enrolment_id)
    if place is None:
        if gone.course and gone.intake:
            desk.places.add(
                Place(gone.enrolment_id, NO_REQUEST, event.organisation, gone.course, gone.intake, 0, seats.LEFT)
            )
        return
    if place.employer != event.organisation:
        raise Forbidden("an employer withdrew another's enrolment")
    give_up(desk, place)
