"""The bodies of session plans and attendance."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.sessions import ATTENDANCES, MOST_MINUTES, SESSION_KINDS
from shared.http import Choice, CivilDate, Identifier, Items, Part, Slug, StrictSchema, Text, Whole


class SessionIn(StrictSchema):
    """A planned session; `held_on` null: by arrangement with each person, or in their own time."""

    kind = Choice(SESSION_KINDS, required=True)
    minutes = Whole(required=True, least=1, most=MOST_MINUTES)
    title = Text(longest=200, **OPTIONAL)
    held_on = CivilDate(**OPTIONAL)


class SessionOut(SessionIn):
    """A session as it is planned."""

    course = Text()
    intake = Text()
    session = Text()


class AttendanceIn(StrictSchema):
    """Whether somebody was there; `minutes` null: as long as it was planned, for who attended."""

    attendance = Choice(ATTENDANCES, required=True)
    minutes = Whole(most=MOST_MINUTES, **OPTIONAL)


class HeardAttendanceOut(StrictSchema):
    """What is recorded of one person at one session."""

    session = Text()
    kind = Choice(SESSION_KINDS)
    attendance = Choice(ATTENDANCES)
    minutes = Whole()
    held_on = CivilDate(allow_none=True)


class AttendanceOut(HeardAttendanceOut):
    """The same as the cohort's owner sees it, by opaque ids."""

    enrolment_id = Identifier()
    employer = Slug()


class SummaryOut(StrictSchema):
    """What one enrolment's attendance adds up to."""

    attended = Whole()
    absent = Whole()
    excused = Whole()
    minutes = Whole()


class EnrolmentAttendanceOut(StrictSchema):
    """What is recorded of one enrolment, in order of sessions, and its sums."""

    enrolment_id = Text()
    summary = Part(SummaryOut)
    items = Items(Part(HeardAttendanceOut))
    next = Text(allow_none=True)


SESSION_IN = SessionIn()
SESSION_OUT = SessionOut()
ATTENDANCE_IN = AttendanceIn()
ATTENDANCE_OUT = AttendanceOut()
ENROLMENT_ATTENDANCE_OUT = EnrolmentAttendanceOut()
