"""What enrolment does, as an employer, with what other owners tell it. The cohort owner's side is in `seat_reactions`.

A rule that says no is an answer here, never an exception.
"""

from __future__ import annotations

from services.enrolment.application import facts
from services.enrolment.application.ports import Desk
from services.enrolment.domain import enrolments, events
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
