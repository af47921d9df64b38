"""A place on its way from one employer to another: what the new employer sees, and what the cohort's owner decides.

The person's place moves, never the old employer's rows. The cohort's owner is the only one that decides, because no
employer reads another's feed. Its two facts (given over by the one, taken on by the other) may arrive in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.enrolment.domain.enrolment_parts import IN_PROGRESS
from services.enrolment.domain.errors import RuleSaysNo, WrongState

OPEN = "open"
ACCEPTED = "accepted"
REFUSED = "refused"
LAPSED = "lapsed"
INCOMING_STATES = (OPEN, ACCEPTED, REFUSED, LAPSED)
GRACE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Incoming:
    """What an employer is asked: to take a person on with their place. Who it is the two employers tell each other."""

    from_enrolment_id: str
    from_employer: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    transferred_on: date
    accept_by: date
    state: str = OPEN
    enrolment_id: str | None = None
    version: int = 0


def accept(incoming: Incoming, enrolment_id: str, today: date) -> Incoming:
    """Return the transfer accepted as a new enrolment.

    Raises:
        WrongState: It was answered before, or has lapsed.
        RuleSaysNo: Its last day is over.
    """
    _must_be_open(incoming)
    if today > incoming.accept_by:
        raise RuleSaysNo("the last day to accept this transfer is over; nominate the person instead")
    return replace(incoming, state=ACCEPTED, enrolment_id=enrolment_id)


def refuse(incoming: Incoming) -> Incoming:
    """Return the transfer refused.

    Raises:
        WrongState: It was answered before, or has lapsed.
    """
    _must_be_open(incoming)
    return replace(incoming, state=REFUSED)


def lapse(incoming: Incoming) -> Incoming:
    """Return the transfer closed by the cohort's owner; what was answered stays answered."""
    return replace(incoming, state=LAPSED) if incoming.state == OPEN else incoming


def _must_be_open(incoming: Incoming) -> None:
    if incoming.state != OPEN:
        raise WrongState(f"this transfer is {incoming.state}; nothing is left to answer")


@dataclass(frozen=True, slots=True)
class Given:
    """What the old employer said."""

    employer: str
    to_employer: str
    transferred_on: date
    accept_by: date


@dataclass(frozen=True, slots=True)
class TakenOn:
    """What a new employer said; `request_id` is what the owner's answer refers to."""

    employer: str
    enrolment_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Handover:
    """All that the cohort's owner knows of one place on its way; `outcome` in progress until it has decided.

    `taken` and `refused_by` keep whoever spoke, because the old employer's word may come last: only the answer of who
    the place was given to counts.
    """

    enrolment_id: str
    course: str
    intake: str
    given: Given | None = None
    taken: tuple[TakenOn, ...] = ()
    refused_by: tuple[str, ...] = ()
    outcome: str = IN_PROGRESS
    version: int = 0

    @property
    def taker(self) -> TakenOn | None:
        """Return the answer of who the place was given to, or None."""
        return next((each for each in self.taken if self.given and each.employer == self.given.to_employer), None)

    @property
    def is_refused(self) -> bool:
        """Return whether who the place was given to said no."""
        return self.given is not None and self.given.to_employer in self.refused_by

    @property
    def lapses_after(self) -> date | None:
        """Return the last day on which an answer counts: two more than asked for, for feeds that come late."""
        waits = self.given is not None and self.outcome == IN_PROGRESS
        return self.given.accept_by + GRACE if self.given and waits else None
