"""What people may ask of enrolment, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Withdraw:
    """End an enrolment early, with the exact reason."""

    enrolment_id: str
    reason: str
    withdrawn_on: date


@dataclass(frozen=True, slots=True)
class Complete:
    """Say how a course without a portfolio ended."""

    enrolment_id: str
    outcome: str
    completed_on: date


@dataclass(frozen=True, slots=True)
class AssignLineManager:
    """Say who manages somebody's line from a day on; None: nobody."""

    employee_ref: str
    line_manager_ref: str | None
    from_on: date


@dataclass(frozen=True, slots=True)
class OpenCohort:
    """Open a cohort, or give it another capacity."""

    course: str
    intake: str
    capacity: int


@dataclass(frozen=True, slots=True)
class ReleaseIdentity:
    """Give a person's identity to a partner, for a purpose."""

    practitioner_id: str
    asking: str
    purpose: str
