"""What enrolment tells others, as plain values: field for field the data of its event contracts.

No name, employee number, registration number or exact reason may ever stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class CoursePublished:
    """A course as its owner offers it now."""

    course: str
    title: str
    level: str
    routes: tuple[str, ...]
    credits: int
    accreditation: str
    awarding_hei: str | None
    module: str | None
    prerequisite_routes: tuple[str, ...]
    evidence_set: str | None
    owner: str


@dataclass(frozen=True, slots=True)
class CohortOpened:
    """A cohort takes requests, or has another capacity."""

    course: str
    intake: str
    capacity: int
    owner: str


@dataclass(frozen=True, slots=True)
class CohortClosed:
    """A cohort takes no new requests."""

    course: str
    intake: str
    owner: str


@dataclass(frozen=True, slots=True)
class LineManagerAssigned:
    """From a day on, this person has this line manager; None: nobody."""

    practitioner_id: str
    line_manager_id: str | None
    from_on: date


@dataclass(frozen=True, slots=True)
class Requested:
    """An employer asks a cohort's owner for a place."""

    enrolment_id: str
    practitioner_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    requested_on: date


@dataclass(frozen=True, slots=True)
class SeatConfirmed:
    """The owner gave a seat."""

    enrolment_id: str
    request_id: str
    employer: str
    course: str
    intake: str
    position: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WaitListed:
    """The owner put the request into the queue, at `position` from 1."""

    enrolment_id: str
    request_id: str
    employer: str
    course: str
    intake: str
    position: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SeatDeclined:
    """The owner gave neither."""

    enrolment_id: str
    request_id: str
    employer: str
    course: str
    intake: str
    position: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SeatPromoted:
    """The head of the queue got a seat, in place of who withdrew (None: there are more seats now)."""

    enrolment_id: str
    request_id: str
    employer: str
    course: str
    intake: str
    in_place_of: str | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The employer confirms, after the owner's answer."""

    enrolment_id: str
    practitioner_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    evidence_set: str | None
    awarding_hei: str | None
    module: str | None
    credits: int
    confirmed_on: date


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An enrolment ended early; `reason` is the coarse one."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    held_seat: bool
    reason: str
    withdrawn_on: date


@dataclass(frozen=True, slots=True)
class Completed:
    """A course without a portfolio ended."""

    enrolment_id: str
    course: str
    intake: str
    outcome: str
    completed_on: date


@dataclass(frozen=True, slots=True)
class FaultNamed:
    """One fault of a refused intake record, without its value."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class RecordAccepted:
    """An intake record was taken, or is identical to one already taken."""

    record_ref: str
    duplicate: bool
    enrolment_id: str | None


@dataclass(frozen=True, slots=True)
class RecordRefused:
    """An intake record was refused."""

    record_ref: str
    codes: tuple[str, ...]
    faults: tuple[FaultNamed, ...]


EnrolmentEvent = (
    CoursePublished
    | CohortOpened
    | CohortClosed
    | LineManagerAssigned
    | Requested
    | SeatConfirmed
    | WaitListed
    | SeatDeclined
    | SeatPromoted
    | Confirmed
    | Withdrawn
    | Completed
    | RecordAccepted
    | RecordRefused
)
