"""A page asked for span by span is the page that one plain question gives, and no question reads the whole list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.identifiers import new_identifier
from shared.storage import pages
from shared.storage.pages import (
    MILESTONE,
    MILESTONE_INDEX,
    MOST_LOOKED,
    WHOLE_LIST_INDEX,
    WIDEST,
    Counted,
    Paged,
    milestone_of,
)
from shared.storage.rows import Rows

KINDS, COLOURS = ("a", "b", "c"), ("red", "blue", "green")
SERVED = (("kind",), ("owner",), ("kind", "colour"))


def plain(documents: list[dict[str, Any]], wanted: Mapping[str, object]) -> list[dict[str, Any]]:
    """Return what matches in order of id, by looking at every row."""
    return sorted(
        (one for one in documents if all(one.get(name) == value for name, value in wanted.items())),
        key=lambda one: one["_id"],
    )


def paged(rows: Rows) -> Paged:
    """Return the list that is asked."""
    return Paged(rows, SERVED, few=("owner",))


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, object], str | None, int]:
    """Lists in which every id may be a milestone, what is wanted, from where, how many."""
    numbers = draw(st.sets(st.integers(0, 400), max_size=90))
    stones = draw(st.sampled_from([1, 2, 7, 50, 1000]))
    documents = [
        {
            "_id": f"{number:04d}",
            "kind": draw(st.sampled_from(KINDS)),
            "colour": draw(st.sampled_from(COLOURS)),
            "owner": str(number // 3),
            **({MILESTONE: f"{number:04d}"} if number % stones == 0 else {}),
        }
        for number in numbers
    ]
    fields = {"kind": st.sampled_from(KINDS), "colour": st.sampled_from(COLOURS), "owner": st.just("7")}
    wanted = draw(st.fixed_dictionaries({}, optional=fields))
    start = draw(st.none() | st.integers(0, 410).map(lambda number: f"{number:04d}"))
    return documents, wanted, start, draw(st.integers(1, 60))


@pytest.fixture(scope="module")
def rows(mongo_client) -> Rows:
    """A collection with a list's indexes."""
    collection = mongo_client[f"t_pages_{new_identifier()[-8:]}"]["things"]
    collection.create_index(MILESTONE_INDEX, sparse=True)
    for keys in (WHOLE_LIST_INDEX, *[[*((name, 1) for name in names), ("_id", 1)] for names in SERVED]):
        collection.create_index(keys)
    return Rows(collection, None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=lists())
def test_pages_are_those_of_one_plain_question(rows, asked):
    """Forwards, backwards and counted, with any filter, from anywhere, however milestones lie."""
    documents, wanted, start, limit = asked
    rows.delete_many({})
    rows.insert_many(documents)
    every = plain(documents, wanted)
    later = [one for one in every if start is None or one["_id"] > start]
    assert paged(rows).page(wanted, after=start, limit=limit) == later[:limit]
    if start is not None:
        assert (
            paged(rows).page_before(wanted, before=start, limit=limit)
            == plain([one for one in every if one["_id"] < start], {})[-limit:]
        )
    assert paged(rows).count(wanted, limit) == min(limit, len(every))
    assert paged(rows).counted(wanted, limit) == Counted(min(limit, len(every)), len(every) <= limit)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=lists(), most=st.integers(1, 30))
def test_parts_one_after_the_other_are_the_whole_list(rows, asked, most):
    """However early each ends: nothing is left out, nothing comes twice, and the last one says that it is the last."""
    documents, wanted, _, limit = asked
    rows.delete_many({})
    rows.insert_many(documents)
    every = plain(documents, wanted)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pages, "MOST_LOOKED", most)
        found, after = [], None
        while True:
            part = paged(rows).part(wanted, after=after, limit=limit)
            found += part.rows
            after = part.reached or (part.rows[-1]["_id"] if len(part.rows) == limit else None)
            if after is None:
                break
        assert found == every
        found, before = [], "9999"
        while True:
            part = paged(rows).part_before(wanted, before=before, limit=limit)
            found = part.rows + found
            before = part.reached or (part.rows[0]["_id"] if len(part.rows) == limit else None)
            if before is None:
                break
        assert found == every
        counted = paged(rows).counted(wanted, limit)
        assert counted.number <= min(limit, len(every))
        assert not counted.is_all or counted.number == len(every) <= limit


class Watched(Rows):
    """Rows that note what is asked of them, and how many documents an ungrateful database would have read for it."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents
        self.read: list[int] = []

    def find(self, filter, *, sort=None, limit=0, projection=None):  # noqa: ARG002 - nothing is left out
        """Answer from memory; what matches was read, whatever the limit is."""
        found = [one for one in self.documents if all(_meets(one.get(name), told) for name, told in filter.items())]
        self.read.append(len(found))
        found.sort(key=lambda one: one[sort[0][0]], reverse=sort[0][1] < 0)
        return found[: limit or None]


def _meets(value: object, told: object) -> bool:
    tests = {
        "$gt": lambda bound: value > bound,
        "$gte": lambda bound: value >= bound,
        "$lt": lambda bound: value < bound,
        "$lte": lambda bound: value <= bound,
    }
    if isinstance(told, Mapping):
        return value is not None and all(tests[name](bound) for name, bound in told.items())
    return value == told


def long_list(length: int) -> list[dict[str, Any]]:
    """A list whose every 256th id is a milestone, the rare kind only near its end."""
    ids = [f"{number // 256:06x}{number % 256:02x}" for number in range(length)]
    return [
        {"_id": name, "kind": "a" if number < length - 100 else "c", **milestone_of(name)}
        for number, name in enumerate(ids)
    ]


@pytest.mark.parametrize("wanted", [{}, {"kind": "a"}, {"kind": "c"}, {"kind": "none"}], ids=str)
@pytest.mark.parametrize("length", [1_000, 20_000])
def test_no_question_of_a_page_reads_more_than_a_span(wanted, length):
    """However long the list and however rare what is wanted: one span at a time, and few questions."""
    watched = Watched(long_list(length))
    Paged(watched, SERVED).page(wanted, limit=51)
    assert max(watched.read) <= WIDEST * 256
    assert len(watched.read) <= 8 + length // (WIDEST * 256)


@pytest.mark.parametrize("length", [20_000, 60_000])
def test_a_part_looks_through_a_bounded_number_of_rows_of_which_none_matches(length):
    """Two fields without a common index, and nothing has both: the part ends with the id to look on from."""
    documents = [{**one, "kind": "a", "colour": "red"} for one in long_list(length)]
    served = (("kind",), ("colour",))
    wanted = {"kind": "a", "colour": "blue"}
    bound = MOST_LOOKED + WIDEST * 256
    for ask in (
        lambda listed: listed.part(wanted, limit=51),
        lambda listed: listed.part_before(wanted, before="g", limit=51),
    ):
        watched = Watched(documents)
        part = ask(Paged(watched, served))
        assert part.rows == []
        assert part.reached in {one["_id"] for one in documents}
        assert sum(watched.read) <= bound + length // 256
    watched = Watched(documents)
    assert Paged(watched, served).counted(wanted, 1_000) == Counted(0, is_all=False)
    assert sum(watched.read) <= bound + length // 256


def test_what_is_dense_is_found_in_the_first_spans():
    """A first page, a page in the middle and the last one each read a few hundred rows."""
    documents = long_list(20_000)
    for after in (None, documents[9_999]["_id"], documents[-30]["_id"]):
        watched = Watched(documents)
        Paged(watched, SERVED).page({"kind": "a"}, after=after, limit=51)
        assert sum(watched.read) <= 3 * 256 + 20_000 // 256


def test_one_id_in_256_is_a_milestone():
    """Whatever made it: the last two digits are random in both kinds of id."""
    assert milestone_of("0192f3a0-0000-7000-8000-00000000ab00") == {MILESTONE: "0192f3a0-0000-7000-8000-00000000ab00"}
    assert milestone_of("0192f3a0-0000-7000-8000-00000000ab01") == {}
    found = sum(bool(milestone_of(new_identifier())) for _ in range(20_000))
    assert 20 <= found <= 160
