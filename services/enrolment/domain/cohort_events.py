"""What a cohort's owner tells of its cohorts, seats, queue and attendance: field for field its event contracts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
class QuotaSet:
    """How many seats one employer may have at most (None: no limit), and how many are kept for it."""

    employer: str
    at_most: int | None
    reserved: int


@dataclass(frozen=True, slots=True)
class CohortTermsSet:
    """A cohort's days, quotas and who may ask for its places (None: everybody), as they are now."""

    course: str
    intake: str
    owner: str
    invited: tuple[str, ...] | None
    quotas: tuple[QuotaSet, ...]
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class PlaceExplained:
    """The numbers behind the owner's decision about one request."""

    enrolment_id: str
    request_id: str
    employer: str
    course: str
    intake: str
    state: str
    capacity: int
    rank: int | None
    taken: int
    at_most: int | None
    reserved: int
    kept: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class AttendanceRecorded:
    """Whether somebody with a seat was at a session, and how long."""

    enrolment_id: str
    employer: str
    course: str
    intake: str
    session: str
    kind: str
    attendance: str
    minutes: int
    held_on: date | None
