"""People are compared on the route at confirmation, and a place that goes to another employer is counted once."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from services.reporting.application.commands import ConfirmedHeard, FactHeard, NominationHeard
from services.reporting.application.reactions import Reactions
from services.reporting.domain.facts import EnrolmentFacts, Fact
from services.reporting.domain.rollups import Bucket, Counts


def _bucket(route="practice_only", employer="brent"):
    return Bucket(employer, "SAR", route, "SW", "2025-09")


def _nominated(employer="brent", enrolment_id="e1"):
    return lambda board: board.when_nominated(
        NominationHeard(employer, enrolment_id, "SAR", "practice_only", "SW", date(2025, 9, 1))
    )


def _confirmed(route):
    return lambda board: board.when_confirmed(ConfirmedHeard("brent", "e1", route))


def _fact(fact):
    return lambda board: board.when_fact(FactHeard("brent", "e1", fact))


def _counted(memory):
    return {bucket: counts for bucket, counts in memory.buckets.items() if not counts.is_nothing}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_e9_the_route_at_confirmation_is_what_is_counted(memory, order):
    """In any order of reading, and again: one bucket, with everything in it, on the route at confirmation."""
    told = [_nominated(), _confirmed("practice_and_academic"), _fact(Fact.SUBMITTED)]
    board = Reactions(memory)
    for number in (*order, *order):
        told[number](board)
    assert _counted(memory) == {_bucket("practice_and_academic"): Counts(nominated=1, confirmed=1, submitted=1)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_place_that_moved_is_counted_at_the_new_employer_only(memory, order):
    """Whatever was known of it at the old one, in any order; the partnership's total stays one."""
    told = [_nominated(), _confirmed("practice_only"), _fact(Fact.MOVED)]
    board = Reactions(memory)
    for number in order:
        told[number](board)
    _nominated("ealing", "e2")(board)
    assert _counted(memory) == {_bucket(employer="ealing"): Counts(nominated=1)}


def test_a_place_that_nobody_took_on_is_withdrawn():
    """It was a place of the old employer, and it was given back."""
    facts = EnrolmentFacts().requested(_bucket()).confirmed("practice_only").with_fact(Fact.GIVEN_BACK)
    assert facts.adds() == Counts(nominated=1, withdrawn=1)


def test_credit_that_was_awarded_stays_where_it_was_awarded():
    """A move that is told after the award takes nothing away from a published figure."""
    facts = EnrolmentFacts().requested(_bucket()).confirmed("practice_only").awarded("c1", 30)
    assert facts.with_fact(Fact.MOVED).adds() == facts.adds()
