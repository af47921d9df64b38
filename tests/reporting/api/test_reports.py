"""Publications, reports, projections and freshness over HTTP."""

from __future__ import annotations

import csv
import io

import pytest

from services.reporting.domain.publication import TITLES


def test_projections_are_the_scenarios_reports(told_house):
    """The operator sees the five tables with raw and published figures."""
    for name in TITLES:
        assert (
            told_house.get(f"/v1/projections/{name}", "operator").get_json()["rows"] == told_house.story.reports[name]
        )


def test_publication_freezes_the_tables(told_house, in_order):
    """What happens after a publication is closed does not move it."""
    first = told_house.publish("First").get_json()
    before = {
        name: told_house.get(f"/v1/reports/{name}?publication={first['id']}", "board").get_json() for name in TITLES
    }
    feed, _, event = next(each for each in in_order(told_house.story.feeds) if each[2].type == "enrolment.confirmed.v1")
    told_house.tell(
        [
            (feed, 9000 + extra, type(event)("enrolment.requested.v1", event.organisation, data))
            for extra in range(30)
            for data in [{**event.data, "enrolment_id": f"new-{extra}", "requested_on": "2026-01-01"}]
        ]
    )
    second = told_house.publish("Second").get_json()
    after = {
        name: told_house.get(f"/v1/reports/{name}?publication={first['id']}", "board").get_json() for name in TITLES
    }
    assert after == before
    latest = told_house.get("/v1/reports/funnel", "board").get_json()
    assert latest["publication"] == second["id"]
    assert latest["rows"] != before["funnel"]["rows"]
    listed = told_house.get(f"/v1/organisations/{told_house.board}/publications", "board").get_json()["items"]
    assert [each["title"] for each in listed] == ["Second", "First"]


def test_publication_is_closed_once_for_the_same_key(told_house):
    """H16: the same request again gets the same reply and has no second effect."""
    first, again = told_house.publish(key="k"), told_house.publish(key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    address = first.headers["Location"]
    assert told_house.get(address, "board").get_json() == first.get_json()
    listed = told_house.get(f"/v1/organisations/{told_house.board}/publications", "board").get_json()["items"]
    assert len(listed) == 1


def test_publication_before_anything_is_counted_is_refused(house):
    """Nothing is known yet: 409, and nothing is kept."""
    assert house.publish().status_code == 409
    assert house.get("/v1/reports/funnel", "board").status_code == 404


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": 3}, {"title": "x", "as_of": 4}, {"title": "x" * 121}])
def test_publication_with_a_faulty_body_is_refused(told_house, body):
    """H9, H10: a title and nothing else."""
    answer = told_house.ask("POST", f"/v1/organisations/{told_house.board}/publications", "board", body=body)
    assert answer.status_code == 422


def test_report_says_how_it_was_made(told_house, feed_states):
    """Columns, notes naming the method, positions and disclosure stand beside the rows."""
    database = told_house.unit.database(told_house.board)
    for state in feed_states:
        database["positions"].insert_one({"_id": state.feed, "number": state.number, "head": state.head or "0" * 64})
    told_house.publish()
    report = told_house.get("/v1/reports/funnel", "board").get_json()
    assert set(report) >= {"columns", "rows", "notes", "as_of", "feeds", "disclosure"}
    assert any("HESA" in note for note in report["notes"])
    assert report["disclosure"]["method"] == "HESA"
    assert report["feeds"] == [
        {"feed": "org.brent.enrolment.v1", "number": 118, "head": "a" * 64},
        {"feed": "org.ealing.assessment.v1", "number": 12, "head": None},
    ]
    assert report["rows"][0] == {
        "course": "SAR",
        "nominated": 100,
        "confirmed": 60,
        "waiting": 35,
        "withdrawn": 5,
        "submitted": 60,
        "passed": 50,
        "passed_percent": 87,
    }


def test_csv_holds_what_json_holds(told_house):
    """The same cells, column names first, empty where there is no figure."""
    told_house.publish()
    for name in TITLES:
        report = told_house.get(f"/v1/reports/{name}", "board").get_json()
        answer = told_house.get(f"/v1/reports/{name}.csv", "board")
        assert answer.mimetype == "text/csv"
        rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
        assert rows == [
            {column: "" if cell is None else str(cell) for column, cell in row.items()} for row in report["rows"]
        ]


def test_catalogue_names_the_five_tables(house):
    """The fixed tables, in order."""
    items = house.get("/v1/reports", "auditor").get_json()["items"]
    assert [item["name"] for item in items] == list(TITLES)


def test_freshness_shows_every_feed_that_was_read(house, feed_states):
    """Position of each feed; what no heartbeat told yet is null."""
    database = house.unit.database(house.board)
    for state in feed_states:
        database["positions"].insert_one({"_id": state.feed, "number": state.number, "head": "0" * 64})
    items = house.get("/v1/freshness", "operator").get_json()["items"]
    assert [(item["feed"], item["number"]) for item in items] == [
        ("org.brent.enrolment.v1", 118),
        ("org.ealing.assessment.v1", 12),
    ]


def test_freshness_names_what_an_operator_has_to_look_at(house):
    """Figures that differ from the owner's, another partnership file, a feed that stands still; null before a word."""
    database = house.unit.database(house.board)
    feed, quiet = "org.goldsmiths.accreditation.v1", "org.brent.enrolment.v1"
    awarded, ratified = "accreditation.credit-awarded.v1", "accreditation.board-ratified.v1"
    ours = {"number": 3, "counts": [[ratified, 1], [awarded, 2]], "credits": 60}
    theirs = {"number": 3, "counts": [[ratified, 1], [awarded, 1]], "credits": 30}
    database["positions"].insert_one({"_id": feed, "number": 3, "head": "0" * 64, "tally": ours})
    database["positions"].insert_one({"_id": quiet, "number": 1, "head": "0" * 64})
    told = {"taken": 3, "announced": 5, "heard_at": house.unit.clock.now(), "other_partnership": True}
    database["freshness"].insert_one({"_id": feed, **told, "totals": theirs})
    database["feed_alarms"].insert_one({"_id": feed, "state": "open", "kind": "fork"})
    items = {item["feed"]: item for item in house.get("/v1/freshness", "operator").get_json()["items"]}
    assert items[feed]["differences"] == [f"{awarded}: 2 here, 1 at the owner", "credits: 60 here, 30 at the owner"]
    assert (items[feed]["owner_number"], items[feed]["missing"], items[feed]["stopped"]) == (5, 2, "fork")
    assert items[feed]["is_other_partnership"] is True
    assert (items[quiet]["owner_number"], items[quiet]["is_other_partnership"]) == (None, None)
    assert (items[quiet]["differences"], items[quiet]["stopped"]) == ([], None)
