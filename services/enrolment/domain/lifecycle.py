"""The life of an enrolment as one table: from which statuses each command may come, and what it leads to.

Pure and total: every pair of a status and a command has an answer. What a command needs besides the status (days,
reasons, limits) is in `enrolments`. Source: partnership data rules; BR-9 (deferral and withdrawal are no outcomes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.enrolment.domain.errors import WrongState

NOMINATED = "nominated"
REFUSED = "refused"
REQUESTED = "requested"
WAITING = "waiting"
OFFERED = "offered"
CONFIRMED = "confirmed"
DECLINED = "declined"
STARTED = "started"
DEFERRED = "deferred"
TRANSFERRED = "transferred"
WITHDRAWN = "withdrawn"
COMPLETED = "completed"
STATUSES = (
    NOMINATED,
    REFUSED,
    REQUESTED,
    WAITING,
    OFFERED,
    CONFIRMED,
    DECLINED,
    STARTED,
    DEFERRED,
    TRANSFERRED,
    WITHDRAWN,
    COMPLETED,
)
UNANSWERED = frozenset({REQUESTED, WAITING})
HOLDS_SEAT = frozenset({OFFERED, CONFIRMED, STARTED, DEFERRED})
"""Statuses in which the cohort's owner counts a seat as taken."""
HAS_PLACE = frozenset({CONFIRMED, STARTED, DEFERRED})
"""Statuses in which the place is certain: portfolio and registration are open."""
IS_KNOWN_TO_UNIVERSITY = HAS_PLACE | {COMPLETED}
"""Statuses in which the university that awards credit may ask who somebody is: practice often ends before marking."""
ENDED = frozenset({REFUSED, DECLINED, TRANSFERRED, WITHDRAWN, COMPLETED})
CAME_TO_NOTHING = frozenset({REFUSED, DECLINED, WITHDRAWN})
"""After these somebody may be asked for again, in the same intake, as a new enrolment."""
MAY_BE_TAKEN_ON = CAME_TO_NOTHING | {TRANSFERRED}
"""After these somebody may come with another employer's place: who went away may come back."""

APPROVE = "approve"
REFUSE = "refuse"
OFFER = "offer"
CONFIRM = "confirm"
WAIT = "wait"
DECLINE = "decline"
ACCEPT = "accept"
DECLINE_OFFER = "decline-offer"
LAPSE = "lapse"
START = "start"
DEFER = "defer"
RESUME = "resume"
CHANGE_ROUTE = "change-route"
SPONSOR = "sponsor"
TRANSFER = "transfer"
WITHDRAW = "withdraw"
COMPLETE = "complete"

AS_IT_WAS = "as it was"
"""The command leaves the status alone."""
AS_BEFORE = "as before the deferral"
"""Started, where it had started; else confirmed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command: from where, to where, and what to do instead when the status is another."""

    allowed: frozenset[str]
    leads_to: str
    instead: str


_OPEN = frozenset(STATUSES) - ENDED

TABLE: Mapping[str, Step] = MappingProxyType(
    {
        APPROVE: Step(frozenset({NOMINATED}), REQUESTED, "only a nomination that waits for approval is approved"),
        REFUSE: Step(frozenset({NOMINATED}), REFUSED, "once a place was asked for, withdraw it instead"),
        OFFER: Step(UNANSWERED, OFFERED, "it does not wait for an answer"),
        CONFIRM: Step(UNANSWERED, CONFIRMED, "it does not wait for an answer"),
        WAIT: Step(UNANSWERED, WAITING, "it does not wait for an answer"),
        DECLINE: Step(UNANSWERED, DECLINED, "it does not wait for an answer"),
        ACCEPT: Step(frozenset({OFFERED}), CONFIRMED, "only an offer that is open can be accepted"),
        DECLINE_OFFER: Step(frozenset({OFFERED}), WITHDRAWN, "only an open offer is declined; withdraw it instead"),
        LAPSE: Step(frozenset({OFFERED}), WITHDRAWN, "only an offer that is open can lapse"),
        START: Step(frozenset({CONFIRMED}), STARTED, "somebody starts once, after the place was confirmed"),
        DEFER: Step(
            frozenset({CONFIRMED, STARTED}), DEFERRED, "only a confirmed place is deferred; before that, withdraw"
        ),
        RESUME: Step(frozenset({DEFERRED}), AS_BEFORE, "only what is deferred can be resumed"),
        CHANGE_ROUTE: Step(_OPEN, AS_IT_WAS, "the route of what has ended stays as it is"),
        SPONSOR: Step(_OPEN | {COMPLETED}, AS_IT_WAS, "there is nothing to fund or release for"),
        TRANSFER: Step(
            HOLDS_SEAT | {WAITING},
            TRANSFERRED,
            "only a seat or a place in the queue is transferred; wait for the owner's answer, or withdraw",
        ),
        WITHDRAW: Step(_OPEN, WITHDRAWN, "it has ended already"),
        COMPLETE: Step(HAS_PLACE, COMPLETED, "only a confirmed place is completed"),
    }
)
COMMANDS = tuple(TABLE)


def allows(command: str, status: str) -> bool:
    """Return whether `command` may come now."""
    return status in TABLE[command].allowed


def after(command: str, status: str, *, has_started: bool = False) -> str:
    """Return the status that `command` leads to.

    Raises:
        WrongState: It may not come in this status; the detail says what to do instead.
    """
    step = TABLE[command]
    if status not in step.allowed:
        raise WrongState(f"this enrolment is {status}: {step.instead}")
    if step.leads_to == AS_IT_WAS:
        return status
    if step.leads_to == AS_BEFORE:
        return STARTED if has_started else CONFIRMED
    return step.leads_to


def possible(status: str) -> tuple[str, ...]:
    """Return the commands that may come now, in the table's order."""
    return tuple(command for command in COMMANDS if allows(command, status))
