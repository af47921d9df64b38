"""Files that do harm, sent for real: at the door, in the preview, on the pages, and to the worker."""

from __future__ import annotations

import json

import pytest

from services.enrolment.application.upload_worker import MOST_UNREAD_LEASES
from services.enrolment.domain.records import FIELDS
from shared.testing.pages import browser_of
from tests.enrolment.conftest import a_record, raw
from tests.enrolment.storage.test_hostile_spreadsheets import cell, ods, row
from tests.enrolment.storage.test_spreadsheets import _workbook
from tests.enrolment.web.test_pages_uploads import send_file, text_of

CSV = f"{','.join(FIELDS)}\n{','.join('x' for _ in FIELDS)}\n".encode()
HALF = "".join(f'<c r="{letter}1" t="inlineStr"><is><t>{letter}_xD800_</t></is></c>' for letter in "ABC")
HALVES = _workbook(f'<row r="1">{HALF}</row><row r="2">{HALF.replace("1", "2")}</row>')
IN_JSON = [
    json.dumps({"emp\ud800": "x", "Name": "a"}).encode(),
    json.dumps({"Name": "x\ud800"}).encode(),
    json.dumps({"Name": {"deep": ["x\udfff"]}}).encode(),
    json.dumps({"Name": "x\0"}).encode(),
]


@pytest.mark.parametrize("content", IN_JSON, ids=["name", "value", "deep", "nul"])
def test_c3_half_a_character_in_ndjson_is_refused_in_words_everywhere(house, content):
    """What no database and no page can hold is refused with its row: at the door, in the preview, on the page."""
    house.good("PUT", "column-mapping", org="harrow", json={"format": "ndjson"})
    for path in ("column-mapping/preview", "enrolment-uploads"):
        answer = house.ask("POST", path, org="harrow", data=content + b"\n", **raw("x.ndjson"))
        assert (answer.status_code, "row 1 holds" in answer.json["detail"]) == (422, True), answer.json
    page = send_file(browser_of(house.app, "harrow", "hr"), content + b"\n", "x.ndjson")
    assert page.status_code == 422, text_of(page)


def test_c3_a_backslash_in_ndjson_is_no_nul(house):
    """A text that only looks like the escape of one is a text, and so is a character of two halves."""
    content = json.dumps({"Employee ref": "\\u0000", "First name": "\U0001f600"}).encode()
    found = house.ask("POST", "column-mapping/preview", org="harrow", data=content + b"\n", **raw("x.ndjson"))
    assert found.json["rows"][0]["cells"] == {"Employee ref": "\\u0000", "First name": "\U0001f600"}


def test_c3_half_a_character_in_a_sheet_is_shown_as_it_is_written(house):
    """The escape of half a character stays an escape: in the preview, and on the pages that map a file."""
    found = house.ask("POST", "column-mapping/preview", org="harrow", data=HALVES, **raw("x.xlsx"))
    assert found.status_code == 200, found.json
    assert found.json["headings"][0]["heading"] == "A_xD800_"
    browser = browser_of(house.app, "harrow", "hr")
    sent = send_file(browser, HALVES, "x.xlsx")
    assert sent.status_code == 303, text_of(sent)
    for step in ("", "/columns"):
        page = browser.get(sent.headers["Location"] + step)
        assert (page.status_code, "B_xD800_" in page.get_data(as_text=True)) == (200, True), step


@pytest.mark.parametrize("name", ["What a long name this sheet has, longer than any", "A/B", "'A'"])
def test_a_sheet_name_that_no_spreadsheet_program_allows_is_not_written(house, name):
    """The list comes as a sheet of the usual name."""
    house.open_course()
    house.good("PUT", "column-mapping", json={"format": "ods", "sheet": name})
    house.good("POST", "enrolments", json=a_record())
    house.settle()
    answer = browser_of(house.app, "brent", "hr").get("/enrolments.xlsx")
    assert answer.status_code == 200
    assert answer.get_data().startswith(b"PK")


def test_c4_an_ods_file_of_some_hundred_bytes_is_refused_at_the_door(house):
    """The process that answers lives on, and answers."""
    house.good("PUT", "column-mapping", org="harrow", json={"format": "ods"})
    content = ods(row(cell("x", 300), 50_000))
    for path in ("column-mapping/preview", "enrolment-uploads"):
        assert house.ask("POST", path, org="harrow", data=content, **raw("x.ods")).status_code == 422


def test_c13_a_file_that_stops_its_worker_again_and_again_fails_alone(house):
    """A file of which no row was ever checked is begun three times and no more; the next file is checked."""
    house.open_course()
    sent = house.good("POST", "enrolment-uploads", org="harrow", data=CSV, **raw("x.csv"))
    jobs = house.unit.database("harrow")["uploads"]
    jobs.update_one({"_id": sent["id"]}, {"$set": {"epoch": MOST_UNREAD_LEASES}})
    house.worker.work_once()
    job = house.good("GET", f"enrolment-uploads/{sent['id']}", org="harrow")
    assert (job["state"], "again and again" in job["fault"]) == ("failed", True)
