"""Seats and the waiting list of one cohort, as its owner decides them. Pure; where places are kept is not its business.

Source: partnership data rules: seats until the capacity is reached, then the queue, in the order of arrival; a
withdrawal from a seat promotes the head of the queue; who leaves the queue promotes nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.enrolment.domain.errors import RuleSaysNo

SEAT = "seat"
WAITING = "waiting"
LEFT = "left"
DECLINED = "declined"

UNKNOWN_COHORT = "unknown_cohort"
COHORT_CLOSED = "cohort_closed"
WITHDRAWN_FIRST = "withdrawn"


@dataclass(frozen=True, slots=True)
class Cohort:
    """The counts of one cohort: `arrivals` numbers requests in the order in which the owner read them, from 1."""

    capacity: int
    taken: int = 0
    waiting: int = 0
    arrivals: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        if self.capacity < 0 or self.taken > self.capacity:
            raise RuleSaysNo("a cohort cannot have fewer places than are taken")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets: a seat, a place in the queue (`position` from 1), or a reason why neither."""

    state: str
    number: int
    position: int | None = None
    reason: str | None = None


def ask(cohort: Cohort) -> tuple[Cohort, Answer]:
    """Return the cohort after one more request, and its answer.

    A free seat goes to a newcomer only when nobody waits, so that the order of arrival holds.
    """
    number = cohort.arrivals + 1
    if cohort.closed:
        return cohort, Answer(DECLINED, number=0, reason=COHORT_CLOSED)
    if cohort.taken < cohort.capacity and cohort.waiting == 0:
        return replace(cohort, taken=cohort.taken + 1, arrivals=number), Answer(SEAT, number)
    position = cohort.waiting + 1
    return replace(cohort, waiting=position, arrivals=number), Answer(WAITING, number, position=position)


def leave(cohort: Cohort, state: str) -> tuple[Cohort, bool]:
    """Return the cohort after somebody in `state` left, and whether the head of the queue is promoted now.

    A closed cohort promotes too: closing only ends new requests.
    """
    if state == WAITING:
        return replace(cohort, waiting=cohort.waiting - 1), False
    if state != SEAT:
        return cohort, False
    if cohort.waiting:
        return replace(cohort, waiting=cohort.waiting - 1), True
    return replace(cohort, taken=cohort.taken - 1), False


def resize(cohort: Cohort, capacity: int) -> tuple[Cohort, int]:
    """Return the cohort with another capacity, and how many from the head of the queue are promoted by it.

    Raises:
        RuleSaysNo: More seats are taken than there would be.
    """
    if capacity < cohort.taken:
        raise RuleSaysNo(f"{cohort.taken} seats are taken; the capacity cannot be less")
    promoted = min(capacity - cohort.taken, cohort.waiting)
    resized = replace(cohort, capacity=capacity, taken=cohort.taken + promoted, waiting=cohort.waiting - promoted)
    return resized, promoted
