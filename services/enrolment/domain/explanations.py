"""Why somebody has a seat, waits or has neither, in words made from numbers: the bus carries the numbers only."""

from __future__ import annotations

from dataclasses import dataclass

from services.enrolment.domain import seats
from services.enrolment.domain.seats import Cohort

_REASONS = {
    seats.UNKNOWN_COHORT: "the course has no such intake",
    seats.COHORT_CLOSED: "the intake was closed to new requests",
    seats.NOT_INVITED: "this intake is for invited employers only",
    seats.WITHDRAWN_FIRST: "it was withdrawn before the request was answered",
}
_TEENS = (11, 12, 13)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True, slots=True)
class Standing:
    """The numbers behind one decision, as they were when it was made; `rank` counts seats or the queue from 1."""

    state: str
    employer: str
    capacity: int = 0
    rank: int | None = None
    taken: int = 0
    at_most: int | None = None
    reserved: int = 0
    kept: int = 0
    reason: str | None = None


def standing(cohort: Cohort, employer: str, state: str, rank: int | None, reason: str | None = None) -> Standing:
    """Return the numbers behind a decision about a place of `employer`, from the cohort after it.

    `kept` counts the free seats that are kept for other employers.
    """
    quota = cohort.terms.of(employer)
    others = [other for other in cohort.terms.quotas if other.employer != employer]
    return Standing(
        state=state,
        employer=employer,
        capacity=cohort.capacity,
        rank=rank,
        taken=cohort.share_of(employer).taken,
        at_most=quota.at_most,
        reserved=quota.reserved,
        kept=sum(cohort.kept_for(other) for other in others),
        reason=reason,
    )


def sentence(found: Standing, name: str | None = None, *, as_decided: bool = False) -> str:
    """Return e.g. "12th of 30; quota of Brent 6 of 6" or "4th in the queue; Brent has 6 of its 6 places".

    `as_decided`: the numbers are those of the decision, and the rank may be another one by now: both among the seats
    and in the queue, people before may have left.
    """
    who = name or found.employer
    since = " as of the decision" if as_decided else ""
    if found.state == seats.SEAT:
        return f"{ordinal(found.rank or 1)} of {found.capacity}{since}{_share(found, who)}"
    if found.state == seats.WAITING:
        return f"{ordinal(found.rank or 1)} in the queue{since}; {_why_waiting(found, who)}"
    return f"no place: {_REASONS[found.reason]}" if found.reason in _REASONS else "no place"


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"


def _share(found: Standing, who: str) -> str:
    if found.at_most is not None:
        return f"; quota of {who} {found.taken} of {found.at_most}"
    if found.reserved:
        return f"; {min(found.taken, found.reserved)} of {found.reserved} places reserved for {who} taken"
    return ""


def _why_waiting(found: Standing, who: str) -> str:
    if found.at_most is not None and found.taken >= found.at_most:
        return f"{who} has {found.taken} of its {found.at_most} places"
    if found.kept:
        return f"all {found.capacity} seats are taken or kept for other employers ({found.kept} kept)"
    return f"all {found.capacity} seats are taken"
