"""What an enrolment consists of besides its status: dated history, deferrals, route changes, sponsorship, transfers.

Values and their reason codes only. A reason stays with the employer; `bus_reason` is what others may know.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime

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
OFFER_LAPSED = "offer_lapsed"
"""Nobody gives this reason: it stands under an offer that nobody accepted in time."""
BUS_REASONS = {"workload": "workload", "left_employer": "employer", "health": "personal", "leave": "personal"}
DEFERRAL_REASONS = ("workload", "health", "leave", "caseload_change", "other")
ROUTE_REASONS = ("worker_choice", "employer_choice", "workload", "entry_requirements", "health", "other")
TRANSFER_REASONS = ("new_job", "secondment", "reorganisation", "other")
REFUSAL_REASONS = ("release_not_possible", "no_funding", "not_eligible", "not_ours", "other")
FUNDERS = ("employer", "grant", "self")

IN_PROGRESS = "in_progress"
MOVED = "moved"
TRANSFER_REFUSED = "refused"
LAPSED = "lapsed"
TRANSFER_STATES = (IN_PROGRESS, MOVED, TRANSFER_REFUSED, LAPSED)

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of an enrolment's history: what, on which day it counts, when it was written down, into what."""

    what: str
    on: date
    recorded_at: datetime
    status: str
    route: str


@dataclass(frozen=True, slots=True)
class Deferral:
    """A pause that keeps the seat. `until_on` is the last day that was agreed."""

    reason: str
    from_on: date
    until_on: date
    resumed_on: date | None = None


@dataclass(frozen=True, slots=True)
class RouteChange:
    """From `effective_on` another route, which employer and worker both chose; and when its prerequisite was met."""

    from_route: str
    to_route: str
    effective_on: date
    agreed_with_worker_on: date
    reason: str
    prerequisite_on: date | None = None


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """Who pays, and how many days the worker is released for learning (E7)."""

    funded_by: str
    release_days: int
    agreed_on: date


@dataclass(frozen=True, slots=True)
class Transfer:
    """The place is on its way to another employer, or what became of that."""

    to_employer: str
    reason: str
    transferred_on: date
    accept_by: date
    state: str = IN_PROGRESS


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transferred place came from."""

    employer: str
    enrolment_id: str


def bus_reason(reason: str) -> str:
    """Return what the shared bus may know of a reason; the exact one stays with the employer.

    Source: partnership data rules (left_employer is employer, health and leave personal, workload stays, else other).
    """
    return BUS_REASONS.get(reason, "other")


def months_later(day: date, months: int) -> date:
    """Return the same day some months later, or that month's last day."""
    whole = day.year * _MONTHS + day.month - 1 + months
    year, month = whole // _MONTHS, whole % _MONTHS + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
