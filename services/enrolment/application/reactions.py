"""What enrolment does, as an employer, with what other owners tell it. The cohort owner's side is in `seat_reactions`.

A rule that says no is an answer here, never an exception.
"""

from __future__ import annotations

from services.enrolment.application import announcements, facts
from services.enrolment.application.ports import Desk
from services.enrolment.domain import enrolments, lifecycle
from services.enrolment.domain.enrolments import Enrolment
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
    """Confirm the enrolment, as its employer, or note the offer, after a seat was given or the head promoted."""
    enrolment = _answered(desk, event)
    if enrolment is None:
        return
    today = london_date(desk.now)
    after = enrolments.seat_given(enrolment, event.data.request_id, desk.settings.find(), today, desk.now)
    desk.enrolments.save(after)
    if enrolments.has_place(after):
        announcements.tell_confirmed(desk, after)


def when_wait_listed(desk: Desk, event: Received[facts.Answered]) -> None:
    """Note the place in the queue, as the employer."""
    enrolment = _answered(desk, event)
    if enrolment is not None:
        answer, today = event.data, london_date(desk.now)
        desk.enrolments.save(enrolments.wait(enrolment, answer.request_id, answer.position, today, desk.now))


def when_seat_declined(desk: Desk, event: Received[facts.Answered]) -> None:
    """Note that there is no place, as the employer."""
    enrolment = _answered(desk, event)
    if enrolment is not None:
        answer, today = event.data, london_date(desk.now)
        desk.enrolments.save(enrolments.decline(enrolment, answer.request_id, answer.reason, today, desk.now))


def when_practice_confirmed(desk: Desk, event: Received[facts.PracticeConfirmed]) -> None:
    """Finish the enrolment, as its employer, when its own organisation confirmed the outcome of practice.

    What has ended in the meantime stays as it ended.
    """
    enrolment = desk.enrolments.find(event.data.enrolment_id)
    if enrolment is None or not lifecycle.allows(lifecycle.COMPLETE, enrolment.status):
        return
    outcome = "completed" if event.data.outcome == "pass" else "not_completed"
    on = max(event.data.confirmed_on, enrolment.started_on or event.data.confirmed_on)
    desk.enrolments.save(enrolments.finished(enrolment, outcome, on, desk.now))
    desk.silent("the outcome of practice told everybody already")


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
