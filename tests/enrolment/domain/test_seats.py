"""Seats and queue under any interleaving: never past capacity or quota, reserved places kept, order of arrival held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.enrolment.domain import seats
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.seats import Cohort, Quota, Terms

EMPLOYERS = ("brent", "ealing", "harrow")


def _quotas(most):
    limit = st.one_of(st.none(), st.integers(0, most))
    one = st.tuples(limit, st.integers(0, 2)).filter(lambda pair: pair[0] is None or pair[1] <= pair[0])
    return st.fixed_dictionaries({}, optional=dict.fromkeys(EMPLOYERS, one)).map(
        lambda found: tuple(Quota(employer, *found[employer]) for employer in sorted(found))
    )


class CohortMachine(RuleBasedStateMachine):
    """Requests, withdrawals, closings and changes of capacity and quotas in any order, beside a plain list."""

    @initialize(capacity=st.integers(0, 6), quotas=_quotas(4))
    def open_it(self, capacity, quotas):
        """Begin with an empty cohort, with quotas where they fit."""
        try:
            self.cohort = Cohort(capacity, terms=Terms(quotas))
        except RuleSaysNo:
            self.cohort = Cohort(capacity)
        self.people: dict[int, tuple[str, str]] = {}

    @rule(employer=st.sampled_from(EMPLOYERS))
    def somebody_asks(self, employer):
        """One more request; it gets a seat only if nobody waits who could take it."""
        before = self.cohort
        self.cohort, answer = seats.ask(before, employer)
        if before.closed:
            assert answer.state == seats.DECLINED
            return
        assert (answer.state == seats.SEAT) == (self._could_take(before, employer) and not seats.in_turn(before))
        self.people[answer.number] = (employer, answer.state)
        if answer.state == seats.WAITING:
            assert answer.position == len(self._in(seats.WAITING))

    @precondition(lambda self: self._in(seats.SEAT) or self._in(seats.WAITING))
    @rule(data=st.data())
    def somebody_leaves(self, data):
        """One who has a seat or waits withdraws; a seat goes to one at most, and nobody moves for who waited."""
        number = data.draw(st.sampled_from(self._in(seats.SEAT) + self._in(seats.WAITING)))
        employer, state = self.people[number]
        self.cohort = seats.leave(self.cohort, employer, state)
        self.people[number] = (employer, seats.LEFT)
        assert len(self._fill()) <= (state == seats.SEAT)

    @precondition(lambda self: self._in(seats.SEAT) or self._in(seats.WAITING))
    @rule(data=st.data(), to=st.sampled_from(EMPLOYERS))
    def somebody_changes_employer(self, data, to):
        """A transfer carries the place under its number: a seat stays one where the other employer may have it."""
        number = data.draw(st.sampled_from(self._in(seats.SEAT) + self._in(seats.WAITING)))
        employer, state = self.people[number]
        self.cohort, after = seats.hand_over(self.cohort, employer, to, state)
        assert after == state or (state, after) == (seats.SEAT, seats.WAITING)
        self.people[number] = (to, after)
        self._fill()

    @rule(capacity=st.integers(0, 9), quotas=_quotas(4))
    def terms_change(self, capacity, quotas):
        """The owner changes capacity and quotas; what would take somebody's seat away is refused."""
        taken = {employer: len(self._in(seats.SEAT, employer)) for employer in EMPLOYERS}
        kept = sum(max(0, quota.reserved - taken[quota.employer]) for quota in quotas)
        over = any(quota.at_most is not None and taken[quota.employer] > quota.at_most for quota in quotas)
        if over or sum(taken.values()) + kept > capacity:
            with pytest.raises(RuleSaysNo):
                seats.change(self.cohort, capacity, Terms(quotas))
            return
        self.cohort = seats.change(self.cohort, capacity, Terms(quotas))
        self._fill()

    @rule()
    def it_is_closed(self):
        """The owner closes the cohort; its queue still moves."""
        self.cohort = replace(self.cohort, closed=True)

    def _fill(self):
        """Promote as the handler does, and hold each promotion against the plain list."""
        promoted = []
        while employers := seats.in_turn(self.cohort):
            could = [n for n in self._in(seats.WAITING) if self._could_take(self.cohort, self.people[n][0])]
            first = min(n for n in self._in(seats.WAITING) if self.people[n][0] in employers)
            assert first == could[0]
            self.cohort = seats.promote(self.cohort, self.people[first][0], first)
            self.people[first] = (self.people[first][0], seats.SEAT)
            promoted.append(first)
        return promoted

    def _could_take(self, cohort, employer):
        """Say by the plain list whether this employer could have one more seat."""
        quotas = {quota.employer: quota for quota in cohort.terms.quotas}
        own = quotas.get(employer)
        if own and own.at_most is not None and len(self._in(seats.SEAT, employer)) >= own.at_most:
            return False
        kept = sum(
            max(0, quota.reserved - len(self._in(seats.SEAT, other)))
            for other, quota in quotas.items()
            if other != employer
        )
        return cohort.capacity - len(self._in(seats.SEAT)) - kept > 0

    def _in(self, state, employer=None):
        return sorted(n for n, (who, found) in self.people.items() if found == state and employer in (None, who))

    @invariant()
    def counts_are_true_and_nothing_is_exceeded(self):
        """The counts are the truth; capacity and quotas hold; reserved places can still be taken."""
        if not hasattr(self, "cohort"):
            return
        cohort = self.cohort
        assert cohort.taken == len(self._in(seats.SEAT)) <= cohort.capacity
        assert cohort.waiting == len(self._in(seats.WAITING))
        for employer in EMPLOYERS:
            share, quota = cohort.share_of(employer), cohort.terms.of(employer)
            assert share.taken == len(self._in(seats.SEAT, employer))
            assert share.waiting == len(self._in(seats.WAITING, employer))
            assert quota.at_most is None or share.taken <= quota.at_most
            assert all(number >= share.waits_from for number in self._in(seats.WAITING, employer))
            if share.taken < quota.reserved:
                assert share.waiting == 0
                assert cohort.may_take(employer)

    @invariant()
    def nobody_waits_who_could_have_a_seat(self):
        """Every change is followed by all the promotions that it allows."""
        if hasattr(self, "cohort"):
            assert seats.in_turn(self.cohort) == ()
            assert not any(self._could_take(self.cohort, self.people[n][0]) for n in self._in(seats.WAITING))


CohortMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestE8SeatsInAnyInterleaving = CohortMachine.TestCase


class PlainMachine(RuleBasedStateMachine):
    """Without quotas: seats until the capacity is reached, then the queue, whoever the employer is."""

    @initialize(capacity=st.integers(0, 4))
    def open_it(self, capacity):
        """Begin with an empty cohort."""
        self.cohort = Cohort(capacity)
        self.seated: list[tuple[int, str]] = []
        self.queue: list[tuple[int, str]] = []

    @rule(employer=st.sampled_from(EMPLOYERS))
    def somebody_asks(self, employer):
        """One more request."""
        had_room = len(self.seated) < self.cohort.capacity
        self.cohort, answer = seats.ask(self.cohort, employer)
        assert answer.state == (seats.SEAT if had_room else seats.WAITING)
        (self.seated if had_room else self.queue).append((answer.number, employer))

    @precondition(lambda self: self.seated)
    @rule(data=st.data())
    def a_seat_is_freed(self, data):
        """The head of the queue has it, whoever its employer is."""
        leaving = data.draw(st.sampled_from(self.seated))
        self.seated.remove(leaving)
        self.cohort = seats.leave(self.cohort, leaving[1], seats.SEAT)
        if self.queue:
            head = self.queue.pop(0)
            assert head[1] in seats.in_turn(self.cohort)
            self.cohort = seats.promote(self.cohort, head[1], head[0])
            self.seated.append(head)
        assert seats.in_turn(self.cohort) == ()


PlainMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestE8WithoutQuotasNothingIsPassedOver = PlainMachine.TestCase


def _asked(cohort, *employers):
    answers = []
    for employer in employers:
        cohort, answer = seats.ask(cohort, employer)
        answers.append(answer.state)
    return cohort, answers


def test_e8_who_leaves_the_queue_promotes_nobody():
    """Only a freed seat moves the queue."""
    cohort, _ = _asked(Cohort(1), "brent", "ealing")
    left = seats.leave(cohort, "ealing", seats.WAITING)
    assert (left.taken, left.waiting, seats.in_turn(left)) == (1, 0, ())


def test_e8_a_quota_is_passed_over_and_the_next_employer_takes_the_free_seat():
    """Brent's second waits for Brent's quota; Ealing, who came later, has the free seat at once."""
    cohort, answers = _asked(Cohort(3, terms=Terms((Quota("brent", at_most=1),))), "brent", "brent", "ealing")
    assert answers == [seats.SEAT, seats.WAITING, seats.SEAT]
    assert seats.in_turn(seats.leave(cohort, "ealing", seats.SEAT)) == ()
    assert seats.in_turn(seats.leave(cohort, "brent", seats.SEAT)) == ("brent",)


def test_e12_a_reciprocal_place_is_kept_for_its_partner():
    """The hospice's place is nobody else's, and is there when it asks, however late."""
    terms = Terms((Quota("hospice", reserved=1),))
    cohort, answers = _asked(Cohort(2, terms=terms), "brent", "brent", "hospice")
    assert answers == [seats.SEAT, seats.WAITING, seats.SEAT]
    freed = seats.leave(cohort, "hospice", seats.SEAT)
    assert seats.in_turn(freed) == (), "the place goes back to the hospice, not to the queue"


def test_e12_partner_only_cohorts_decline_others_with_the_reason():
    """Who is not invited is told so, and takes no number."""
    cohort, answer = seats.ask(Cohort(2, terms=Terms(invited=("hospice",))), "brent")
    assert (answer.state, answer.reason, cohort.arrivals) == (seats.DECLINED, seats.NOT_INVITED, 0)


def test_e12_who_waits_keeps_waiting_when_the_invitation_ends():
    """An invitation is for asking; a place in the queue is not taken away."""
    cohort, _ = _asked(Cohort(1), "brent", "ealing")
    cohort = seats.change(cohort, 1, Terms(invited=("brent",)))
    assert seats.in_turn(seats.leave(cohort, "brent", seats.SEAT)) == ("ealing",)


@pytest.mark.parametrize(
    ("capacity", "quotas", "sentence"),
    [
        (2, (), "3 seats are taken; the capacity cannot be less"),
        (4, (Quota("brent", at_most=1),), "brent has 2 seats; its quota cannot be less"),
        (
            4,
            (Quota("harrow", reserved=2),),
            "3 seats are taken and 2 more are reserved; the capacity cannot be less than both",
        ),
    ],
)
def test_e8_terms_that_would_take_a_seat_away_are_refused_with_how_many_are_taken(capacity, quotas, sentence):
    """The owner reads why, and how far it can go down."""
    cohort, _ = _asked(Cohort(3), "brent", "brent", "ealing")
    with pytest.raises(RuleSaysNo, match=sentence):
        seats.change(cohort, capacity, Terms(quotas))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Quota("brent", at_most=1, reserved=2),
        lambda: Terms((Quota("brent"), Quota("brent"))),
        lambda: Terms((Quota("brent"),), invited=("ealing",)),
        lambda: Terms(invited=("ealing", "ealing")),
    ],
)
def test_e12_terms_that_contradict_themselves_are_refused(make):
    """A quota is told once, for who may ask, with room for what is reserved."""
    with pytest.raises(RuleSaysNo):
        make()


def test_nobody_is_promoted_out_of_turn():
    """The rule does not trust who asks it."""
    cohort, _ = _asked(Cohort(1), "brent", "ealing")
    with pytest.raises(RuleSaysNo):
        seats.promote(cohort, "ealing", 2)
