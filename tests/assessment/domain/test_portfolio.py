"""The portfolio's life: every interleaving of its steps keeps the rules."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.assessment.domain import portfolio as practice
from services.assessment.domain.errors import (
    AlreadyInvalidated,
    EvidenceMissing,
    NoEvidence,
    OwnPortfolio,
    SamePersonTwice,
    StepOutOfOrder,
)
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.portfolio import Candidacy, Decision, Outcome, State
from services.assessment.domain.sufficiency import EvidenceRules, ItemRule
from shared.errors import PlatformError

RULES = EvidenceRules("small", "one", ("alpha",), 1, (ItemRule("observation", 1, 1),))
NOBODY = LineManagers()
DAY = date(2026, 4, 1)
CANDIDACY = Candidacy("enrolment", "candidate", "SAR", "2025-09", "practice_only", "SW", "small")


def piece(ref, made_on=DAY):
    """Return an observation that alone is enough."""
    return Evidence(f"id-{ref}", ref, "observation", ("alpha",), "observer", None, made_on, "SW")


def by(who, on=DAY, outcome=Outcome.PASS):
    """Return somebody's decision."""
    return Decision(who, on, outcome)


def submitted():
    """Return a portfolio that was handed in and is enough."""
    portfolio, _ = practice.open_portfolio(CANDIDACY)
    portfolio, _ = practice.add_evidence(portfolio, (piece("e1"),), RULES)
    portfolio, _ = practice.submit(portfolio, DAY, RULES, NOBODY)
    return portfolio


def test_evidence_counts_from_the_day_it_was_made_until_the_day_it_is_withdrawn():
    """Both days are included: made today counts today, withdrawn today no longer counts today."""
    one = piece("e1").invalidated("consent_withdrawn", DAY + timedelta(2))
    counts = [one.counts_on(DAY + timedelta(offset)) for offset in (-1, 0, 1, 2, 3)]
    assert counts == [False, True, True, False, False]


def test_invalidation_later_than_a_submission_leaves_that_submission_as_it_was():
    """A submission is judged by its own day, even when a later withdrawal is known already."""
    portfolio, _ = practice.open_portfolio(CANDIDACY)
    portfolio, _ = practice.add_evidence(portfolio, (piece("e1"),), RULES)
    portfolio, _ = practice.invalidate_evidence(portfolio, "e1", "consent_withdrawn", DAY + timedelta(5))
    portfolio, _ = practice.submit(portfolio, DAY, RULES, NOBODY)
    assert portfolio.state is State.SUBMITTED
    verified, _ = practice.verify(portfolio, by("supervisor", DAY + timedelta(4)), RULES, NOBODY)
    with pytest.raises(EvidenceMissing) as refused:
        practice.recommend(verified, by("assessor", DAY + timedelta(5)), RULES, NOBODY)
    assert refused.value.missing == ("domain:alpha", "observation", "observation_not_by_line_manager")


def test_evidence_added_after_handing_in_needs_a_new_submission():
    """What was handed in is what is decided upon: a later piece waits for the next handing-in."""
    portfolio, _ = practice.invalidate_evidence(submitted(), "e1", "consent_withdrawn", DAY)
    portfolio, _ = practice.add_evidence(portfolio, (piece("e2"),), RULES)
    with pytest.raises(EvidenceMissing):
        practice.verify(portfolio, by("supervisor"), RULES, NOBODY)
    portfolio, events = practice.submit(portfolio, DAY, RULES, NOBODY)
    assert (portfolio.state, len(events)) == (State.SUBMITTED, 1)
    assert practice.verify(portfolio, by("supervisor"), RULES, NOBODY)[0].state is State.VERIFIED


def test_verified_and_sufficient_portfolio_is_not_handed_in_again():
    """A verified portfolio is decided upon; only withdrawn evidence opens it again, and then decisions fall."""
    verified, _ = practice.verify(submitted(), by("supervisor"), RULES, NOBODY)
    with pytest.raises(StepOutOfOrder):
        practice.submit(verified, DAY, RULES, NOBODY)
    withdrawn, _ = practice.invalidate_evidence(verified, "e1", "consent_withdrawn", DAY)
    again, _ = practice.submit(withdrawn, DAY, RULES, NOBODY)
    assert (again.state, again.verified) == (State.RETURNED, None)


def test_outcome_stands_when_evidence_is_withdrawn_afterwards():
    """Consent may be withdrawn after the outcome; it is recorded and told, and the outcome stands."""
    portfolio, _ = practice.verify(submitted(), by("supervisor"), RULES, NOBODY)
    portfolio, _ = practice.recommend(portfolio, by("assessor"), RULES, NOBODY)
    portfolio, _ = practice.confirm(portfolio, by("moderator", outcome=Outcome.FAIL), RULES, NOBODY)
    portfolio, events = practice.invalidate_evidence(portfolio, "e1", "consent_withdrawn", DAY)
    assert (portfolio.practice, len(events)) == ("confirmed_fail", 1)
    assert practice.close(portfolio, DAY) == portfolio
    with pytest.raises(AlreadyInvalidated):
        practice.invalidate_evidence(portfolio, "e1", "other", DAY)
    with pytest.raises(NoEvidence):
        practice.invalidate_evidence(portfolio, "e7", "other", DAY)


@pytest.mark.parametrize(
    ("who", "error"), [("candidate", OwnPortfolio), ("supervisor", SamePersonTwice), ("assessor", SamePersonTwice)]
)
def test_i11_confirmation_needs_a_third_person(who, error):
    """Neither the candidate nor whoever verified or recommended confirms."""
    portfolio, _ = practice.verify(submitted(), by("supervisor"), RULES, NOBODY)
    portfolio, _ = practice.recommend(portfolio, by("assessor"), RULES, NOBODY)
    with pytest.raises(error):
        practice.confirm(portfolio, by(who), RULES, NOBODY)


def test_set_without_verification_goes_from_submission_to_recommendation():
    """Where the partnership asks for no supervisor's verification, the assessor may follow the submission."""
    rules = EvidenceRules("small", "one", ("alpha",), 1, (), is_verification_required=False)
    assert practice.recommend(submitted(), by("assessor"), rules, NOBODY)[0].state is State.RECOMMENDED


class PortfolioLife(RuleBasedStateMachine):
    """Any order of steps, dates and people; refused ones change nothing."""

    people = some.sampled_from(["candidate", "ann", "ben", "cat"])
    days = some.integers(0, 6).map(lambda offset: DAY + timedelta(offset))

    def __init__(self) -> None:
        super().__init__()
        self.portfolio, _ = practice.open_portfolio(CANDIDACY)
        self.told = []

    def attempt(self, step, *given):
        """Try a step; keep what comes of it."""
        try:
            self.portfolio, events = step(self.portfolio, *given)
        except PlatformError:
            return
        self.told += events

    @rule(number=some.integers(0, 3), made_on=days)
    def add(self, number, made_on):
        """Add a piece."""
        self.attempt(practice.add_evidence, (piece(f"e{number}", made_on),), RULES)

    @rule(number=some.integers(0, 3), on=days)
    def invalidate(self, number, on):
        """Withdraw consent."""
        self.attempt(practice.invalidate_evidence, f"e{number}", "consent_withdrawn", on)

    @rule(on=days)
    def submit(self, on):
        """Hand in."""
        self.attempt(practice.submit, on, RULES, NOBODY)

    @rule(step=some.sampled_from([practice.verify, practice.recommend, practice.confirm]), who=people, on=days)
    def decide(self, step, who, on):
        """Decide."""
        self.attempt(step, by(who, on), RULES, NOBODY)

    @invariant()
    def outcome_is_told_once_by_three_people_none_the_candidate(self):
        """A confirmed portfolio has three deciders, ordered dates and one event."""
        confirmed = [event for event in self.told if isinstance(event, practice.PracticeConfirmed)]
        assert len(confirmed) == (self.portfolio.state is State.CONFIRMED)
        steps = [self.portfolio.verified, self.portfolio.recommended, self.portfolio.confirmed]
        taken = [step for step in steps if step is not None]
        assert len({step.by_id for step in taken}) == len(taken)
        assert "candidate" not in {step.by_id for step in taken}
        dates = [self.portfolio.submissions[-1].submitted_on, *(step.on for step in taken)] if taken else []
        assert dates == sorted(dates)

    @invariant()
    def state_follows_from_the_last_submission(self):
        """Returned means that something was missing on that day, submitted that nothing was."""
        if self.portfolio.submissions:
            assert bool(self.portfolio.submissions[-1].missing) == (self.portfolio.state is State.RETURNED)


TestPortfolioLife = PortfolioLife.TestCase
TestPortfolioLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
