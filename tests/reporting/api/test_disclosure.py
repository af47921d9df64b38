"""An attacker with the board's token looks for raw figures everywhere that the board may look."""

from __future__ import annotations

import json
import re

import pytest

from services.reporting.domain.publication import TITLES, Kind


@pytest.fixture
def everything_the_board_sees(told_house):
    """Return every text that the board's token or session opens."""
    identifier = told_house.publish().get_json()["id"]
    board = told_house.board
    paths = [f"/v1/organisations/{board}/publications", f"/v1/organisations/{board}/publications/{identifier}"]
    paths += ["/v1/reports", *(f"/v1/reports/{name}{ending}" for name in TITLES for ending in ("", ".csv"))]
    paths += ["/v1/freshness", *(f"/v1/projections/{name}" for name in TITLES)]
    seen = {path: told_house.get(path, "board").get_data(as_text=True) for path in paths}
    browser = told_house.browser()
    pages = ["/board", f"/board/publications/{identifier}", *(f"/board/tables/{name}" for name in TITLES)]
    pages += [f"/board/publications/{identifier}/{name}{ending}" for name in TITLES for ending in ("", ".csv")]
    seen |= {path: browser.get(path).get_data(as_text=True) for path in pages}
    events = told_house.unit.database(board)["org_entries"].find({})
    seen["bus"] = " ".join(bytes(event["data"]).decode() for entry in events for event in entry["events"])
    return seen


def test_no_published_count_of_people_is_a_raw_one(told_house):
    """Each cell of people is a multiple of 5; percentages of small groups and means of few are two dots."""
    told_house.publish()
    publication = told_house.desk.publication(told_house.unit.reading(told_house.board), None)
    for table in publication.tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if column.kind is Kind.PEOPLE:
                    assert cell is None or (isinstance(cell, int) and cell % 5 == 0), (table.name, column.name)
    headline = publication.headline
    assert all(
        getattr(headline, name) % 5 == 0 for name in ("nominated", "confirmed", "waiting", "withdrawn", "passed")
    )


def test_no_raw_figure_is_in_anything_the_board_sees(told_house, everything_the_board_sees):
    """No field named raw, and no kept document of a publication holds one either."""
    kept = told_house.unit.database(told_house.board)["publications"].find_one({})
    for path, text in {**everything_the_board_sees, "kept": json.dumps(kept, default=str)}.items():
        assert "raw" not in re.findall(r"[a-z]+", text.lower().replace("_", " ")), path


def test_no_enrolment_or_person_is_in_anything_the_board_sees(told_house, everything_the_board_sees):
    """Not one opaque id of the owners reaches the board."""
    ids = {
        str(value)
        for events in told_house.story.feeds.values()
        for event in events
        for name, value in event.data.items()
        if name in ("enrolment_id", "practitioner_id", "evaluation_id", "portfolio_id", "credit_id")
    }
    for path, text in everything_the_board_sees.items():
        assert not [identifier for identifier in ids if identifier in text], path


def test_one_more_person_does_not_show_where_rounding_hides_them(told_house, in_order):
    """Two publications, one nomination apart (100 and 101): every published cell is the same."""
    first = told_house.publish().get_json()["id"]
    event = next(each[2] for each in in_order(told_house.story.feeds) if each[2].type == "enrolment.requested.v1")
    data = {**event.data, "enrolment_id": "one-more", "course": "SAR"}
    told_house.tell([("org.brent.enrolment.v1", 9000, type(event)(event.type, "hillingdon", data))])
    second = told_house.publish().get_json()["id"]
    for name in TITLES:
        one = told_house.get(f"/v1/reports/{name}?publication={first}", "board").get_json()["rows"]
        other = told_house.get(f"/v1/reports/{name}?publication={second}", "board").get_json()["rows"]
        if name != "nominations":
            assert one == other
