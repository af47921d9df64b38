"""What a programme lead does with the session plan of a cohort, and with attendance."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.commands import Attend
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events, sessions
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.sessions import Attendance, Session
from shared.clock import london_date


def plan_session(desk: Desk, wanted: Session) -> Session:
    """Return the session as kept; the same plan again changes nothing.

    Raises:
        NoSuchThing: There is no such cohort.
        RuleSaysNo: It lies outside the cohort's days, or attendance of another type is recorded.
    """
    cohort = desk.cohorts.find(wanted.course, wanted.intake)
    if cohort is None:
        raise NoSuchThing("no such cohort")
    known = desk.sessions.find(wanted.course, wanted.intake, wanted.session)
    is_recorded = known is not None and bool(desk.sessions.attendance_page(known, None, 1))
    planned = sessions.plan(known, wanted, cohort.starts_on, cohort.ends_on, is_recorded=is_recorded)
    desk.silent("a plan is told with the attendance that comes of it")
    return planned if planned == known else desk.sessions.save(planned)


def record_attendance(desk: Desk, command: Attend) -> Attendance:
    """Return what is recorded of one person at one session; the same again changes nothing and tells nobody.

    Raises:
        NoSuchThing: There is no such session.
        RuleSaysNo: The person has no seat in this cohort, the day has not come, or minutes are given for an absence.
    """
    session = desk.sessions.find(command.course, command.intake, command.session)
    if session is None:
        raise NoSuchThing("no such session")
    known = desk.sessions.attendance(session, command.enrolment_id)
    place = desk.places.find(command.enrolment_id)
    today = london_date(desk.now)
    found = sessions.attend(session, place, command.attendance, command.minutes, today, known)
    if found == known:
        return known
    kept = desk.sessions.save_attendance(replace(found, version=known.version if known else 0))
    desk.tell(
        events.AttendanceRecorded(
            enrolment_id=kept.enrolment_id,
            employer=kept.employer,
            course=kept.course,
            intake=kept.intake,
            session=kept.session,
            kind=kept.kind,
            attendance=kept.attendance,
            minutes=kept.minutes,
            held_on=kept.held_on,
        ),
        kept.version,
    )
    return kept
