"""A portfolio is on the route that employer and worker have chosen last, until its outcome is confirmed."""

from __future__ import annotations

from dataclasses import replace

from services.assessment.domain.portfolio import Candidacy, Portfolio, State, change_route

PORTFOLIO = Portfolio(Candidacy("e1", "p1", "SAR", "2025-09", "practice_only", "SW", "cpd-portfolio"))


def test_e9_a_portfolio_follows_a_change_of_route_once():
    """The latest counts; an older one that is read again changes nothing."""
    added = change_route(PORTFOLIO, "practice_and_academic", 1)
    dropped = change_route(added, "practice_only", 2)
    assert (added.candidacy.route, dropped.candidacy.route) == ("practice_and_academic", "practice_only")
    assert change_route(dropped, "practice_and_academic", 1) is dropped


def test_a_confirmed_outcome_stays_on_the_route_with_which_it_was_told():
    """So does a portfolio that was closed."""
    for state in (State.CONFIRMED, State.CLOSED):
        over = replace(PORTFOLIO, state=state)
        assert change_route(over, "practice_and_academic", 1) is over
