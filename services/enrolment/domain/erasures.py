"""Erasing a person, as its employer decides it: asked by one person, approved by another, done in steps, answered.

asked -> running -> done; asked -> refused. While it runs and for ever after, no door takes the same reference again
until somebody says on purpose that the person is back (`returned`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from services.enrolment.domain.errors import RuleSaysNo, SamePerson, WrongState

ASKED = "asked"
RUNNING = "running"
DONE = "done"
REFUSED = "refused"
RETURNED = "returned"
STATES = (ASKED, RUNNING, DONE, REFUSED, RETURNED)
SHUT = (RUNNING, DONE)
"""In these states nobody is taken under the person's reference."""

BASES = ("person_asked", "retention_ended", "never_lawful")
"""Why: Article 17(1)(b) and (c), (a) and (e), (d) of the UK GDPR."""
REFUSALS = ("legal_obligation", "public_task", "legal_claim", "mistaken")
"""Why not: Article 17(3), or it was asked for the wrong person."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What another service answered."""

    by: str
    outcome: str
    reason_code: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. `asked_by` and `decided_by` are opaque ids; `expected` are the services that have to answer.

    `ids` are the person's own and those of everybody who was merged into them.
    """

    erasure_id: str
    practitioner_id: str
    basis: str
    asked_by: str
    asked_at: datetime
    expected: tuple[str, ...]
    ids: tuple[str, ...]
    state: str = ASKED
    decided_by: str | None = None
    decided_at: datetime | None = None
    refusal: str | None = None
    step: int = 0
    after: str | None = None
    changed: dict[str, int] = field(default_factory=dict)
    erased_on: date | None = None
    receipts: tuple[Receipt, ...] = ()
    version: int = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """Return who has not answered yet."""
        answered = {receipt.by for receipt in self.receipts}
        return tuple(name for name in self.expected if name not in answered)


def approved(erasure: Erasure, by: str, at: datetime, *, alone: bool = False) -> Erasure:
    """Return the erasure that begins now.

    Raises:
        WrongState: It was decided already.
        SamePerson: Whoever asked approves, and may not do so alone.
    """
    if erasure.state != ASKED:
        raise WrongState(f"this erasure is {erasure.state}")
    if by == erasure.asked_by and not alone:
        raise SamePerson("an erasure cannot be undone: a second person approves it")
    return replace(erasure, state=RUNNING, decided_by=by, decided_at=at)


def refused(erasure: Erasure, by: str, at: datetime, reason: str) -> Erasure:
    """Return the erasure that will not be.

    Raises:
        WrongState: It was decided already.
        RuleSaysNo: The reason is none of `REFUSALS`.
    """
    if erasure.state != ASKED:
        raise WrongState(f"this erasure is {erasure.state}")
    if reason not in REFUSALS:
        raise RuleSaysNo("this is no reason to refuse an erasure")
    return replace(erasure, state=REFUSED, decided_by=by, decided_at=at, refusal=reason)


def returned(erasure: Erasure) -> Erasure:
    """Return the erasure of somebody who may be taken again under the same reference.

    Not before somebody has answered it: only what has its number on the feed can be answered, and only then is it
    certain that whatever is told of the person from now on comes after it.

    Raises:
        WrongState: It is not done, or nobody has answered it yet.
    """
    if erasure.state != DONE:
        raise WrongState(f"this erasure is {erasure.state}")
    if erasure.expected and not erasure.receipts:
        raise WrongState("no other service has answered this erasure yet: wait until one has, then say it again")
    return replace(erasure, state=RETURNED)


def answered(erasure: Erasure, receipt: Receipt) -> Erasure:
    """Return the erasure with a receipt; the same service's later word takes the place of its earlier one."""
    others = tuple(one for one in erasure.receipts if one.by != receipt.by)
    return replace(erasure, receipts=(*others, receipt))
