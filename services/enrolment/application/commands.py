"""What people may ask of enrolment, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from services.enrolment.domain.records import ReadRow
from services.enrolment.domain.seats import Terms


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
class Approve:
    """Say, as a second person, that a nomination may ask for its place; `by` is who says it."""

    enrolment_id: str
    by: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say, as a second person, that a nomination goes no further."""

    enrolment_id: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeclineOffer:
    """Give an offered seat back."""

    enrolment_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Start:
    """Say that somebody has started."""

    enrolment_id: str
    started_on: date


@dataclass(frozen=True, slots=True)
class Defer:
    """Pause a confirmed place and keep it."""

    enrolment_id: str
    reason: str
    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Resume:
    """End a pause."""

    enrolment_id: str
    resumed_on: date


@dataclass(frozen=True, slots=True)
class ChangeRoute:
    """Say which route employer and worker have chosen from a day on."""

    enrolment_id: str
    route: str
    effective_on: date
    agreed_with_worker_on: date
    reason: str
    prerequisite_on: date | None


@dataclass(frozen=True, slots=True)
class GiveOver:
    """Give a place over to another employer; `employers` are all that the partnership has."""

    enrolment_id: str
    to_employer: str
    reason: str
    transferred_on: date
    employers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeOn:
    """Take a person on with the place that another employer gave over; `described` None: they are known here."""

    from_enrolment_id: str
    employee_ref: str
    described: ReadRow | None


@dataclass(frozen=True, slots=True)
class AssignLineManager:
    """Say who manages somebody's line from a day on; None: nobody."""

    employee_ref: str
    line_manager_ref: str | None
    from_on: date


@dataclass(frozen=True, slots=True)
class OpenCohort:
    """Open a cohort, or give it another capacity, other quotas and invitations, or other days."""

    course: str
    intake: str
    capacity: int
    terms: Terms = field(default_factory=Terms)
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Attend:
    """Say whether somebody with a seat was at a session; `minutes` None: as long as it was planned."""

    course: str
    intake: str
    session: str
    enrolment_id: str
    attendance: str
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseIdentity:
    """Give a person's identity to a partner, for a purpose."""

    practitioner_id: str
    asking: str
    purpose: str
