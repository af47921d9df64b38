"""Seats and the waiting list of one cohort, as its owner decides them. Pure; where places are kept is not its business.

The rule (partnership data rules; decision 17): requests are numbered in the order of arrival. An employer may take a
seat while it has fewer than its quota, and while a seat is free that is not kept for another employer's reserved
places. A newcomer gets a seat when its employer may take one and nobody waits who could take it; everybody else waits.
When a seat comes free, or there are more, whoever came first among those who could take it is promoted: only those
whose employer's quota is full, or for whom only reserved seats are left, are passed over. Who leaves the queue promotes
nobody. Without quotas that is: seats until the capacity is reached, then the queue, in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from services.enrolment.domain.errors import RuleSaysNo

SEAT = "seat"
WAITING = "waiting"
LEFT = "left"
DECLINED = "declined"

UNKNOWN_COHORT = "unknown_cohort"
COHORT_CLOSED = "cohort_closed"
WITHDRAWN_FIRST = "withdrawn"
NOT_INVITED = "not_invited"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many seats of a cohort one employer may have at most (None: no limit), and how many are kept for it."""

    employer: str
    at_most: int | None = None
    reserved: int = 0

    def __post_init__(self) -> None:
        if self.reserved < 0 or (self.at_most is not None and self.at_most < self.reserved):
            raise RuleSaysNo(f"{self.employer} cannot have more reserved places than its quota")


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may ask for places of a cohort, and how many each may have. `invited` None: every employer may ask."""

    quotas: tuple[Quota, ...] = ()
    invited: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        named = [quota.employer for quota in self.quotas]
        if len(set(named)) != len(named):
            raise RuleSaysNo("an employer has one quota in a cohort")
        if self.invited is not None and len(set(self.invited)) != len(self.invited):
            raise RuleSaysNo("an employer is invited once")
        if self.invited is not None and not set(named) <= set(self.invited):
            raise RuleSaysNo("who has a quota in a cohort for invited employers must be invited")

    def of(self, employer: str) -> Quota:
        """Return the employer's quota; one without a limit and a reserved place, where none is set."""
        return next((quota for quota in self.quotas if quota.employer == employer), Quota(employer))


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a cohort's seats one employer has, and how many of its people wait: none came before `waits_from`."""

    employer: str
    taken: int = 0
    waiting: int = 0
    waits_from: int = 0


@dataclass(frozen=True, slots=True)
class Cohort:
    """The counts of one cohort: `arrivals` numbers requests in the order in which the owner read them, from 1."""

    capacity: int
    taken: int = 0
    waiting: int = 0
    arrivals: int = 0
    closed: bool = False
    terms: Terms = field(default_factory=Terms)
    shares: tuple[Share, ...] = ()

    def __post_init__(self) -> None:
        if self.capacity < 0 or self.taken > self.capacity:
            raise RuleSaysNo(f"{self.taken} seats are taken; the capacity cannot be less", about="capacity")
        kept = sum(self.kept_for(quota) for quota in self.terms.quotas)
        if self.taken + kept > self.capacity:
            raise RuleSaysNo(
                f"{self.taken} seats are taken and {kept} more are reserved; the capacity cannot be less than both",
                about="capacity",
            )
        for quota in self.terms.quotas:
            taken = self.share_of(quota.employer).taken
            if quota.at_most is not None and taken > quota.at_most:
                raise RuleSaysNo(f"{quota.employer} has {taken} seats; its quota cannot be less")

    def share_of(self, employer: str) -> Share:
        """Return what the employer has of this cohort."""
        return next((share for share in self.shares if share.employer == employer), Share(employer))

    def kept_for(self, quota: Quota) -> int:
        """Return how many seats nobody else may take, because that employer has fewer than its reserved places."""
        return max(0, quota.reserved - self.share_of(quota.employer).taken)

    def may_take(self, employer: str) -> bool:
        """Return whether this employer may have one more seat now."""
        quota = self.terms.of(employer)
        if quota.at_most is not None and self.share_of(employer).taken >= quota.at_most:
            return False
        kept = sum(self.kept_for(other) for other in self.terms.quotas if other.employer != employer)
        return self.taken + kept < self.capacity


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets: a seat, a place in the queue (`position` from 1), or a reason why neither."""

    state: str
    number: int
    position: int | None = None
    reason: str | None = None


def ask(cohort: Cohort, employer: str) -> tuple[Cohort, Answer]:
    """Return the cohort after one more request of `employer`, and its answer."""
    if cohort.closed:
        return cohort, Answer(DECLINED, number=0, reason=COHORT_CLOSED)
    if cohort.terms.invited is not None and employer not in cohort.terms.invited:
        return cohort, Answer(DECLINED, number=0, reason=NOT_INVITED)
    number = cohort.arrivals + 1
    if cohort.may_take(employer) and not in_turn(cohort):
        return replace(_counted(cohort, employer, taken=1), arrivals=number), Answer(SEAT, number)
    begins = None if cohort.share_of(employer).waiting else number
    waits = replace(_counted(cohort, employer, waiting=1, waits_from=begins), arrivals=number)
    return waits, Answer(WAITING, number, position=waits.waiting)


def leave(cohort: Cohort, employer: str, state: str) -> Cohort:
    """Return the cohort after somebody of `employer` in `state` left; `in_turn` says who may have a freed seat.

    A closed cohort promotes too: closing only ends new requests.
    """
    if state == WAITING:
        return _counted(cohort, employer, waiting=-1)
    return _counted(cohort, employer, taken=-1) if state == SEAT else cohort


def in_turn(cohort: Cohort) -> tuple[str, ...]:
    """Return the employers whose first in the queue could take a seat now; of those, who came first is promoted."""
    if cohort.taken == cohort.capacity:
        return ()
    return tuple(share.employer for share in cohort.shares if share.waiting and cohort.may_take(share.employer))


def promote(cohort: Cohort, employer: str, number: int) -> Cohort:
    """Return the cohort after the first of `employer` in the queue, who came as `number`, got a seat.

    Raises:
        RuleSaysNo: Nobody of that employer waits, or it may not have one more seat.
    """
    if employer not in in_turn(cohort):
        raise RuleSaysNo(f"nobody of {employer} can be given a seat now")
    return _counted(cohort, employer, taken=1, waiting=-1, waits_from=number + 1)


def change(cohort: Cohort, capacity: int, terms: Terms) -> Cohort:
    """Return the cohort with another capacity or other terms; `in_turn` says who may have a seat by it.

    Nobody loses a seat by it, and nobody who waits is sent away: an employer that is no longer invited keeps its places
    in the queue.

    Raises:
        RuleSaysNo: More seats are taken than there would be, by all, by one employer, or beside the reserved ones.
    """
    return replace(cohort, capacity=capacity, terms=terms)


def may_be_handed_to(cohort: Cohort, employer: str) -> bool:
    """Return whether an employer may take on a place of this cohort; a closed one only ends new requests."""
    return cohort.terms.invited is None or employer in cohort.terms.invited


def hand_over(cohort: Cohort, from_employer: str, to_employer: str, state: str) -> tuple[Cohort, str]:
    """Return the cohort after a place moved to another employer, and the state in which it stands there.

    A seat stays a seat and is never free in between, unless the other employer may not have one more: then the place
    waits, under its old number.
    """
    left = leave(cohort, from_employer, state)
    if state == SEAT and left.may_take(to_employer):
        return _counted(left, to_employer, taken=1), SEAT
    return _counted(left, to_employer, waiting=1, waits_from=0), WAITING


def shares_of(places: Sequence[tuple[str, str]]) -> tuple[Share, ...]:
    """Return the shares that follow from (employer, state) of each place."""
    shares: dict[str, Share] = {}
    for employer, state in places:
        share = shares.get(employer, Share(employer))
        shares[employer] = replace(
            share, taken=share.taken + (state == SEAT), waiting=share.waiting + (state == WAITING)
        )
    return tuple(shares[employer] for employer in sorted(shares))


def _counted(
    cohort: Cohort, employer: str, *, taken: int = 0, waiting: int = 0, waits_from: int | None = None
) -> Cohort:
    share = cohort.share_of(employer)
    counted = Share(
        employer,
        taken=share.taken + taken,
        waiting=share.waiting + waiting,
        waits_from=share.waits_from if waits_from is None else waits_from,
    )
    others = [other for other in cohort.shares if other.employer != employer]
    shares = tuple(sorted([*others, counted], key=lambda one: one.employer))
    return replace(cohort, taken=cohort.taken + taken, waiting=cohort.waiting + waiting, shares=shares)
