"""What other owners tell enrolment, as tolerant typed values: only the fields that are used here."""

from __future__ import annotations

from datetime import date

import msgspec

from services.enrolment.domain.courses import COURSE, Developed, Handbook
from services.enrolment.domain.eligibility import CourseFirst
from services.enrolment.domain.programmes import CENTRAL, Strand


class CoursePublished(msgspec.Struct, frozen=True):
    """A programme lead's course."""

    course: str
    title: str
    level: str
    routes: tuple[str, ...]
    credits: int
    owner: str
    accreditation: str = "none"
    awarding_hei: str | None = None
    module: str | None = None
    prerequisite_routes: tuple[str, ...] = ()
    evidence_set: str | None = None


class CourseDescribed(msgspec.Struct, frozen=True):
    """What a programme lead's course is in the catalogue and what it asks for."""

    course: str
    owner: str
    kind: str = COURSE
    minutes: int | None = None
    cpd_pieces: int = 1
    cpd_pieces_with_peers: int = 0
    micro_credential_by: str | None = None
    accredited_from: date | None = None
    develops: tuple[Developed, ...] = ()
    handbooks: tuple[Handbook, ...] = ()
    after: tuple[str, ...] = ()
    courses_first: tuple[CourseFirst, ...] = ()
    in_house_within_months: int | None = None
    roles: tuple[str, ...] = ()
    open_to: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    rated_domains: tuple[int, ...] = ()


class ProgrammeDescribed(msgspec.Struct, frozen=True):
    """A programme lead's courses in combination."""

    programme: str
    title: str
    owner: str
    strands: tuple[Strand, ...]
    delivery: str = CENTRAL


class ModuleApproved(msgspec.Struct, frozen=True):
    """A university's approval of a run of its module for a course."""

    instance_id: str
    module: str
    course: str
    intake: str
    course_owner: str
    approved_on: date


class ModuleRefused(msgspec.Struct, frozen=True):
    """A university's refusal of a run of its module for a course."""

    instance_id: str
    module: str
    course: str
    intake: str
    course_owner: str


class PracticeConfirmed(msgspec.Struct, frozen=True):
    """The employer's own assessment of practice is final."""

    enrolment_id: str
    course: str
    outcome: str
    confirmed_on: date


class CohortOpened(msgspec.Struct, frozen=True):
    """A programme lead's cohort."""

    course: str
    intake: str
    capacity: int
    owner: str


class CohortClosed(msgspec.Struct, frozen=True):
    """A cohort that takes no more requests."""

    course: str
    intake: str
    owner: str


class Requested(msgspec.Struct, frozen=True):
    """An employer's request for a place."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str


class Withdrawn(msgspec.Struct, frozen=True):
    """An employer's withdrawal."""

    enrolment_id: str
    cohort_owner: str
    course: str = ""
    intake: str = ""


class ErasureAcknowledged(msgspec.Struct, frozen=True):
    """What another service did after this employer erased somebody."""

    practitioner_id: str
    employer: str
    outcome: str
    reason_code: str | None = None


class Answered(msgspec.Struct, frozen=True):
    """A cohort owner's answer to a request: confirmed, wait-listed, declined or promoted."""

    enrolment_id: str
    request_id: str
    employer: str
    position: int | None = None
    reason: str | None = None


class QuotaSet(msgspec.Struct, frozen=True):
    """How many seats one employer may have at most, and how many are kept for it."""

    employer: str
    at_most: int | None = None
    reserved: int = 0


class CohortTermsSet(msgspec.Struct, frozen=True):
    """A cohort's days, quotas and who may ask for its places (None: everybody)."""

    course: str
    intake: str
    owner: str
    invited: tuple[str, ...] | None = None
    quotas: tuple[QuotaSet, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None


class PlaceExplained(msgspec.Struct, frozen=True):
    """The numbers behind a cohort owner's decision."""

    enrolment_id: str
    request_id: str
    employer: str
    state: str
    capacity: int = 0
    rank: int | None = None
    taken: int = 0
    at_most: int | None = None
    reserved: int = 0
    kept: int = 0
    reason: str | None = None


class AttendanceRecorded(msgspec.Struct, frozen=True):
    """Whether one person was at one session, and how long."""

    enrolment_id: str
    employer: str
    course: str
    intake: str
    session: str
    kind: str
    attendance: str
    minutes: int
    held_on: date | None = None


class Transferred(msgspec.Struct, frozen=True):
    """An employer gives a place over to another."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    to_employer: str
    transferred_on: date
    accept_by: date


class TransferOffered(msgspec.Struct, frozen=True):
    """The cohort's owner tells this employer that a place is given over to it."""

    enrolment_id: str
    employer: str
    from_employer: str
    course: str
    intake: str
    route: str
    pcf_level: str
    transferred_on: date
    accept_by: date


class TransferAccepted(msgspec.Struct, frozen=True):
    """An employer takes a person on with their place."""

    enrolment_id: str
    from_enrolment_id: str
    from_employer: str
    cohort_owner: str
    course: str
    intake: str


class TransferRefused(msgspec.Struct, frozen=True):
    """An employer does not take the person on."""

    enrolment_id: str
    cohort_owner: str
    course: str
    intake: str


class TransferClosed(msgspec.Struct, frozen=True):
    """What became of a place that was given over."""

    enrolment_id: str
    employer: str
    to_employer: str
    outcome: str
    closed_on: date
