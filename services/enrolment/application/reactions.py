"""What enrolment does with what other owners tell it: as a cohort's owner, and as an employer.

A rule that says no is an answer here, never an exception.
"""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application import facts
from services.enrolment.application.course_handlers import promote
from services.enrolment.application.ports import Desk
from services.enrolment.domain import enrolments, events, seats
from services.enrolment.domain.courses import Place
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.records import ACADEMIC
from shared.clock import london_date
from shared.errors import Forbidden
from shared.events.envelope import Received


def when_course_published(desk: Desk, event: Received[facts.CoursePublished]) -> None:
    """Know the course, as an employer."""
    desk.catalogue.put_course(event.data)


def when_cohort_opened(desk: Desk, event: Received[facts.CohortOpened]) -> None:
    """Know the cohort, as an employer."""
    desk.catalogue.put_cohort(event.data)


def when_cohort_closed(desk: Desk, event: Received[facts.CohortClosed]) -> None:
    """Know that the cohort takes no more requests, as an employer."""
    desk.catalogue.close(event.data.course, event.data.intake, event.organisation)


def when_requested(desk: Desk, event: Received[facts.Requested]) -> None:
    """Answer a request for a place, as the cohort's owner; a request is answered once."""
    asked = event.data
    known = desk.places.find(asked.enrolment_id)
    if known is not None:
        if known.employer != event.organisation:
            raise Forbidden("an employer asked under another's enrolment")
        return
    kept = desk.courses.cohort(asked.course, asked.intake)
    if kept is None:
        answer = seats.Answer(seats.DECLINED, number=0, reason=seats.UNKNOWN_COHORT)
    else:
        cohort, answer = seats.ask(kept.cohort)
        if cohort != kept.cohort:
            desk.courses.save_cohort(replace(kept, cohort=cohort))
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
    kept = desk.courses.cohort(place.course, place.intake)
    if kept is None:
        return
    cohort, promotes = seats.leave(kept.cohort, place.state)
    desk.places.move(place, seats.LEFT)
    desk.courses.save_cohort(replace(kept, cohort=cohort))
    if promotes:
        promote(desk, desk.places.heads(place.course, place.intake, 1)[0], in_place_of=place.enrolment_id)


def when_seat_given(desk: Desk, event: Received[facts.Answered]) -> None:
    """Confirm the enrolment, as its employer, after a seat was given or the head of the queue promoted."""
    enrolment = _answered(desk, event)
    if enrolment is None:
        return
    after = enrolments.confirm(enrolment, event.data.request_id, london_date(desk.now))
    desk.enrolments.save(after)
    course = desk.catalogue.courses().get(after.course)
    academic = course if after.route == ACADEMIC else None
    desk.tell(
        events.Confirmed(
            enrolment_id=after.enrolment_id,
            practitioner_id=after.practitioner_id,
            cohort_owner=after.cohort_owner,
            course=after.course,
            intake=after.intake,
            route=after.route,
            pcf_level=after.pcf_level,
            evidence_set=course.evidence_set if course else None,
            awarding_hei=academic.awarding_hei if academic else None,
            module=academic.module if academic else None,
            credits=academic.credits if academic else 0,
            confirmed_on=after.confirmed_on or london_date(desk.now),
        ),
        after.version,
    )


def when_wait_listed(desk: Desk, event: Received[facts.Answered]) -> None:
    """Note the place in the queue, as the employer."""
    enrolment = _answered(desk, event)
    if enrolment is not None:
        desk.enrolments.save(enrolments.wait(enrolment, event.data.request_id, event.data.position))


def when_seat_declined(desk: Desk, event: Received[facts.Answered]) -> None:
    """Note that there is no place, as the employer."""
    enrolment = _answered(desk, event)
    if enrolment is not None:
        desk.enrolments.save(enrolments.decline(enrolment, event.data.request_id, event.data.reason))


def _answered(desk: Desk, event: Received[facts.Answered]) -> Enrolment | None:
    """Return the enrolment whose latest request was answered; None when the answer no longer matters.

    Raises:
        Forbidden: Somebody answered who does not own the cohort.
    """
    enrolment = desk.enrolments.find(event.data.enrolment_id)
    if enrolment is None:
        return None
    if enrolment.cohort_owner != event.organisation:
        raise Forbidden("only the cohort's owner answers a request")
    return enrolment if enrolments.concerns(enrolment, event.data.request_id) else None
