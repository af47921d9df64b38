"""The board's database keeps what reactions tell it, as projections in memory do."""

from __future__ import annotations

import random

import pytest

from services.reporting.api.bodies import projection_rows
from services.reporting.domain.publication import TITLES
from services.reporting.domain.rollups import NOTHING


def live_reports(house):
    """Return the five tables as the database has them now."""
    tables = house.desk.projections(house.unit.reading(house.board))
    return {name: projection_rows(tables, name) for name in TITLES}


@pytest.mark.parametrize("batch", [1, 7, 200, 5000])
def test_database_gives_the_scenarios_reports_whatever_the_batches(house, batch, in_order):
    """One event a transaction or all in one: the tables are the scenario's."""
    feeds = {feed: events[: 60 if batch == 1 else None] for feed, events in house.story.feeds.items()}
    house.tell(in_order(feeds), batch)
    if batch > 1:
        assert live_reports(house) == house.story.reports


def test_database_agrees_with_memory_after_half_a_term(house, tell, shuffled):
    """Every bucket in the database is the bucket in memory, in the middle of an interleaved term."""
    order = shuffled(house.story.feeds, random.Random(7))[:450]  # noqa: S311 - an order, not a secret
    house.tell(order, 50)
    memory = tell(house.story.partnership, order)
    counted = house.desk.rooms.counted(house.unit.reading(house.board))
    assert dict(counted.counts()) == {bucket: counts for bucket, counts in memory.buckets.items() if counts != NOTHING}
    assert counted.courses() == memory.courses()
    kept = {bucket: counts.paired for bucket, counts in counted.changes().items()}
    assert kept == {bucket: counts.paired for bucket, counts in memory.change_buckets.items()}


def test_publication_comes_back_as_it_was_kept(told_house):
    """Means, suppressed and empty cells, notes, labels and positions survive the database."""
    house = told_house
    identifier = house.publish().get_json()["id"]
    publications = house.desk.rooms.publications(house.unit.reading(house.board))
    found = publications.find(identifier)
    assert found is not None
    assert publications.all() == (found,)
    assert {type(cell).__name__ for row in found.table("self_assessment_change").rows for cell in row} == {
        "str",
        "int",
        "Decimal",
    }
    assert found.table("funnel").rows[2][5] is None
