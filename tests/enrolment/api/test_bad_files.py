"""Files that strangers send to the real enrolment service (faults C1 to C14): refused in words, or read as they are."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import subprocess
import sys
import textwrap
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xlsxwriter

from services.enrolment.application import upload_handlers, uploads
from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.domain.records import FIELDS
from services.enrolment.domain.text_files import MOST_BYTES, MOST_ROWS
from services.enrolment.storage.files import read_file
from shared.errors import ConcurrentChange, Unavailable
from shared.identifiers import new_identifier

ROOT = Path(__file__).parents[3]
HEADINGS = ",".join(FIELDS)
MOST_GROWTH_MIB = 64


def _row(number: int, **changes: str) -> str:
    values = {
        "employee_ref": f"{number:05d}",
        "given_name": "José",
        "family_name": "O'Neill",
        "email": "a@harrow.example",
        "date_of_birth": "1980-01-02",
        "swe_number": f"SW{number}",
        "pcf_level": "SW",
        "employment_start": "2018-01-03",
        "line_manager_ref": "90001",
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "manager_approved_on": "2025-07-01",
    } | changes
    return ",".join(f'"{values.get(name, "")}"' for name in FIELDS)


def _file(*rows: str) -> bytes:
    return "\r\n".join([HEADINGS, *rows, ""]).encode()


def _send(house, content, filename="x.csv", **query: str):
    return house.ask(
        "POST",
        "enrolment-uploads",
        org="harrow",
        data=content,
        content_type="application/octet-stream",
        query_string={"filename": filename, **query},
    )


def _sheet(*rows: list[object]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("x")
    for place, row in enumerate([list(FIELDS), *rows]):
        sheet.write_row(place, 0, row)
    book.close()
    return stream.getvalue()


def _with_part(content: bytes, name: str, part: bytes) -> bytes:
    """Return a spreadsheet with one of its parts replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, part if entry == name else old.read(entry))
    return stream.getvalue()


def _rows(house, upload_id: str) -> list[dict[str, object]]:
    return house.pages(f"enrolment-uploads/{upload_id}/rows", "harrow")


def test_c1_a_byte_order_mark_is_accepted(house):
    """Excel's UTF-8 is UTF-8."""
    house.open_course()
    assert house.upload(b"\xef\xbb\xbf" + _file(_row(1)), "x.csv", "harrow")["counts"]["accepted"] == 1


@pytest.mark.parametrize(
    ("encoding", "words"), [("cp1252", "byte at offset"), ("utf-16", "UTF-16"), ("utf-16-le", "offset")]
)
def test_c2_another_encoding_than_declared_is_named(house, encoding, words):
    """The sentence says which, and where; no file is kept."""
    answer = _send(house, _file(_row(1)).decode().encode(encoding))
    assert answer.status_code == 422
    assert words in answer.json["detail"] or "NUL" in answer.json["detail"]
    assert "utf-8" in answer.json["detail"] or "NUL" in answer.json["detail"]
    assert house.pages("enrolment-uploads", "harrow") == []


@pytest.mark.parametrize("charset", ["punycode", "undefined", "idna", "unicode_escape", "utf-7", "hex", "nonsense"])
def test_c2_a_charset_that_is_no_plain_encoding_of_text_is_refused(house, charset):
    """Python knows codecs that run other things than text; none of them is reached."""
    assert _send(house, _file(_row(1)), charset=charset).status_code == 422
    mapping = {"format": "csv", "encoding": charset}
    assert house.ask("PUT", "column-mapping", org="harrow", json=mapping).status_code == 422
    assert house.ask("GET", "enrolment-uploads/template.csv", org="harrow").status_code == 200


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-cmd()", "@SUM(A1)", "|calc", "＝1+1", "＋x", "－x", "＠x"])
def test_c3_a_cell_that_a_spreadsheet_would_run_is_kept_as_text_and_defused_on_export(house, cell):
    """What came in is shown as it came; what goes out begins with a quotation mark."""
    house.open_course()
    job = house.upload(_file(_row(1, employee_ref=cell, course="NONE")), "x.csv", "harrow")
    assert [row["employee_ref"] for row in _rows(house, job["id"])] == [cell]
    [line] = _errors(house, job["id"])
    assert line["employee_ref"].startswith("'")
    assert cell.strip("|") in line["employee_ref"]


@pytest.mark.parametrize("cell", ["\t=1", "\r=1", "\n=1"])
def test_c3_a_leading_tab_or_return_is_defused_too(house, cell):
    """Some programs skip what is white before they look for a formula."""
    house.open_course()
    job = house.upload(_file(_row(1, team=cell, course="NONE")), "x.csv", "harrow")
    [line] = _errors(house, job["id"])
    assert line["team"].startswith("'")


def test_c3_a_negative_number_stays_one(house):
    """What is only a number runs nothing."""
    house.open_course()
    job = house.upload(_file(_row(1, team="-1.5", course="NONE")), "x.csv", "harrow")
    assert _errors(house, job["id"])[0]["team"] == "-1.5"


def _errors(house, upload_id: str) -> list[dict[str, str]]:
    answer = house.ask("GET", f"enrolment-uploads/{upload_id}/errors.csv", org="harrow")
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def readable(self) -> bool:
        """Say that it could be read."""
        return True

    def readinto(self, _buffer: object) -> int:
        """Fail."""
        raise AssertionError("the body was read")


def test_c4_a_hundred_megabytes_are_refused_before_a_byte_is_read(house):
    """The length says enough."""
    answer = house.ask(
        "POST",
        "enrolment-uploads",
        org="harrow",
        content_type="text/csv",
        environ_overrides={"CONTENT_LENGTH": str(100 * 2**20), "wsgi.input": Unread()},
    )
    assert answer.status_code == 413
    assert house.pages("enrolment-uploads", "harrow") == []


def test_c4_a_file_at_the_limit_is_taken_and_one_byte_more_is_not(house):
    """The limit is one that the database takes in one transaction."""
    content = b"\n" * (MOST_BYTES - 2) + b"x\n"
    sent = _send(house, content)
    assert (sent.status_code, sent.json["state"]) == (202, "checking")
    assert house.unit.database("harrow")["contents"].count_documents({}) == MOST_BYTES // 2**20
    assert house.ask("DELETE", f"enrolment-uploads/{sent.json['id']}", org="harrow").status_code == 204
    house.worker.work_once()
    assert house.unit.database("harrow")["contents"].count_documents({}) == 0
    assert _send(house, content + b"x").status_code == 413


def test_c4_cells_of_any_length_stay_small_in_the_report(house):
    """Fifty rows of a hundred thousand characters are refused row by row, and their report is short."""
    house.open_course()
    job = house.upload(_file(*(_row(number, team="x" * 100_000) for number in range(1, 51))), "x.csv", "harrow")
    assert (job["state"], job["counts"]["refused"]) == ("checked", 50)
    answer = house.ask("GET", f"enrolment-uploads/{job['id']}/errors.csv", org="harrow")
    assert len(answer.get_data()) < 100_000


def test_c4_more_rows_than_the_limit_are_refused_and_none_is_kept(house):
    """A small file of many rows is looked through before anything is decided."""
    house.open_course()
    line = ",".join(["x"] * len(FIELDS)) + "\n"
    content = (HEADINGS + "\n" + line * (MOST_ROWS + 1)).encode()
    assert upload_handlers.CHECKED_AT_THE_DOOR_BYTES < len(content) < MOST_BYTES
    job = house.upload(content, "x.csv", "harrow")
    assert (job["state"], str(MOST_ROWS) in job["fault"]) == ("failed", True)
    assert _rows(house, job["id"]) == []
    assert house.unit.database("harrow")["contents"].count_documents({}) == 0
    assert house.ask("POST", f"enrolment-uploads/{job['id']}/confirm", org="harrow", json={}).status_code == 409


READ = """
    import sys
    from services.enrolment.domain.mapping import FileMapping
    from services.enrolment.domain.records import FIELDS
    from services.enrolment.domain.text_files import MOST_BYTES
    from services.enrolment.storage.files import read_file

    def peak():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    cell = b'"' + "José ".encode() * 4 + b'"'
    line = b",".join([cell] * len(FIELDS)) + b"\\r\\n"
    small = ",".join(FIELDS).encode() + b"\\r\\n" + line
    assert sum(1 for _ in read_file(small, FileMapping(format="csv"))) == 1
    before = peak()
    content = small + line * min(49_999, (MOST_BYTES - len(small)) // len(line))
    for _ in range(2):
        rows = sum(1 for _ in read_file(content, FileMapping(format="csv")))
    print(rows, len(content), peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured where the kernel says")
def test_c4_a_file_at_the_limit_is_read_in_less_than_64_mib():
    """A process that reads the largest file twice grows by little more than the file itself."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READ)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows, size, growth_kib = map(int, done.stdout.split())
    assert rows > 30_000
    assert size > MOST_BYTES - 2**10
    assert growth_kib < MOST_GROWTH_MIB * 1024


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (_file(_row(1), _row(2, team="x" * 131_073)), 3),
        (_file(_row(1), "," * 10_000), 3),
        ((HEADINGS + "\n" + "a" * 200_000).encode(), 2),
    ],
    ids=["field", "columns", "line"],
)
def test_c5_a_cell_or_row_beyond_any_use_is_refused_with_its_row(house, content, row):
    """At once, and nothing before it is kept."""
    answer = _send(house, content)
    assert (answer.status_code, [fault["row"] for fault in answer.json["errors"]]) == (422, [row])


def test_c5_one_line_of_megabytes_fails_the_job_with_its_row(house):
    """A file too large for the door is refused by the worker, which lives on."""
    house.open_course()
    content = _file(_row(1)) + b"a," * 4_000_000
    job = house.upload(content, "x.csv", "harrow")
    assert (job["state"], job["fault_row"]) == ("failed", 3)
    assert house.upload(_file(_row(1)), "x.csv", "harrow")["state"] == "checked"


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (_file(_row(1, team="a\x00b")), 422, "row 2 holds a NUL"),
        (_file(_row(1)) + b'"never closed', 422, "row 3"),
        (_file(_row(1, team='a"b')), 422, "row 2"),
        (_file(_row(1)).replace(b",", b";"), 422, "semicolon"),
        (_file(_row(1)).replace(b",", b"\t"), 422, "tab"),
        (_file(_row(1), "a,b"), 422, "row 3 has 2 cells"),
        (_file(_row(1)).replace(b"team", b"email", 1), 422, "twice"),
        (_file(_row(1)).replace(b"employee_ref", b"Employee_Ref", 1), 422, "'employee_ref'"),
        (_file(_row(1)).replace(b"\r\n", b"\r"), 202, ""),
        (_file(_row(1, team="a\u2028b")), 202, ""),
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
    answer = _send(house, content)
    assert answer.status_code == status
    assert words in answer.json.get("detail", "")
    assert len(house.pages("enrolment-uploads", "harrow")) == (status == 202)


def test_c10_one_person_twice_with_other_details_is_a_conflict_and_the_same_row_a_duplicate(house):
    """Within a file and against what was imported before."""
    house.open_course()
    job = house.upload(_file(_row(1), _row(1), _row(1, team="Elsewhere")), "x.csv", "harrow")
    decided = [(row["decision"], row["codes"]) for row in _rows(house, job["id"])]
    assert decided == [("accepted", []), ("duplicate", []), ("refused", ["conflicting_duplicate"])]
    house.confirm(job["id"], "harrow")
    later = house.upload(_file(_row(1, team="Elsewhere"), _row(1), _row(2)), "y.csv", "harrow")
    assert [row["decision"] for row in _rows(house, later["id"])] == ["refused", "duplicate", "accepted"]
    house.confirm(later["id"], "harrow")
    assert len(house.pages("enrolments", "harrow")) == 2


def test_c11_half_a_character_is_refused_with_its_row_and_the_worker_lives_on(house):
    """JSON can spell what nothing can keep: named at the door, and by the worker in a file too large for the door."""
    house.open_course()
    good = dict(zip(FIELDS, next(csv.reader([_row(1)])), strict=True)) | {"fte": "1"}
    bad = json.dumps(good | {"employee_ref": "2", "team": "\ud800"})
    answer = _send(house, f"{json.dumps(good)}\n{bad}".encode(), "x.ndjson")
    assert (answer.status_code, answer.json["errors"][0]["row"]) == (422, 2)
    many = [json.dumps(good)] * (upload_handlers.CHECKED_AT_THE_DOOR_BYTES // len(json.dumps(good)) + 1)
    job = house.upload("\n".join([*many, bad]).encode(), "x.ndjson", "harrow")
    assert (job["state"], job["fault_row"]) == ("failed", len(many) + 1)
    assert "half of a character" in job["fault"]
    assert house.upload("\n".join(many).encode(), "y.ndjson", "harrow")["state"] == "checked"


def _step(house, step):
    return house.unit.run("harrow", lambda work: step(house.opener.desk(work)))


def _expire(house, upload_id: str, **when: object) -> None:
    jobs = house.unit.database("harrow")["uploads"]
    jobs.update_one({"_id": upload_id, **when}, {"$set": {"leased_until": None}})


def test_c12_an_import_that_died_is_resumed_and_its_first_worker_writes_nothing_more(house):
    """250 of 600 rows by one worker, the rest by the next; the first one wakes up fenced; each person once."""
    house.open_course(capacity=1000)
    upload_id = house.upload(_file(*map(_row, range(1, 601))), "x.csv", "harrow")["id"]
    house.good("POST", f"enrolment-uploads/{upload_id}/confirm", org="harrow", json={})
    dead = _step(house, lambda desk: upload_handlers.lease(desk, upload_id))
    dead = _step(house, lambda desk: upload_handlers.import_step(desk, dead))
    assert (dead.done, dead.state) == (uploads.IMPORTED_PER_STEP, uploads.CONFIRMING)
    _expire(house, upload_id)
    living = _step(house, lambda desk: upload_handlers.lease(desk, upload_id))
    with pytest.raises(ConcurrentChange):
        _step(house, lambda desk: upload_handlers.import_step(desk, dead))
    _step(house, lambda desk: upload_handlers.import_step(desk, living))
    _expire(house, upload_id)
    house.worker.work_once()
    _each_person_once(house, upload_id, 600)


def test_c12_two_workers_at_one_job_check_and_import_each_row_once(house):
    """Both run at the same time, again and again, while leases run out under them.

    Not before a first row is known: a job that nobody gets on with is given up after three leases.
    """
    house.open_course(capacity=1000)
    upload_id = _send(house, _file(*map(_row, range(1, 701)))).json["id"]
    pair = [
        UploadWorker(
            house.unit, ["harrow"], open_books=house.opener.books, open_desk=house.opener.desk, read_file=read_file
        )
        for _ in range(2)
    ]

    def work(worker: UploadWorker) -> None:
        for _ in range(4):
            _expire(house, upload_id, done={"$gt": 0})
            with contextlib.suppress(Unavailable):  # they blocked each other too long; the worker's loop tries again
                worker.work_once()

    for state in ("checked", "completed"):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, pair))
        _expire(house, upload_id)
        house.worker.work_once()
        job = house.good("GET", f"enrolment-uploads/{upload_id}", org="harrow")
        assert (job["state"], job["counts"]["accepted"]) == (state, 700)
        if state == "checked":
            house.good("POST", f"enrolment-uploads/{upload_id}/confirm", org="harrow", json={})
    _each_person_once(house, upload_id, 700)


def test_c12_rows_that_were_checked_already_are_not_checked_again(house):
    """A commit whose answer was lost is not made twice."""
    house.open_course()
    upload_id = _send(house, _file(*map(_row, range(1, 601)))).json["id"]
    held = _step(house, lambda desk: upload_handlers.lease(desk, upload_id))
    rows = upload_handlers.read_part(read_file(_file(*map(_row, range(1, 601))), held.mapping), held.mapping)
    _step(house, lambda desk: upload_handlers.check_step(desk, held, rows[:500], 600))
    with pytest.raises(ConcurrentChange):
        _step(house, lambda desk: upload_handlers.check_step(desk, held, rows[:500], 600))
    assert house.unit.database("harrow")["upload_rows"].count_documents({}) == 500


def _each_person_once(house, upload_id: str, count: int) -> None:
    job = house.good("GET", f"enrolment-uploads/{upload_id}", org="harrow")
    assert (job["state"], job["counts"]["accepted"]) == ("completed", count)
    assert [row["line"] for row in _rows(house, upload_id)] == list(range(2, count + 2))
    people = [found["employee_ref"] for found in house.pages("enrolments", "harrow")]
    assert len(set(people)) == len(people) == count
    asked = [event["subject"] for event in house.events("harrow") if event["type"] == "enrolment.requested.v1"]
    assert len(set(asked)) == len(asked) == count


SHEET = _sheet(["x"] * len(FIELDS))


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
    answer = _send(house, content, filename)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert house.pages("enrolment-uploads", "harrow") == []


@pytest.mark.parametrize("name", ["../../../etc/passwd.csv", "..\\..\\x.csv", "/etc/x.csv", "x" * 300 + ".csv"])
def test_c13_a_name_is_never_a_path(house, name, tmp_path, monkeypatch):
    """It is shown, shortened, and no file of that or any name is made."""
    monkeypatch.chdir(tmp_path)
    house.open_course()
    form = {"file": (io.BytesIO(_file(_row(1))), name)}
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
        _file(
            _row(1, employment_start="01/02/2026"),
            _row(2, employment_start="46054"),
            _row(3, fte="1,000"),
            _row(4, swe_number="1.23E+11"),
            _row(5, employee_ref="1.23E+11"),
        ),
        "x.csv",
        "harrow",
    )
    faults = [[(fault["code"], fault["detail"]) for fault in row["faults"]] for row in _rows(house, job["id"])]
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
    values = next(csv.reader([_row(1)]))
    cells: list[object] = [
        46054 if name == "employment_start" else value for name, value in zip(FIELDS, values, strict=True)
    ]
    job = house.upload(_sheet(cells), "x.xlsx", "harrow")
    [row] = _rows(house, job["id"])
    assert [(fault["field"], fault["detail"]) for fault in row["faults"]] == [
        ("employment_start", "this is a number, not a date: format the cells as dates")
    ]


def test_a_template_under_an_odd_sheet_name_is_still_a_template(house):
    """A name that no spreadsheet program allows makes no 500."""
    mapping = {"format": "xlsx", "sheet": "a/b[]" + new_identifier(), "columns": {name: name for name in FIELDS}}
    house.good("PUT", "column-mapping", org="harrow", json=mapping)
    assert house.ask("GET", "enrolment-uploads/template.xlsx", org="harrow").status_code == 200
