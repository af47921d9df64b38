"""The session plan of a cohort and who attended: E17 (session types), E18 (the extra day), E19 (coaching), E20.

Source: the frameworks' session types; the programme lead plans and records, for people with a seat in the cohort.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.domain import seats
from services.enrolment.domain.cohorts import Place
from services.enrolment.domain.errors import RuleSaysNo

SESSION_KINDS = (
    "one_to_one",
    "group_learning",
    "direct_teaching",
    "applied_learning",
    "self_directed",
    "extra_day",
    "individual_coaching",
    "group_coaching",
    "career_counselling",
)
ATTENDED = "attended"
ABSENT = "absent"
EXCUSED = "excused"
ATTENDANCES = (ATTENDED, ABSENT, EXCUSED)
MOST_MINUTES = 1440
SESSION_CODE = r"[a-z0-9][a-z0-9-]{0,31}"
"""What a person may type for a new session: it travels on the bus, so it has no room for a name with spaces or text."""
_CODE = re.compile(SESSION_CODE)


@dataclass(frozen=True, slots=True)
class Session:
    """One planned session of a cohort. `held_on` None: by arrangement with each person, or in their own time."""

    course: str
    intake: str
    session: str
    kind: str
    minutes: int
    title: str | None = None
    held_on: date | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Attendance:
    """Whether somebody with a seat was there, and how long."""

    enrolment_id: str
    employer: str
    course: str
    intake: str
    session: str
    kind: str
    attendance: str
    minutes: int
    held_on: date | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What one enrolment's attendance adds up to."""

    attended: int
    absent: int
    excused: int
    minutes: int


def plan(
    standing: Session | None, wanted: Session, starts_on: date | None, ends_on: date | None, *, is_recorded: bool
) -> Session:
    """Return the session as it is planned now, under the version that it has.

    Raises:
        RuleSaysNo: Its code has another form, it lies outside the cohort's days, or it would become a session of
            another type than the one that attendance is recorded of.
    """
    if standing is None and not _CODE.fullmatch(wanted.session):
        raise RuleSaysNo(
            "a session's code has up to 32 lower-case letters, digits and hyphens, for example day-1", about="session"
        )
    if standing is not None and is_recorded and standing.kind != wanted.kind:
        raise RuleSaysNo("attendance is recorded of this session; its type stands", about="kind")
    on = wanted.held_on
    if on is not None and ((starts_on is not None and on < starts_on) or (ends_on is not None and on > ends_on)):
        raise RuleSaysNo("a session is held between the cohort's first and last day", about="held_on")
    return replace(wanted, version=standing.version if standing else 0)


def attend(
    session: Session, place: Place | None, attendance: str, minutes: int | None, today: date, known: Attendance | None
) -> Attendance:
    """Return what is recorded of one person at one session; it may be put right later.

    Minutes that are not given are the session's, for who attended.

    Raises:
        RuleSaysNo: The person has no seat in this cohort, the day has not come, or minutes are given for an absence.
    """
    if place is None or (place.course, place.intake) != (session.course, session.intake) or place.state != seats.SEAT:
        raise RuleSaysNo("attendance is recorded for people with a seat in this cohort")
    if session.held_on is not None and today < session.held_on:
        raise RuleSaysNo("attendance is recorded from the day of the session on")
    if attendance != ATTENDED and minutes:
        raise RuleSaysNo("who was not there has no minutes")
    spent = (session.minutes if minutes is None else minutes) if attendance == ATTENDED else 0
    return Attendance(
        enrolment_id=place.enrolment_id,
        employer=place.employer,
        course=session.course,
        intake=session.intake,
        session=session.session,
        kind=session.kind,
        attendance=attendance,
        minutes=spent,
        held_on=session.held_on,
        version=known.version if known else 0,
    )


def summary(found: Sequence[tuple[str, int]]) -> Summary:
    """Return the sums of (attendance, minutes)."""
    counted = {word: sum(1 for attendance, _ in found if attendance == word) for word in ATTENDANCES}
    return Summary(
        attended=counted[ATTENDED],
        absent=counted[ABSENT],
        excused=counted[EXCUSED],
        minutes=sum(minutes for _, minutes in found),
    )
