"""What keeps large files quick: no row is asked for or written by itself, and none is written twice."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.storage.rows import Rows
from tests.enrolment.api.nomination_files import a_file, a_line


def _file(first: int, count: int) -> bytes:
    return a_file(*(a_line(number, email=f"{number}@harrow.example") for number in range(first, first + count)))


@pytest.fixture
def asked(monkeypatch):
    """Note every question and every change that reaches a collection."""
    noted: list[str] = []
    ask = Rows._ask

    def note(rows, question):
        noted.append(rows._collection.name)
        return ask(rows, question)

    monkeypatch.setattr(Rows, "_ask", note)
    return noted


def test_a_file_asks_as_often_for_ninety_rows_as_for_nine(house, asked):
    """Checking and importing go part by part; nothing is looked up row by row."""
    house.open_course(capacity=500)
    often = []
    for first, count in ((100, 9), (200, 90)):
        asked.clear()
        job = house.upload(_file(first, count), "x.csv", org="harrow")
        done = house.confirm(job["id"], org="harrow")
        assert done["counts"]["accepted"] == count
        often.append(len(asked))
    assert often[0] == often[1]


def test_a_part_of_a_file_asks_and_writes_exactly_so_often(house, asked):
    """What 250 rows cost the database is known: keys are looked up a hundred at a time, and each thing once."""
    house.open_course(capacity=500)
    asked.clear()
    job = house.upload(_file(100, 250), "x.csv", org="harrow")
    checked = Counter(asked)
    asked.clear()
    done = house.confirm(job["id"], org="harrow")
    imported = Counter(asked)
    assert done["counts"]["accepted"] == 250
    del checked["uploads"], imported["uploads"]  # jobs: each employer is asked whether one waits
    known_to_the_employer = {
        "catalogue_courses": 1,
        "catalogue_descriptions": 1,
        "catalogue_cohorts": 1,
        "cohort_terms_heard": 1,
        "erasures": 3,
    }
    assert checked == {
        **known_to_the_employer,
        "idempotency": 1,
        "column_mappings": 1,
        "contents": 5,
        "records_taken": 3,
        "practitioners": 1,
        "upload_rows": 1,
    }
    assert imported == {
        **known_to_the_employer,
        "idempotency": 1,
        "upload_rows": 3,
        "records_taken": 4,
        "practitioners": 5,
        "practitioners_to_match": 1,
        "enrolment_settings": 1,
        "enrolments": 1,
        "org_entries": 1,
        "org_pending": 1,
    }


def test_an_imported_row_is_not_written_again_and_names_its_enrolment(house):
    """The nomination knows which enrolment it became; a row that turned out otherwise is kept as it is now."""
    house.open_course(capacity=500)
    one = house.upload(_file(1, 3), "x.csv", org="harrow")
    other = house.upload(_file(3, 2), "y.csv", org="harrow")  # its first row is the last one of the other file
    before = house.pages(f"enrolment-uploads/{one['id']}/rows", org="harrow")
    assert [row["enrolment_id"] for row in before] == [None, None, None]
    house.confirm(one["id"], org="harrow")
    rows = house.pages(f"enrolment-uploads/{one['id']}/rows", org="harrow")
    for row in rows:
        found = house.good("GET", f"enrolments/{row['enrolment_id']}", org="harrow")
        assert found["employee_ref"] == row["employee_ref"]
    kept = house.unit.database("harrow")["upload_rows"].find({"upload_id": one["id"]})
    assert [row["enrolment_id"] for row in kept] == [None, None, None]
    house.confirm(other["id"], org="harrow")
    again, new = house.pages(f"enrolment-uploads/{other['id']}/rows", org="harrow")
    assert (again["decision"], again["enrolment_id"]) == ("duplicate", rows[2]["enrolment_id"])
    assert (new["decision"], new["enrolment_id"] in {row["enrolment_id"] for row in rows}) == ("accepted", False)


def test_a_list_walked_page_by_page_is_complete(house):
    """The same enrolments, whatever the filter and the size of the pages."""
    house.open_course(capacity=500)
    job = house.upload(_file(1, 120), "x.csv", org="harrow")
    house.confirm(job["id"], org="harrow")
    ids = [found["enrolment_id"] for found in house.good("GET", "enrolments?limit=200", org="harrow")["items"]]
    assert len(ids) == len(set(ids)) == 120
    for wanted in (
        "",
        "course=SAR",
        "status=requested",
        "course=SAR&intake=2025-09",
        "route=practice_only&pcf_level=SW",
    ):
        walked, after = [], ""
        while True:
            part = house.good("GET", f"enrolments?limit=17&{wanted}{after}", org="harrow")
            walked += [found["enrolment_id"] for found in part["items"]]
            if part["next"] is None:
                break
            after = f"&after={part['next']}"
        assert walked == ids, wanted
