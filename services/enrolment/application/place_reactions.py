"""What an employer keeps of what cohorts' owners tell it about its people's places.

The numbers behind each decision, attendance, and a cohort's days and quotas.
"""

from __future__ import annotations

from services.enrolment.application import facts
from services.enrolment.application.ports import Desk
from services.enrolment.domain.explanations import Standing
from shared.errors import Forbidden
from shared.events.envelope import Received


def when_place_explained(desk: Desk, event: Received[facts.PlaceExplained]) -> None:
    """Keep the numbers behind a decision; those about an earlier request no longer matter."""
    told = event.data
    enrolment = desk.enrolments.find(told.enrolment_id)
    if enrolment is None:
        return
    if enrolment.cohort_owner != event.organisation:
        raise Forbidden("only the cohort's owner explains a place")
    if enrolment.request_id not in (None, told.request_id):
        return
    desk.news.put_standing(
        told.enrolment_id,
        Standing(
            state=told.state,
            employer=told.employer,
            capacity=told.capacity,
            rank=told.rank,
            taken=told.taken,
            at_most=told.at_most,
            reserved=told.reserved,
            kept=told.kept,
            reason=told.reason,
        ),
    )


def when_attendance_recorded(desk: Desk, event: Received[facts.AttendanceRecorded]) -> None:
    """Keep what was recorded of one of our people at a session."""
    enrolment = desk.enrolments.find(event.data.enrolment_id)
    if enrolment is None:
        return
    if enrolment.cohort_owner != event.organisation:
        raise Forbidden("only the cohort's owner records attendance")
    desk.news.put_attendance(event.data)


def when_terms_set(desk: Desk, event: Received[facts.CohortTermsSet]) -> None:
    """Know a cohort's days, quotas and invitations."""
    desk.news.put_terms(event.data)
