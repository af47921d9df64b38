"""One candidate's way to credit: facts that arrive in any order, and the decision that falls when all are there.

Facts come from the employer's enrolment and assessment feeds, from the release of identity and from the university's
own staff. No fact waits for another; `credit_due` looks at what is there. A candidacy is of one employer's enrolment,
so that one organisation's events can never complete another's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from services.accreditation.domain.errors import (
    AlreadySubmitted,
    FirstMarkMissing,
    MarkAlreadySet,
    MarkFrozen,
    MarkOutOfRange,
    NothingSubmitted,
    NotRegistered,
    SameMarker,
    Withdrawn,
)
from services.accreditation.domain.modules import HIGHEST_MARK, Run, Terms


class Outcome(StrEnum):
    """What the employer confirmed about practice. Source: BR-9."""

    PASS = "pass"  # noqa: S105 - an outcome, not a secret
    FAIL = "fail"


class MarkKind(StrEnum):
    """Who said it: the first marker, a second one, or both together. Source: BR-22."""

    FIRST = "first"
    SECOND = "second"
    AGREED = "agreed"


class State(StrEnum):
    """How far a registration has come, for people to read; rules look at the facts instead."""

    ENROLMENT_PENDING = "enrolment_pending"
    IDENTITY_PENDING = "identity_pending"
    REGISTERED = "registered"
    SUBMITTED = "submitted"
    MARKED = "marked"
    AGREED = "agreed"
    RATIFIED = "ratified"
    CREDITED = "credited"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The employer's confirmed enrolment on the academic route."""

    registration_id: str
    practitioner_id: str
    run: Run
    module: str | None
    confirmed_on: date


@dataclass(frozen=True, slots=True)
class Practice:
    """The employer's confirmed outcome of practice assessment."""

    outcome: Outcome
    confirmed_on: date


@dataclass(frozen=True, slots=True)
class Submission:
    """Academic work handed in."""

    submitted_on: date
    words: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A whole number from 0 to 100, and the token subject of whoever gave it."""

    mark: int
    by: str


@dataclass(frozen=True, slots=True)
class Ratified:
    """The agreed mark as a board froze it. Source: BR-23."""

    board_id: str
    held_on: date
    mark: int


@dataclass(frozen=True, slots=True)
class CreditDue:
    """Everything is there: this person has earned this module's credits."""

    person_id: str
    terms: Terms
    awarded_on: date


@dataclass(frozen=True, slots=True)
class Candidacy:
    """The facts known about one enrolment; each is None until it arrives."""

    employer: str
    enrolment_id: str
    enrolment: Enrolment | None = None
    person_id: str | None = None
    terms: Terms | None = None
    practice: Practice | None = None
    withdrawn_on: date | None = None
    dropped_on: date | None = None
    route_change: int = 0
    submission: Submission | None = None
    first: Mark | None = None
    second: Mark | None = None
    agreed: Mark | None = None
    ratified: Ratified | None = None
    announced: bool = False
    credit_id: str | None = None
    credited_before: str | None = None
    version: int = 0

    # -- facts from elsewhere: a repeat changes nothing -------------------------------------------------------------

    def confirmed(self, enrolment: Enrolment) -> Candidacy:
        """Return the candidacy with its enrolment; the first confirmation stands."""
        return self if self.enrolment else replace(self, enrolment=enrolment)

    def identified(self, person_id: str) -> Candidacy:
        """Return the candidacy of a known person; once known it stays."""
        return self if self.person_id else replace(self, person_id=person_id)

    def placed(self, terms: Terms | None) -> Candidacy:
        """Return the candidacy on a run, with its terms as they now are."""
        return self if self.credit_id else replace(self, terms=terms)

    def practised(self, practice: Practice) -> Candidacy:
        """Return the candidacy with the employer's latest word on practice; after credit it stays. Source: BR-13."""
        return self if self.credit_id else replace(self, practice=practice)

    def withdrawn(self, on: date) -> Candidacy:
        """Return the candidacy as withdrawn, for good; credit awarded before stays awarded."""
        return self if self.withdrawn_on else replace(self, withdrawn_on=on)

    def dropped(self, on: date, change_number: int) -> Candidacy:
        """Return the candidacy of somebody who goes on in practice alone; an older change of route changes nothing.

        Work that was handed in is marked to its end: then only the change is noted. Taking the academic element up
        again lifts it. Source: BR-28 (dated route changes), decision 16.
        """
        if change_number <= self.route_change:
            return self
        kept = self.submission is not None or self.credit_id is not None
        return replace(self, route_change=change_number, dropped_on=None if kept else on)

    def taken_up(self, change_number: int) -> Candidacy:
        """Return the candidacy of somebody who adds the academic element; an older change changes nothing."""
        if change_number <= self.route_change:
            return self
        return replace(self, route_change=change_number, dropped_on=None)

    @property
    def ended_on(self) -> date | None:
        """Return the day on which the registration ended, by withdrawal or by dropping the academic element."""
        return self.withdrawn_on or self.dropped_on

    # -- what the university's own staff do -------------------------------------------------------------------------

    def handed_in(self, submission: Submission) -> Candidacy:
        """Return the candidacy with work; the same work again changes nothing.

        Raises:
            NotRegistered: before the person is known.
            Withdrawn: after withdrawal.
            AlreadySubmitted: when other work was handed in.
        """
        self._must_be_running()
        if self.submission == submission:
            return self
        if self.submission is not None:
            raise AlreadySubmitted("Other work has been handed in for this registration.")
        return replace(self, submission=submission)

    def marked(self, kind: MarkKind, mark: Mark) -> Candidacy:
        """Return the candidacy with a mark of `kind`; the same mark by the same marker again changes nothing.

        Raises:
            MarkOutOfRange, NotRegistered, Withdrawn, NothingSubmitted, MarkFrozen, MarkAlreadySet: as they say.
            FirstMarkMissing: when a later kind comes before the first.
            SameMarker: when the first marker gives another kind. Source: BR-22.
        """
        if type(mark.mark) is not int or not 0 <= mark.mark <= HIGHEST_MARK:
            raise MarkOutOfRange("A mark is a whole number from 0 to 100.")
        self._must_be_running()
        if self.submission is None:
            raise NothingSubmitted("There is no work to mark.")
        standing = {MarkKind.FIRST: self.first, MarkKind.SECOND: self.second, MarkKind.AGREED: self.agreed}[kind]
        if standing == mark:
            return self
        if self.ratified is not None:
            raise MarkFrozen("A board has ratified this registration's marks.")
        if standing is not None:
            raise MarkAlreadySet(f"The {kind} mark stands.")
        return self._with_new_mark(kind, mark)

    def ratified_by(self, board_id: str, held_on: date) -> Candidacy:
        """Return the candidacy with its agreed mark frozen; without one, withdrawn or frozen before: unchanged."""
        if self.agreed is None or self.ratified is not None or self.ended_on is not None:
            return self
        return replace(self, ratified=Ratified(board_id=board_id, held_on=held_on, mark=self.agreed.mark))

    # -- decisions --------------------------------------------------------------------------------------------------

    def to_announce(self) -> bool:
        """Say whether the candidate is registered now and nobody has been told."""
        ready = self.enrolment and self.person_id and self.terms
        return bool(ready) and not self.announced and self.ended_on is None

    def credit_due(self) -> CreditDue | None:
        """Return the credit that is due now, or None.

        Due when the enrolment is confirmed and not ended, the person is known, practice is confirmed as passed,
        the instance is approved and the ratified agreed mark reaches the pass mark; dated by the last of these facts.
        Never twice. Source: partnership data rules (credit), BR-17, BR-23.
        """
        if self.credit_id or self.credited_before or self.ended_on or not self.enrolment or not self.person_id:
            return None
        if not self.terms or not self.terms.approved_on or not self.ratified or not self.practice:
            return None
        if self.practice.outcome is not Outcome.PASS or self.ratified.mark < self.terms.pass_mark:
            return None
        last = max(self.ratified.held_on, self.practice.confirmed_on, self.terms.approved_on)
        return CreditDue(person_id=self.person_id, terms=self.terms, awarded_on=last)

    def markers(self) -> frozenset[str]:
        """Return the subjects of everyone who gave a mark."""
        return frozenset(mark.by for mark in (self.first, self.second, self.agreed) if mark)

    def state(self) -> State:
        """Return how far the registration has come."""
        steps: tuple[tuple[object, State], ...] = (
            (self.credit_id, State.CREDITED),
            (self.ended_on, State.WITHDRAWN),
            (self.enrolment is None, State.ENROLMENT_PENDING),
            (self.person_id is None, State.IDENTITY_PENDING),
            (self.ratified, State.RATIFIED),
            (self.agreed, State.AGREED),
            (self.first, State.MARKED),
            (self.submission, State.SUBMITTED),
        )
        return next((state for reached, state in steps if reached), State.REGISTERED)

    def academic(self, pass_mark: int | None) -> str:
        """Return `not_submitted`, `submitted`, `pass` or `fail`, whatever practice came to.

        Source: partnership data rules (`outcomes.academic`), BR-13. Provisional until `ratified`.
        """
        if self.submission is None:
            return "not_submitted"
        if self.agreed is None or pass_mark is None:
            return "submitted"
        return "pass" if self.agreed.mark >= pass_mark else "fail"

    # -- inside -----------------------------------------------------------------------------------------------------

    def _must_be_running(self) -> None:
        if self.withdrawn_on is not None:
            raise Withdrawn("The enrolment was withdrawn.")
        if self.dropped_on is not None:
            raise Withdrawn("The candidate goes on in practice alone; the academic element was dropped.")
        if self.enrolment is None or self.person_id is None:
            raise NotRegistered("The candidate's identity has not been released yet.")

    def _with_new_mark(self, kind: MarkKind, mark: Mark) -> Candidacy:
        if kind is MarkKind.FIRST:
            if mark.by in self.markers():
                raise SameMarker("Whoever gave another mark may not give the first.")
            return replace(self, first=mark)
        if self.first is None:
            raise FirstMarkMissing(f"A {kind} mark needs a first mark.")
        if self.first.by == mark.by:
            raise SameMarker(f"The first marker may not give the {kind} mark.")
        return replace(self, second=mark) if kind is MarkKind.SECOND else replace(self, agreed=mark)
