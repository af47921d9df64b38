"""No list reads more than it shows because of how many there are: every filter is served by an index.

The plans are the real database's own, of the very questions that a page asks (`shared/storage/pages.py`). The local
profile's database (SecantusDB) uses an index only where it holds every field that is asked for, and sorts what it
found. MongoDB takes the order from the index too; what the local database cannot show of that is asserted of the
indexes themselves: each filter has one with its order (equal fields first, `_id` last).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from services.enrolment.application.ports import EnrolmentFilter
from services.enrolment.storage import indexes
from services.enrolment.storage.repositories import FEW, SERVED, asked
from services.enrolment.storage.task_repositories import SOURCES, StoredTasks
from shared.identifiers import new_identifier
from shared.storage.mongo import Collections
from shared.storage.pages import MILESTONE, Paged
from shared.storage.rows import Rows
from shared.storage.unit_of_work import Reading

FILTERS = tuple(field.name for field in fields(EnrolmentFilter))
LISTED = [*((name,) for name in FILTERS), ("course", "intake"), ("course", "status")]
"""Each filter alone, and those that lists ask for together."""

TWO_RANGES = ("refused_rows", "failed_notice")
"""Tasks found by a state and two ranges, for which the local database uses no index. MongoDB does; the lists of files
and of digests are short."""


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
            **({MILESTONE: f"{number:06d}"} if number % 50 == 0 else {}),
        }
        for number in range(300)
    ]
    database["enrolments"].insert_many(rows)
    return database


class Explained(Rows):
    """Rows that have the database explain every question before it answers it."""

    def __init__(self, collection) -> None:
        super().__init__(collection, None)
        self.plans: list[list[dict[str, Any]]] = []

    def find(self, filter, *, sort=None, limit=0, projection=None):
        """Note the plan, then answer."""
        plan = self._collection.find(filter, projection, sort=sort, limit=limit).explain()
        self.plans.append(list(stages(plan["queryPlanner"]["winningPlan"])))
        return super().find(filter, sort=sort, limit=limit, projection=projection)


def walks(brent, wanted: dict[str, object]) -> Iterator[list[dict[str, Any]]]:
    """Yield the plan of every question that a first page, a next page, a page before and a count ask."""
    rows = Explained(brent["enrolments"])
    listed = Paged(rows, SERVED, FEW)
    listed.page(wanted, limit=51)
    listed.page(wanted, after="000100", limit=51)
    listed.page_before(wanted, before="000200", limit=51)
    listed.count(wanted, 100)
    assert len(rows.plans) >= 4
    yield from rows.plans


@pytest.mark.parametrize("names", LISTED, ids="+".join)
def test_every_filter_of_the_list_of_enrolments_finds_by_an_index(brent, names):
    """Forwards, backwards and counted: nothing but an index of these fields, or of milestones, is walked through."""
    for found in walks(brent, asked(EnrolmentFilter(**dict.fromkeys(names, "x")))):
        assert "COLLSCAN" not in {stage["stage"] for stage in found}, names
        scanned = next(stage for stage in found if stage["stage"] == "IXSCAN")
        assert next(iter(scanned["keyPattern"])) in (*names, MILESTONE)


@pytest.mark.parametrize(("first", "second"), [*combinations(FILTERS, 2)])
def test_any_two_filters_together_find_by_an_index(brent, first, second):
    """Where no index has both, one of them is walked, in spans, and the other looked at row by row."""
    for found in walks(brent, asked(EnrolmentFilter(**{first: "x", second: "y"}))):
        assert "COLLSCAN" not in {stage["stage"] for stage in found}


def test_the_list_without_a_filter_is_walked_by_an_index(brent):
    """In spans between milestones: forwards and backwards, no question reads the whole collection."""
    rows = Explained(brent["enrolments"])
    listed = Paged(rows, SERVED, FEW)
    listed.page({}, limit=51)
    listed.page({}, after="000100", limit=51)
    listed.page_before({}, before="000200", limit=51)
    assert any("_id" in stage.get("keyPattern", {}) for plan in rows.plans for stage in plan)
    for plan in rows.plans:
        assert "COLLSCAN" not in {stage["stage"] for stage in plan}


@pytest.mark.parametrize("names", SERVED, ids="+".join)
def test_every_served_filter_has_its_index(names):
    """What the pages ask by is what is made: these fields, `_id` last."""
    assert [*((name, 1) for name in names), ("_id", 1)] in indexes._INDEXES["enrolments"]


@pytest.mark.parametrize("name", FILTERS)
def test_every_single_filter_has_an_index_in_the_lists_own_order(name):
    """Equal field first and `_id` last: a page is a stretch of the index, however long the list is."""
    assert [(name, 1), ("_id", 1)] in indexes._INDEXES["enrolments"]


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_task_is_found_by_an_index(brent, kind, monkeypatch):
    """Counted, the oldest and the first ones: the database explains every question that the list of tasks asks."""
    plans: list[tuple[dict[str, Any], list[str]]] = []
    find, find_one, count = Rows.find, Rows.find_one, Rows.count

    def explain(rows, filter, **more):
        plan = rows._collection.find(filter, **more).explain()["queryPlanner"]["winningPlan"]
        plans.append((filter, [stage["stage"] for stage in stages(plan)]))

    def explained_find(rows, filter, **more):
        explain(rows, filter, **more)
        return find(rows, filter, **more)

    def explained_find_one(rows, filter, *more, **named):
        explain(rows, filter, sort=named.get("sort"))
        return find_one(rows, filter, *more, **named)

    def explained_count(rows, filter, **more):
        explain(rows, filter)
        return count(rows, filter, **more)

    monkeypatch.setattr(Rows, "find", explained_find)
    monkeypatch.setattr(Rows, "find_one", explained_find_one)
    monkeypatch.setattr(Rows, "count", explained_count)

    tasks = StoredTasks(Reading("brent", datetime(2025, 7, 1, tzinfo=UTC), Collections(brent)))
    tasks.count(kind, 1_000)
    tasks.oldest(kind)
    tasks.some(kind, None, 50)
    tasks.some(kind, new_identifier(), 50)
    assert plans
    if kind in TWO_RANGES:
        begun = {keys[0][0] for keys in indexes._INDEXES[SOURCES[kind].collection]}
        assert all(begun & set(filter) for filter, _ in plans)
        return
    for filter, found in plans:
        assert "COLLSCAN" not in found, (filter, found)
