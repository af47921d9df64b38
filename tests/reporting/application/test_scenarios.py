"""A term's events become the reports that the scenario expects, in every interleaving of the feeds."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.api.bodies import projection_rows
from services.reporting.application.queries import rollups_of
from services.reporting.domain.publication import TITLES
from services.reporting.domain.tables import five_tables


def reports_of(memory, terms):
    """Return the five tables as a scenario writes them."""
    tables = five_tables(rollups_of(memory, terms))
    return {name: projection_rows(tables, name) for name in TITLES}


def test_reports_are_the_scenarios(story, tell, in_order):
    """All five tables, raw and published, equal the scenario's."""
    memory = tell(story.partnership, in_order(story.feeds))
    assert reports_of(memory, story.terms) == story.reports


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_reports_are_the_same_in_every_interleaving(seed, north_west_london, tell, shuffled):
    """Whatever feed is read first, the tables end the same."""
    chance = random.Random(seed)  # noqa: S311 - an order, not a secret
    memory = tell(north_west_london.partnership, shuffled(north_west_london.feeds, chance))
    assert reports_of(memory, north_west_london.terms) == north_west_london.reports


def test_reports_do_not_change_when_all_is_told_again(north_west_london, tell, in_order):
    """Hearing everything a second time moves nothing."""
    once = in_order(north_west_london.feeds)
    memory = tell(north_west_london.partnership, [*once, *once])
    assert reports_of(memory, north_west_london.terms) == north_west_london.reports
