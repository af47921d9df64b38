"""How cohorts, places, sessions and attendance look as JSON. No decision here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.enrolment.application.cohort_queries import CohortView, Explained
from services.enrolment.application.facts import AttendanceRecorded
from services.enrolment.domain import explanations, sessions
from services.enrolment.domain.sessions import Attendance, Session

Body = dict[str, Any]
Names = Mapping[str, str]


def cohort(found: CohortView, names: Names) -> Body:
    """Return a cohort with its terms, its seats and its queue."""
    kept = found.kept
    return {
        "course": kept.course,
        "intake": kept.intake,
        "capacity": kept.cohort.capacity,
        "closed": kept.cohort.closed,
        "taken": kept.cohort.taken,
        "queued": kept.cohort.waiting,
        **_only(kept, "starts_on", "ends_on"),
        **_only(kept.cohort.terms, "invited", "quotas"),
        "shares": [_only(share, "employer", "taken", "waiting") for share in kept.cohort.shares],
        "seats": [place(each, names) for each in found.seats],
        "waiting": [place(each, names) for each in found.waiting],
    }


def place(found: Explained, names: Names) -> Body:
    """Return a place by opaque ids, and why it stands there."""
    kept, standing = found
    return {
        "employer": kept.employer,
        "enrolment_id": kept.enrolment_id,
        "number": kept.number,
        "rank": standing.rank,
        "explanation": explanations.sentence(standing, names.get(kept.employer)),
    }


def session(found: Session) -> Body:
    """Return a session as it is planned."""
    return _without(found, "version")


def attendance(found: Attendance) -> Body:
    """Return what is recorded of one person at one session."""
    return _without(found, "version", "course", "intake")


def attendances(enrolment_id: str, found: Sequence[Attendance] | Sequence[AttendanceRecorded]) -> Body:
    """Return what is recorded of one enrolment, and its sums."""
    return {
        "enrolment_id": enrolment_id,
        "summary": msgspec.to_builtins(sessions.summary([(each.attendance, each.minutes) for each in found])),
        "items": [_only(each, "session", "kind", "attendance", "minutes", "held_on") for each in found],
        "next": None,
    }


def _without(value: object, *names: str) -> Body:
    found: Body = msgspec.to_builtins(value)
    return {name: each for name, each in found.items() if name not in names}


def _only(value: object, *names: str) -> Body:
    found: Body = msgspec.to_builtins(value)
    return {name: found[name] for name in names}
