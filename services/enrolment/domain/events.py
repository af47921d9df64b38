"""What enrolment tells others, as plain values: field for field the data of its event contracts.

No name, employee number, registration number or exact reason may ever stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.enrolment.domain.cohort_events import AttendanceRecorded as AttendanceRecorded
from services.enrolment.domain.cohort_events import CohortClosed as CohortClosed
from services.enrolment.domain.cohort_events import CohortOpened as CohortOpened
from services.enrolment.domain.cohort_events import CohortTermsSet as CohortTermsSet
from services.enrolment.domain.cohort_events import PlaceExplained as PlaceExplained
from services.enrolment.domain.cohort_events import QuotaSet as QuotaSet
from services.enrolment.domain.cohort_events import SeatConfirmed as SeatConfirmed
from services.enrolment.domain.cohort_events import SeatDeclined as SeatDeclined
from services.enrolment.domain.cohort_events import SeatPromoted as SeatPromoted
from services.enrolment.domain.cohort_events import WaitListed as WaitListed
from services.enrolment.domain.course_events import CourseDescribed as CourseDescribed
from services.enrolment.domain.course_events import CoursePublished as CoursePublished
from services.enrolment.domain.course_events import ProgrammeDescribed as ProgrammeDescribed
from services.enrolment.domain.intake_events import FaultNamed as FaultNamed
from services.enrolment.domain.intake_events import RecordAccepted as RecordAccepted
from services.enrolment.domain.intake_events import RecordIneligible as RecordIneligible
from services.enrolment.domain.intake_events import RecordRefused as RecordRefused


@dataclass(frozen=True, slots=True)
class LineManagerAssigned:
    """From a day on, this person has this line manager; None: nobody."""

    practitioner_id: str
    line_manager_id: str | None
    from_on: date


@dataclass(frozen=True, slots=True)
class AbsentDays:
    """Days of an employment that do not count, both included; None: until further notice."""

    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True)
class EmploymentDated:
    """When a person's latest employment began and ended, and which days of it do not count. No reason of anything."""

    practitioner_id: str
    started_on: date
    ended_on: date | None
    absences: tuple[AbsentDays, ...]


@dataclass(frozen=True, slots=True)
class PractitionerMerged:
    """Two ids are one person: `merged_id` leads to `practitioner_id` from now on."""

    practitioner_id: str
    merged_id: str
    merged_on: date


@dataclass(frozen=True, slots=True)
class PractitionerSplit:
    """Two ids that had been merged are two people after all."""

    practitioner_id: str
    split_id: str
    split_on: date


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
class Started:
    """Somebody has started on the course."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    started_on: date


@dataclass(frozen=True, slots=True)
class Deferred:
    """A confirmed place is paused and kept."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    deferred_from: date
    deferred_until: date


@dataclass(frozen=True, slots=True)
class Resumed:
    """A pause has ended."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    resumed_on: date


@dataclass(frozen=True, slots=True)
class RouteChanged:
    """A confirmed enrolment is on another route from a day on; `change_number` counts such changes of it, from 1."""

    enrolment_id: str
    practitioner_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    previous_route: str
    change_number: int
    evidence_set: str | None
    awarding_hei: str | None
    module: str | None
    credits: int
    effective_on: date


@dataclass(frozen=True, slots=True)
class Transferred:
    """An employer gives a place over to another employer."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    to_employer: str
    transferred_on: date
    accept_by: date


@dataclass(frozen=True, slots=True)
class TransferOffered:
    """The cohort's owner tells an employer that a place is given over to it."""

    enrolment_id: str
    employer: str
    from_employer: str
    course: str
    intake: str
    route: str
    pcf_level: str
    transferred_on: date
    accept_by: date


@dataclass(frozen=True, slots=True)
class TransferAccepted:
    """An employer takes the person on with their place, as an enrolment of its own."""

    enrolment_id: str
    practitioner_id: str
    from_enrolment_id: str
    from_employer: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    requested_on: date


@dataclass(frozen=True, slots=True)
class TransferRefused:
    """An employer does not take the person on."""

    enrolment_id: str
    from_employer: str
    cohort_owner: str
    course: str
    intake: str
    refused_on: date


@dataclass(frozen=True, slots=True)
class TransferClosed:
    """What became of a place that was given over: moved, refused or lapsed."""

    enrolment_id: str
    employer: str
    to_employer: str
    course: str
    intake: str
    outcome: str
    closed_on: date


@dataclass(frozen=True, slots=True)
class PractitionerErased:
    """The employer erased everything that said who this opaque id was."""

    practitioner_id: str
    erased_on: date


EnrolmentEvent = (
    CoursePublished
    | CourseDescribed
    | ProgrammeDescribed
    | CohortOpened
    | CohortClosed
    | LineManagerAssigned
    | EmploymentDated
    | PractitionerMerged
    | PractitionerSplit
    | Requested
    | SeatConfirmed
    | WaitListed
    | SeatDeclined
    | SeatPromoted
    | Confirmed
    | Withdrawn
    | Completed
    | Started
    | Deferred
    | Resumed
    | RouteChanged
    | Transferred
    | TransferOffered
    | TransferAccepted
    | TransferRefused
    | TransferClosed
    | CohortTermsSet
    | PlaceExplained
    | AttendanceRecorded
    | RecordAccepted
    | RecordRefused
    | RecordIneligible
    | PractitionerErased
)
