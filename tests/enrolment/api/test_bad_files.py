"""Files that strangers send to the real enrolment service (faults C1 to C14): refused in words, or read as they are."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from services.enrolment.application import upload_handlers
from services.enrolment.domain.records import FIELDS
from shared.identifiers import new_identifier
from tests.enrolment.api.nomination_files import a_file, a_line, a_sheet, errors_of, rows_of, send


def test_c1_a_byte_order_mark_is_accepted(house):
    """Excel's UTF-8 is UTF-8."""
    house.open_course()
    assert house.upload(b"\xef\xbb\xbf" + a_file(a_line(1)), "x.csv", "harrow")["counts"]["accepted"] == 1


@pytest.mark.parametrize(
    ("encoding", "words"), [("cp1252", "byte at offset"), ("utf-16", "UTF-16"), ("utf-16-le", "offset")]
)
def test_c2_another_encoding_than_declared_is_named(house, encoding, words):
    """The sentence says which, and where; no file is kept."""
    answer = send(house, a_file(a_line(1)).decode().encode(encoding))
    assert answer.status_code == 422
    assert words in answer.json["detail"] or "NUL" in answer.json["detail"]
    assert "utf-8" in answer.json["detail"] or "NUL" in answer.json["detail"]
    assert house.pages("enrolment-uploads", "harrow") == []


@pytest.mark.parametrize("charset", ["punycode", "undefined", "idna", "unicode_escape", "utf-7", "hex", "nonsense"])
def test_c2_a_charset_that_is_no_plain_encoding_of_text_is_refused(house, charset):
    """Python knows codecs that run other things than text; none of them is reached."""
    assert send(house, a_file(a_line(1)), charset=charset).status_code == 422
    mapping = {"format": "csv", "encoding": charset}
    assert house.ask("PUT", "column-mapping", org="harrow", json=mapping).status_code == 422
    assert house.ask("GET", "enrolment-uploads/template.csv", org="harrow").status_code == 200


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-cmd()", "@SUM(A1)", "|calc", "＝1+1", "＋x", "－x", "＠x"])
def test_c3_a_cell_that_a_spreadsheet_would_run_is_kept_as_text_and_defused_on_export(house, cell):
    """What came in is shown as it came; what goes out begins with a quotation mark."""
    house.open_course()
    job = house.upload(a_file(a_line(1, employee_ref=cell, course="NONE")), "x.csv", "harrow")
    assert [row["employee_ref"] for row in rows_of(house, job["id"])] == [cell]
    [line] = errors_of(house, job["id"])
    assert line["employee_ref"].startswith("'")
    assert cell.strip("|") in line["employee_ref"]


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", "\n=1"])
def test_c3_a_leading_tab_or_return_is_defused_too(house, cell):
    """Some programs skip what is white before they look for a formula."""
    house.open_course()
    job = house.upload(a_file(a_line(1, team=cell, course="NONE")), "x.csv", "harrow")
    [line] = errors_of(house, job["id"])
    assert line["team"].startswith("'")


def test_c3_a_negative_number_stays_one(house):
    """What is only a number runs nothing."""
    house.open_course()
    job = house.upload(a_file(a_line(1, team="-1.5", course="NONE")), "x.csv", "harrow")
    assert errors_of(house, job["id"])[0]["team"] == "-1.5"


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (a_file(a_line(1, team="a\x00b")), 422, "row 2 holds a NUL"),
        (a_file(a_line(1)) + b'"never closed', 422, "row 3"),
        (a_file(a_line(1, team='a"b')), 422, "row 2"),
        (a_file(a_line(1)).replace(b",", b";"), 422, "semicolon"),
        (a_file(a_line(1)).replace(b",", b"\t"), 422, "tab"),
        (a_file(a_line(1), "a,b"), 422, "row 3 has 2 cells"),
        (a_file(a_line(1)).replace(b"team", b"email", 1), 422, "twice"),
        (a_file(a_line(1)).replace(b"employee_ref", b"Employee_Ref", 1), 422, "'employee_ref'"),
        (a_file(a_line(1)).replace(b"\r\n", b"\r"), 202, ""),
        (a_file(a_line(1, team="a\u2028b")), 202, ""),
    ],
    ids=[
        "c6-nul",
        "c7-open",
        "c7-inner",
        "c8-semicolon",
        "c8-tab",
        "c9-ragged",
        "c9-twice",
        "c9-case",
        "c6-cr",
        "c6-u",
    ],
)
def test_c6_c7_c8_c9_a_malformed_table_is_refused_in_words(house, content, status, words):
    """At the real door, as a whole, naming row or heading."""
    answer = send(house, content)
    assert answer.status_code == status
    assert words in answer.json.get("detail", "")
    assert len(house.pages("enrolment-uploads", "harrow")) == (status == 202)


def test_c10_one_person_twice_with_other_details_is_a_conflict_and_the_same_row_a_duplicate(house):
    """Within a file and against what was imported before."""
    house.open_course()
    job = house.upload(a_file(a_line(1), a_line(1), a_line(1, team="Elsewhere")), "x.csv", "harrow")
    decided = [(row["decision"], row["codes"]) for row in rows_of(house, job["id"])]
    assert decided == [("accepted", []), ("duplicate", []), ("refused", ["conflicting_duplicate"])]
    house.confirm(job["id"], "harrow")
    later = house.upload(a_file(a_line(1, team="Elsewhere"), a_line(1), a_line(2)), "y.csv", "harrow")
    assert [row["decision"] for row in rows_of(house, later["id"])] == ["refused", "duplicate", "accepted"]
    house.confirm(later["id"], "harrow")
    assert len(house.pages("enrolments", "harrow")) == 2


def test_c11_half_a_character_is_refused_with_its_row_and_the_worker_lives_on(house):
    """JSON can spell what nothing can keep: named at the door, and by the worker in a file too large for the door."""
    house.open_course()
    good = dict(zip(FIELDS, next(csv.reader([a_line(1)])), strict=True)) | {"fte": "1"}
    bad = json.dumps(good | {"employee_ref": "2", "team": "\ud800"})
    answer = send(house, f"{json.dumps(good)}\n{bad}".encode(), "x.ndjson")
    assert (answer.status_code, answer.json["errors"][0]["row"]) == (422, 2)
    many = [json.dumps(good)] * (upload_handlers.CHECKED_AT_THE_DOOR_BYTES // len(json.dumps(good)) + 1)
    job = house.upload("\n".join([*many, bad]).encode(), "x.ndjson", "harrow")
    assert (job["state"], job["fault_row"]) == ("failed", len(many) + 1)
    assert "half of a character" in job["fault"]
    assert house.upload("\n".join(many).encode(), "y.ndjson", "harrow")["state"] == "checked"


def _with_part(content: bytes, name: str, part: bytes) -> bytes:
    """Return a spreadsheet with one of its parts replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, part if entry == name else old.read(entry))
    return stream.getvalue()


SHEET = a_sheet(["x"] * len(FIELDS))


@pytest.mark.parametrize(
    ("content", "filename", "status"),
    [
        (b"", "x.csv", 422),
        (b"", "x.xlsx", 422),
        (SHEET, "x.csv", 415),
        (b"<!doctype html><p>Please sign in", "x.xlsx", 415),
        (b"<!doctype html><p>Please sign in", "x.csv", 415),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "x.xls", 415),
        (_with_part(SHEET, "xl/worksheets/sheet1.xml", b""), "x.xlsx", 415),
        (_with_part(SHEET, "xl/worksheets/sheet1.xml", b"<"), "x.xlsx", 415),
        (_with_part(SHEET, "xl/worksheets/sheet1.xml", b"\xff\xfe"), "x.xlsx", 415),
        (_with_part(SHEET, "xl/sharedStrings.xml", b"<"), "x.xlsx", 415),
        (_with_part(SHEET, "xl/workbook.xml", b""), "x.xlsx", 415),
        (_with_part(SHEET, "docProps/app.xml", b" " * 60_000_000), "x.xlsx", 413),
        (SHEET[: len(SHEET) // 2], "x.xlsx", 415),
    ],
    ids=["empty", "no-bytes", "xlsx-as-csv", "html-as-xlsx", "html", "ole", "no-sheet", "bad-xml", "bad-bytes",
         "bad-strings", "no-book", "bomb", "cut"],
)  # fmt: skip
def test_c13_what_is_no_such_file_is_refused_and_leaves_nothing(house, content, filename, status):
    """By content, whatever the name says; a damaged sheet is no 500."""
    answer = send(house, content, filename)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert house.pages("enrolment-uploads", "harrow") == []


@pytest.mark.parametrize("name", ["../../../etc/passwd.csv", "..\\..\\x.csv", "/etc/x.csv", "x" * 300 + ".csv"])
def test_c13_a_name_is_never_a_path(house, name, tmp_path, monkeypatch):
    """It is shown, shortened, and no file of that or any name is made."""
    monkeypatch.chdir(tmp_path)
    house.open_course()
    form = {"file": (io.BytesIO(a_file(a_line(1))), name)}
    sent = house.ask("POST", "enrolment-uploads", org="harrow", data=form)
    assert sent.status_code == 202
    house.worker.work_once()
    job = house.good("GET", f"enrolment-uploads/{sent.json['id']}", org="harrow")
    assert (job["state"], len(job["filename"]) <= 120) == ("checked", True)
    assert list(tmp_path.iterdir()) == []


def test_c14_what_a_spreadsheet_makes_of_dates_and_numbers_is_refused_with_a_hint(house):
    """A serial number, an English date, a thousands separator, an eaten registration number: each with its hint."""
    house.open_course()
    job = house.upload(
        a_file(
            a_line(1, employment_start="01/02/2026"),
            a_line(2, employment_start="46054"),
            a_line(3, fte="1,000"),
            a_line(4, swe_number="1.23E+11"),
            a_line(5, employee_ref="1.23E+11"),
        ),
        "x.csv",
        "harrow",
    )
    faults = [[(fault["code"], fault["detail"]) for fault in row["faults"]] for row in rows_of(house, job["id"])]
    assert faults == [
        [("invalid_date", "enter an existing day as YYYY-MM-DD")],
        [("invalid_date", "enter an existing day as YYYY-MM-DD")],
        [("invalid_value", "enter a number with a point, without thousands separators")],
        [("invalid_registration_number", "enter the registration number as SW and up to six digits")],
        [("invalid_value", "a spreadsheet has shortened this number: format the column as text")],
    ]


def test_c14_a_serial_number_in_a_sheets_date_column_is_refused_with_a_hint(house):
    """A cell that is a number is no day."""
    house.open_course()
    values = next(csv.reader([a_line(1)]))
    cells: list[object] = [
        46054 if name == "employment_start" else value for name, value in zip(FIELDS, values, strict=True)
    ]
    job = house.upload(a_sheet(cells), "x.xlsx", "harrow")
    [row] = rows_of(house, job["id"])
    assert [(fault["field"], fault["detail"]) for fault in row["faults"]] == [
        ("employment_start", "this is a number, not a date: format the cells as dates")
    ]


def test_a_template_under_an_odd_sheet_name_is_still_a_template(house):
    """A name that no spreadsheet program allows makes no 500."""
    mapping = {"format": "xlsx", "sheet": "a/b[]" + new_identifier(), "columns": {name: name for name in FIELDS}}
    house.good("PUT", "column-mapping", org="harrow", json=mapping)
    assert house.ask("GET", "enrolment-uploads/template.xlsx", org="harrow").status_code == 200
