"""One enrolment as its employer sees it: asked, answered, withdrawn, completed. The seat itself is the owner's.

Source: partnership data rules; design of seats: an answer counts only for the latest request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.domain.errors import RuleSaysNo, WrongState

REQUESTED = "requested"
WAITING = "waiting"
CONFIRMED = "confirmed"
DECLINED = "declined"
WITHDRAWN = "withdrawn"
COMPLETED = "completed"
STATUSES = (REQUESTED, WAITING, CONFIRMED, DECLINED, WITHDRAWN, COMPLETED)

OUTCOMES = ("completed", "not_completed")
REASONS = (
    "workload",
    "teaching_style",
    "health",
    "leave",
    "left_employer",
    "employer_release_refused",
    "academic_fail",
    "other",
)
BUS_REASONS = {"workload": "workload", "left_employer": "employer", "health": "personal", "leave": "personal"}


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One request for a place and what came of it. `version` rises by one with every change."""

    enrolment_id: str
    practitioner_id: str
    employee_ref: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    requested_on: date
    status: str = REQUESTED
    version: int = 1
    request_id: str | None = None
    position: int | None = None
    reason: str | None = None
    confirmed_on: date | None = None
    ended_on: date | None = None
    outcome: str | None = None


def bus_reason(reason: str) -> str:
    """Return what the shared bus may know of a reason; the exact one stays with the employer.

    Source: partnership data rules (left_employer is employer, health and leave personal, workload stays, else other).
    """
    return BUS_REASONS.get(reason, "other")


def concerns(enrolment: Enrolment, request_id: str) -> bool:
    """Return whether an answer to `request_id` is about this enrolment's latest request and still matters."""
    known = enrolment.request_id
    return enrolment.status in (REQUESTED, WAITING) and (known is None or known == request_id)


def confirm(enrolment: Enrolment, request_id: str, on: date) -> Enrolment:
    """Return the enrolment with a seat."""
    return replace(
        enrolment,
        status=CONFIRMED,
        request_id=request_id,
        position=None,
        confirmed_on=on,
        version=enrolment.version + 1,
    )


def wait(enrolment: Enrolment, request_id: str, position: int | None) -> Enrolment:
    """Return the enrolment in the queue; `position` was true when the owner answered."""
    return replace(enrolment, status=WAITING, request_id=request_id, position=position, version=enrolment.version + 1)


def decline(enrolment: Enrolment, request_id: str, reason: str | None) -> Enrolment:
    """Return the enrolment without a place."""
    return replace(enrolment, status=DECLINED, request_id=request_id, reason=reason, version=enrolment.version + 1)


def withdraw(enrolment: Enrolment, reason: str, on: date) -> Enrolment:
    """Return the enrolment withdrawn.

    Raises:
        WrongState: It has ended already.
        RuleSaysNo: The reason is none of `REASONS`.
    """
    if reason not in REASONS:
        raise RuleSaysNo("this is no withdrawal reason")
    if enrolment.status not in (REQUESTED, WAITING, CONFIRMED):
        raise WrongState(f"an enrolment that is {enrolment.status} cannot be withdrawn")
    return replace(
        enrolment,
        status=WITHDRAWN,
        reason=reason,
        ended_on=on,
        position=None,
        version=enrolment.version + 1,
    )


def complete(enrolment: Enrolment, outcome: str, on: date, *, evidence_set: str | None) -> Enrolment:
    """Return the enrolment finished, for a course without an evidence set.

    Raises:
        WrongState: There is no confirmed seat.
        RuleSaysNo: The course ends through a portfolio, or the outcome is none of `OUTCOMES`.
    """
    if outcome not in OUTCOMES:
        raise RuleSaysNo("the outcome is completed or not_completed")
    if evidence_set is not None:
        raise RuleSaysNo("this course ends through a portfolio, in the assessment service")
    if enrolment.status != CONFIRMED:
        raise WrongState(f"an enrolment that is {enrolment.status} cannot be completed")
    return replace(enrolment, status=COMPLETED, outcome=outcome, ended_on=on, version=enrolment.version + 1)
