"""What other owners tell enrolment, as tolerant typed values: only the fields that are used here."""

from __future__ import annotations

import msgspec


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


class Answered(msgspec.Struct, frozen=True):
    """A cohort owner's answer to a request: confirmed, wait-listed, declined or promoted."""

    enrolment_id: str
    request_id: str
    employer: str
    position: int | None = None
    reason: str | None = None
