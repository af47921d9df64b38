"""Seats and queue under any interleaving: never more than the capacity, and always the order of arrival."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.enrolment.domain import seats
from services.enrolment.domain.errors import RuleSaysNo


class CohortMachine(RuleBasedStateMachine):
    """Requests, withdrawals, closings and changes of capacity in any order, beside a plain list."""

    @initialize(capacity=st.integers(0, 5))
    def open_it(self, capacity):
        """Begin with an empty cohort."""
        self.cohort = seats.Cohort(capacity)
        self.states: dict[int, str] = {}
        self.seated_in_order: list[int] = []

    @rule()
    def somebody_asks(self):
        """One more request."""
        self.cohort, answer = seats.ask(self.cohort)
        if self.cohort.closed:
            assert answer.state == seats.DECLINED
            return
        self.states[answer.number] = answer.state
        if answer.state == seats.SEAT:
            self.seated_in_order.append(answer.number)
        else:
            assert answer.position == len(self._in(seats.WAITING))

    @precondition(lambda self: self._in(seats.SEAT) or self._in(seats.WAITING))
    @rule(data=st.data())
    def somebody_leaves(self, data):
        """One who has a seat or waits withdraws."""
        number = data.draw(st.sampled_from(self._in(seats.SEAT) + self._in(seats.WAITING)))
        waited = self._in(seats.WAITING)
        self.cohort, promotes = seats.leave(self.cohort, self.states[number])
        if promotes:
            self._promote(waited[0])
        self.states[number] = seats.LEFT

    @rule(capacity=st.integers(0, 8))
    def capacity_changes(self, capacity):
        """The owner changes the capacity."""
        if capacity < self.cohort.taken:
            with pytest.raises(RuleSaysNo):
                seats.resize(self.cohort, capacity)
            return
        self.cohort, promoted = seats.resize(self.cohort, capacity)
        for number in self._in(seats.WAITING)[:promoted]:
            self._promote(number)

    @rule()
    def it_is_closed(self):
        """The owner closes the cohort."""
        self.cohort = seats.Cohort(
            self.cohort.capacity, self.cohort.taken, self.cohort.waiting, self.cohort.arrivals, closed=True
        )

    def _promote(self, number):
        self.states[number] = seats.SEAT
        self.seated_in_order.append(number)

    def _in(self, state):
        return sorted(number for number, found in self.states.items() if found == state)

    @invariant()
    def counts_are_true_and_capacity_holds(self):
        """The counts are the truth, and nobody waits beside a free seat."""
        if not hasattr(self, "cohort"):
            return
        assert self.cohort.taken == len(self._in(seats.SEAT)) <= self.cohort.capacity
        assert self.cohort.waiting == len(self._in(seats.WAITING))
        assert not self.cohort.waiting or self.cohort.taken == self.cohort.capacity

    @invariant()
    def seats_are_given_in_the_order_of_arrival(self):
        """Nobody overtakes."""
        if hasattr(self, "cohort"):
            assert self.seated_in_order == sorted(self.seated_in_order)


CohortMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSeatsInAnyInterleaving = CohortMachine.TestCase


def test_who_leaves_the_queue_promotes_nobody():
    """Only a freed seat moves the queue."""
    cohort, _ = seats.ask(seats.Cohort(1))
    cohort, _ = seats.ask(cohort)
    assert seats.leave(cohort, seats.WAITING) == (seats.Cohort(1, taken=1, waiting=0, arrivals=2), False)
