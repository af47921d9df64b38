"""No list reads more than it shows because of how many there are: every filter is served by an index.

The plans are the real database's own. The local profile's database (SecantusDB) uses an index only where it holds
every field that is asked for, sorts what it found, and reads a list without any filter as a whole. MongoDB uses one
for a part of the fields too, and takes the order from it. What the local database cannot show is therefore asserted
of the indexes themselves: each filter has one with its order (equal fields first, `_id` last).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from services.enrolment.application.ports import EnrolmentFilter
from services.enrolment.storage import indexes
from services.enrolment.storage.repositories import asked
from services.enrolment.storage.task_repositories import SOURCES
from shared.identifiers import new_identifier

FILTERS = tuple(field.name for field in fields(EnrolmentFilter))
LISTED = [*((name,) for name in FILTERS), ("course", "intake"), ("course", "status")]
"""Each filter alone, and those that lists ask for together."""


def stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a winning plan's stages from the top."""
    yield plan
    if "inputStage" in plan:
        yield from stages(plan["inputStage"])


@pytest.fixture(scope="module")
def brent(mongo_client):
    """A database with the indexes and some enrolments."""
    database = mongo_client[f"t_query_plans_{new_identifier()[-8:]}"]
    indexes.prepare(database)
    rows = [
        {
            "_id": f"{number:06d}",
            "status": ("requested", "confirmed")[number % 2],
            "course": f"C{number % 7}",
            "intake": f"2025-{number % 3}",
            "employee_ref": f"{number // 2}",
            "practitioner_id": f"p{number // 2}",
            "pcf_level": ("SW", "ESW")[number % 2],
            "route": ("practice_only", "practice_and_academic")[number % 2],
            "requested_on": "2025-07-01",
        }
        for number in range(300)
    ]
    database["enrolments"].insert_many(rows)
    return database


@pytest.mark.parametrize("names", LISTED, ids="+".join)
def test_every_filter_of_the_list_of_enrolments_finds_by_an_index(brent, names):
    """On the first page and on the next: nothing but the index is walked through."""
    wanted = asked(EnrolmentFilter(**dict.fromkeys(names, "x")))
    for after in ({}, {"_id": {"$gt": "000100"}}):
        plan = brent["enrolments"].find({**wanted, **after}, sort=[("_id", 1)], limit=51).explain()
        found = list(stages(plan["queryPlanner"]["winningPlan"]))
        assert "COLLSCAN" not in {stage["stage"] for stage in found}, (names, after)
        scanned = next(stage for stage in found if stage["stage"] == "IXSCAN")
        assert next(iter(scanned["keyPattern"])) in names


@pytest.mark.parametrize("name", FILTERS)
def test_every_single_filter_has_an_index_in_the_lists_own_order(name):
    """Equal field first and `_id` last: a page is a stretch of the index, however long the list is."""
    assert [(name, 1), ("_id", 1)] in indexes._INDEXES["enrolments"]


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_task_is_found_by_an_index(house, kind):
    """The first equal field of each source begins an index of its collection."""
    source = SOURCES[kind]
    wanted = source.wanted(house.unit.clock.now())
    begun = {keys[0][0] for keys in indexes._INDEXES[source.collection]}
    assert begun & set(wanted), kind
