"""The portfolio: evidence gathered, handed in, verified, recommended and confirmed. One per enrolment.

Every step returns the new portfolio and its events, or raises why not. Nothing is ever averaged (BR-1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from services.assessment.domain.errors import (
    AlreadyInvalidated,
    DateOutOfOrder,
    EvidenceMissing,
    EvidenceRefTaken,
    NoEvidence,
    OwnPortfolio,
    SamePersonTwice,
    StepOutOfOrder,
    TooMuchEvidence,
    UnknownDomain,
)
from services.assessment.domain.events import (
    EvidenceAdded,
    EvidenceInvalidated,
    PortfolioEvent,
    PortfolioOpened,
    PortfolioReturned,
    PortfolioSubmitted,
    PortfolioVerified,
    PracticeConfirmed,
    PracticeRecommended,
)
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.sufficiency import EvidenceRules, missing_from
from shared.errors import Fault

MOST_EVIDENCE = 500


class State(StrEnum):
    """Where a portfolio stands. `CLOSED`: the enrolment was withdrawn, which is no outcome (BR-9)."""

    IN_PROGRESS = "in_progress"
    RETURNED = "returned"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    RECOMMENDED = "recommended"
    CONFIRMED = "confirmed"
    CLOSED = "closed"


class Outcome(StrEnum):
    """The two outcomes of practice. Source: BR-9 (deferral and withdrawal are not outcomes)."""

    PASS = "pass"  # noqa: S105 - an outcome, no secret
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Submission:
    """One handing-in: the pieces that counted on that day, and what was missing (then it went back)."""

    attempt: int
    submitted_on: date
    evidence_refs: tuple[str, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What one of the three deciders said, and when. `outcome` is None for a verification."""

    by_id: str
    on: date
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Candidacy:
    """What a confirmed enrolment says about the candidate; only its route may change, which is counted."""

    enrolment_id: str
    practitioner_id: str
    course: str
    intake: str
    route: str
    pcf_level: str
    evidence_set: str
    route_change: int = 0


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A candidate's portfolio. Its id is the enrolment's id."""

    candidacy: Candidacy
    state: State = State.IN_PROGRESS
    evidence: tuple[Evidence, ...] = ()
    submissions: tuple[Submission, ...] = ()
    verified: Decision | None = None
    recommended: Decision | None = None
    confirmed: Decision | None = None
    closed_on: date | None = None

    @property
    def portfolio_id(self) -> str:
        """Return the portfolio's id, which is its enrolment's."""
        return self.candidacy.enrolment_id

    @property
    def practice(self) -> str:
        """Return the standing of practice: `in_progress returned submitted confirmed_pass confirmed_fail closed`.

        A portfolio that is verified or recommended is still only submitted. Source: partnership data rules.
        """
        if self.confirmed is not None:
            return f"confirmed_{self.confirmed.outcome}"
        return State.SUBMITTED.value if self.state in _UNDER_DECISION else self.state.value


_UNDER_DECISION = frozenset({State.SUBMITTED, State.VERIFIED, State.RECOMMENDED})
_OVER = frozenset({State.CONFIRMED, State.CLOSED})
Decided = tuple[Portfolio, tuple[PortfolioEvent, ...]]


def open_portfolio(candidacy: Candidacy) -> Decided:
    """Return the empty portfolio of a confirmed enrolment."""
    opened = PortfolioOpened(
        portfolio_id=candidacy.enrolment_id,
        practitioner_id=candidacy.practitioner_id,
        course=candidacy.course,
        intake=candidacy.intake,
        route=candidacy.route,
        evidence_set=candidacy.evidence_set,
    )
    return Portfolio(candidacy), (opened,)


def change_route(portfolio: Portfolio, route: str, change_number: int) -> Portfolio:
    """Return the portfolio on another route; an older change, or one after confirmation, changes nothing."""
    if change_number <= portfolio.candidacy.route_change or portfolio.state in _OVER:
        return portfolio
    return replace(portfolio, candidacy=replace(portfolio.candidacy, route=route, route_change=change_number))


def add_evidence(portfolio: Portfolio, pieces: tuple[Evidence, ...], rules: EvidenceRules) -> Decided:
    """Return the portfolio with `pieces`, in their order; all of them or none.

    Raises:
        StepOutOfOrder: practice is confirmed or the enrolment withdrawn.
        EvidenceRefTaken: a reference is in the portfolio already, or twice among `pieces`.
        UnknownDomain: a domain is not one of the framework's.
        TooMuchEvidence: more than 500 pieces.
    """
    _refuse_when_over(portfolio)
    taken = {piece.ref for piece in portfolio.evidence}
    for index, piece in enumerate(pieces):
        if piece.ref in taken:
            where = Fault("evidence_ref_taken", "this reference is already in the portfolio", f"/items/{index}/ref")
            raise EvidenceRefTaken("evidence with this reference is already in the portfolio", faults=(where,))
        taken.add(piece.ref)
    _refuse_unknown_domains(pieces, rules)
    if len(taken) > MOST_EVIDENCE:
        raise TooMuchEvidence(f"a portfolio holds at most {MOST_EVIDENCE} pieces of evidence")
    added = tuple(
        EvidenceAdded(portfolio.portfolio_id, piece.evidence_id, piece.kind, piece.domains, piece.level, piece.made_on)
        for piece in pieces
    )
    return replace(portfolio, evidence=(*portfolio.evidence, *pieces)), added


def invalidate_evidence(portfolio: Portfolio, ref: str, reason: str, on: date) -> Decided:
    """Return the portfolio in which the piece `ref` no longer counts from `on`.

    Allowed in every state, after the outcome too, which stands: consent may be withdrawn at any point. A portfolio
    that is handed in stays so, but no further decision is taken on it while it is insufficient. Source: BR-6.

    Raises:
        NoEvidence: there is no such piece.
        AlreadyInvalidated: it was invalidated before.
    """
    piece = next((known for known in portfolio.evidence if known.ref == ref), None)
    if piece is None:
        raise NoEvidence("the portfolio holds no evidence with this reference")
    if piece.invalidated_on is not None:
        raise AlreadyInvalidated("this evidence is already invalid; the first date stands")
    event = EvidenceInvalidated(portfolio.portfolio_id, piece.evidence_id, reason, on)
    evidence = tuple(known.invalidated(reason, on) if known.ref == ref else known for known in portfolio.evidence)
    return replace(portfolio, evidence=evidence), (event,)


def missing_on(portfolio: Portfolio, day: date, rules: EvidenceRules, managers: LineManagers) -> tuple[str, ...]:
    """Return what the portfolio lacks on `day`: of what was handed in while a decision is due, else of everything."""
    pieces = portfolio.evidence
    if portfolio.state in _UNDER_DECISION:
        handed_in = portfolio.submissions[-1].evidence_refs
        pieces = tuple(piece for piece in pieces if piece.ref in handed_in)
    return missing_from((piece for piece in pieces if piece.counts_on(day)), rules, managers)


def submit(portfolio: Portfolio, on: date, rules: EvidenceRules, managers: LineManagers) -> Decided:
    """Return the portfolio handed in on `on`: submitted, or returned naming everything missing.

    What was made until that day counts, without what has been invalidated until then. A returned portfolio may be
    handed in again, and so may one that is submitted; one that somebody has already verified only when withdrawn
    evidence has left it insufficient (earlier decisions then fall). Source: partnership data rules, BR-6.

    Raises:
        StepOutOfOrder: it is confirmed, closed, or verified and still sufficient.
        DateOutOfOrder: `on` is before the last submission.
    """
    _refuse_when_over(portfolio)
    if portfolio.state in {State.VERIFIED, State.RECOMMENDED} and not missing_on(portfolio, on, rules, managers):
        raise StepOutOfOrder("the portfolio is verified and sufficient; there is nothing to hand in again")
    if portfolio.submissions:
        _refuse_before(portfolio.submissions[-1].submitted_on, on, "the last submission")
    counted = tuple(piece for piece in portfolio.evidence if piece.counts_on(on))
    missing = missing_from(counted, rules, managers)
    attempt = len(portfolio.submissions) + 1
    submission = Submission(attempt, on, tuple(piece.ref for piece in counted), missing)
    handed_in = replace(
        portfolio,
        state=State.RETURNED if missing else State.SUBMITTED,
        submissions=(*portfolio.submissions, submission),
        verified=None,
        recommended=None,
    )
    candidacy = portfolio.candidacy
    submitted = PortfolioSubmitted(portfolio.portfolio_id, attempt, candidacy.course, candidacy.intake, on)
    if missing:
        return handed_in, (submitted, PortfolioReturned(portfolio.portfolio_id, attempt, on, missing))
    return handed_in, (submitted,)


def verify(portfolio: Portfolio, by: Decision, rules: EvidenceRules, managers: LineManagers) -> Decided:
    """Return the portfolio that a supervisor stands by. Source: BR-7.

    Raises: see `_refuse_decision`.
    """
    after = portfolio.submissions[-1].submitted_on if portfolio.submissions else by.on
    _refuse_decision(portfolio, by, (State.SUBMITTED,), after)
    _refuse_insufficient(portfolio, by.on, rules, managers)
    verified = replace(portfolio, state=State.VERIFIED, verified=by)
    return verified, (PortfolioVerified(portfolio.portfolio_id, by.on),)


def recommend(portfolio: Portfolio, by: Decision, rules: EvidenceRules, managers: LineManagers) -> Decided:
    """Return the portfolio with the assessor's recommendation. Source: BR-9.

    Raises: see `_refuse_decision`.
    """
    due = (State.VERIFIED,) if rules.is_verification_required else (State.SUBMITTED, State.VERIFIED)
    submitted_on = portfolio.submissions[-1].submitted_on if portfolio.submissions else by.on
    _refuse_decision(portfolio, by, due, portfolio.verified.on if portfolio.verified else submitted_on)
    _refuse_insufficient(portfolio, by.on, rules, managers)
    recommended = replace(portfolio, state=State.RECOMMENDED, recommended=by)
    return recommended, (PracticeRecommended(portfolio.portfolio_id, by.on),)


def confirm(portfolio: Portfolio, by: Decision, rules: EvidenceRules, managers: LineManagers) -> Decided:
    """Return the portfolio with the employer's outcome, which may differ from the recommendation. Source: BR-9.

    Raises: see `_refuse_decision`.
    """
    _refuse_decision(portfolio, by, (State.RECOMMENDED,), portfolio.recommended.on if portfolio.recommended else by.on)
    _refuse_insufficient(portfolio, by.on, rules, managers)
    candidacy = portfolio.candidacy
    confirmed = PracticeConfirmed(
        portfolio_id=portfolio.portfolio_id,
        enrolment_id=candidacy.enrolment_id,
        course=candidacy.course,
        intake=candidacy.intake,
        route=candidacy.route,
        pcf_level=candidacy.pcf_level,
        outcome=str(by.outcome),
        confirmed_on=by.on,
    )
    return replace(portfolio, state=State.CONFIRMED, confirmed=by), (confirmed,)


def close(portfolio: Portfolio, on: date) -> Portfolio:
    """Return the portfolio of a withdrawn enrolment; a confirmed outcome stands. Source: BR-9."""
    if portfolio.state in _OVER:
        return portfolio
    return replace(portfolio, state=State.CLOSED, closed_on=on)


def _refuse_when_over(portfolio: Portfolio) -> None:
    if portfolio.state in _OVER:
        raise StepOutOfOrder(f"the portfolio is {portfolio.state}")


def _refuse_before(earlier: date, on: date, what: str) -> None:
    if on < earlier:
        raise DateOutOfOrder(f"the date is before {what} ({earlier.isoformat()})")


def _refuse_unknown_domains(pieces: tuple[Evidence, ...], rules: EvidenceRules) -> None:
    faults = tuple(
        Fault("unknown_domain", f"not a domain of {rules.framework}", f"/items/{index}/domains/{place}")
        for index, piece in enumerate(pieces)
        for place, domain in enumerate(piece.domains)
        if domain not in rules.domains
    )
    if faults:
        raise UnknownDomain("evidence names a domain that the framework does not have", faults=faults)


def _refuse_decision(portfolio: Portfolio, by: Decision, due: tuple[State, ...], after: date) -> None:
    """Refuse what no decision may be: one's own, out of turn, a second by the same person, or dated too early.

    Raises:
        OwnPortfolio: the decider is the candidate.
        StepOutOfOrder: the portfolio is not in one of the states `due`.
        SamePersonTwice: the decider verified or recommended it before.
        DateOutOfOrder: the decision is dated before `after`, the step that it follows.

    Source: BR-7 (verifier != candidate), BR-9, partnership data rules (three different people).
    """
    if by.by_id == portfolio.candidacy.practitioner_id:
        raise OwnPortfolio("nobody decides on their own portfolio")
    if portfolio.state not in due:
        raise StepOutOfOrder(f"the portfolio is {portfolio.state}; this step needs {' or '.join(due)}")
    earlier = (portfolio.verified, portfolio.recommended)
    if by.by_id in {decision.by_id for decision in earlier if decision is not None}:
        raise SamePersonTwice("verification, recommendation and confirmation need three different people")
    _refuse_before(after, by.on, "the step that it follows")


def _refuse_insufficient(portfolio: Portfolio, on: date, rules: EvidenceRules, managers: LineManagers) -> None:
    missing = missing_on(portfolio, on, rules, managers)
    if missing:
        raise EvidenceMissing(missing)
