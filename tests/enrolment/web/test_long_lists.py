"""The page of enrolments costs the same however long the list is, and looks only so far where little gets through."""

from __future__ import annotations

import re

import pytest

from shared.storage import pages
from shared.storage.pages import MILESTONE
from shared.storage.rows import Rows
from shared.testing.pages import browser_of
from tests.enrolment.conftest import a_record

STONES = 64
"""One row in as many is a milestone here, so that a list need not be long to be long."""


class Register:
    """An employer's enrolments, grown by copies of one that was nominated."""

    def __init__(self, house) -> None:
        house.open_course()
        house.good("POST", "enrolments", json=a_record())
        house.settle()
        self.rows = house.unit.database("brent")["enrolments"]
        self.one = self.rows.find_one({})
        self.length = 0
        self.rows.delete_many({})

    def grow(self, length: int, **changes: object) -> None:
        """Make the list this long; `changes` are the new rows'."""
        for first in range(self.length, length, 500):
            self.rows.insert_many([self.row(number, changes) for number in range(first, min(first + 500, length))])
        self.length = length

    def row(self, number: int, changes: dict[str, object]) -> dict[str, object]:
        """Return one row of the list."""
        name = f"0192f3a0-0000-7000-8000-{number:012d}"
        milestone = {MILESTONE: name} if number % STONES == 0 else {}
        plain = {key: value for key, value in self.one.items() if key != MILESTONE}
        return {**plain, "_id": name, "enrolment_id": name, **milestone, **changes}


@pytest.fixture
def register(house) -> Register:
    """Brent's list, empty."""
    return Register(house)


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """Note how many enrolments each question's condition gives: what the local database reads, whatever the limit."""
    noted: list[int] = []
    find = Rows.find

    def note(rows, filter, **more):
        if rows._collection.name == "enrolments":
            noted.append(rows._collection.count_documents(filter))
        return find(rows, filter, **more)

    monkeypatch.setattr(Rows, "find", note)
    return noted


def shown(answer) -> str:
    """Return the page's sentence about how many there are."""
    assert answer.status_code == 200
    return re.search(r'<p class="tp-count" role="status">(.*?)</p>', answer.get_data(as_text=True))[1]


def test_the_page_asks_and_reads_no_more_of_a_longer_list(house, register, read):
    """As many questions and as many rows, a page and a capped count, whether there are twelve hundred or four times."""
    hr = browser_of(house.app, "brent", "hr")
    asked = []
    for length in (1_200, 4_800):
        register.grow(length)
        read.clear()
        assert shown(hr.get("/enrolments?route=practice_only")) == "Showing 50 of more than 1,000 enrolments"
        asked.append(list(read))
    few, many = asked
    assert len(few) == len(many)
    assert sum(many) <= sum(few) + 2 * 16 * STONES  # the last span may be cut short by a list's end
    assert sum(many) < 3_000


def test_what_almost_nothing_matches_is_looked_for_part_by_part(house, register, monkeypatch):
    """Two filters without a common index: a page says that it looked at a part, leads on, and finds what there is."""
    monkeypatch.setattr(pages, "MOST_LOOKED", 300)
    register.grow(900, pcf_level="ESW", route="practice_and_academic")
    register.grow(903, pcf_level="ESW")
    hr = browser_of(house.app, "brent", "hr")
    address, looks = "/enrolments?route=practice_only&pcf_level=ESW", 0
    answer = hr.get(address)
    assert shown(answer) == "No enrolment found so far"
    assert "None among those that were looked through." in answer.get_data(as_text=True)
    while further := re.search(r'href="([^"]+)">Look further</a>', answer.get_data(as_text=True)):
        assert 'rel="next"' not in answer.get_data(as_text=True)
        answer = hr.get(further[1].replace("&amp;", "&"))
        looks += 1
        assert looks < 10
    assert looks >= 1
    assert shown(answer) == "Showing 3 of at least 3 enrolments"
    assert 'rel="next"' not in answer.get_data(as_text=True)
    back = re.search(r'href="([^"]+)" rel="prev"', answer.get_data(as_text=True))[1].replace("&amp;", "&")
    before = hr.get(back)
    assert "before=" in re.search(r'href="([^"]+)">Look further</a>', before.get_data(as_text=True))[1]
    assert 'rel="prev"' not in before.get_data(as_text=True)


def test_a_page_over_http_may_end_early_and_next_leads_to_the_rest(house, register, read, monkeypatch):
    """Fewer items than the limit, even none, and `next` is not null; following it finds every one, once."""
    monkeypatch.setattr(pages, "MOST_LOOKED", 300)
    register.grow(900, pcf_level="ESW", route="practice_and_academic")
    register.grow(903, pcf_level="ESW")
    wanted = {"route": "practice_only", "pcf_level": "ESW"}
    read.clear()
    first = house.good("GET", "enrolments", query_string=wanted)
    assert first["items"] == []
    assert sum(read) <= 300 + 16 * STONES + 903 // STONES + 1
    found, pages_read, after = [], 1, first["next"]
    while after is not None:
        part = house.good("GET", "enrolments", query_string={**wanted, "after": after, "limit": "2"})
        found += [one["enrolment_id"] for one in part["items"]]
        pages_read, after = pages_read + 1, part["next"]
    assert found == sorted(set(found))
    assert len(found) == 3
    assert pages_read >= 3


def test_what_leaves_as_a_file_is_whole_however_little_gets_through(house, register, monkeypatch):
    """A download is no page: it looks as far as it must."""
    monkeypatch.setattr(pages, "MOST_LOOKED", 300)
    register.grow(900, pcf_level="ESW", route="practice_and_academic")
    register.grow(903, pcf_level="ESW")
    taken = browser_of(house.app, "brent", "hr").get("/enrolments.csv?route=practice_only&pcf_level=ESW")
    assert len(taken.data.decode("utf-8-sig").strip().splitlines()) == 1 + 3
