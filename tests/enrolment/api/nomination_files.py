"""Files of nominations as an employer has them: built, sent through the door, and what is said of their rows."""

from __future__ import annotations

import csv
import io
from typing import Any

import xlsxwriter
from werkzeug.test import TestResponse

from services.enrolment.domain.records import FIELDS
from tests.enrolment.conftest import House

HEADINGS = ",".join(FIELDS)


def a_line(number: int, **changes: str) -> str:
    """Return one good row for the course that `open_course` opens, as a line of CSV with its cells in quotes."""
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


def a_file(*lines: str) -> bytes:
    """Return a CSV file with the headings and these lines."""
    return "\r\n".join([HEADINGS, *lines, ""]).encode()


def a_sheet(*rows: list[Any]) -> bytes:
    """Return an .xlsx file with the headings and these rows."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("x")
    for place, row in enumerate([list(FIELDS), *rows]):
        sheet.write_row(place, 0, row)
    book.close()
    return stream.getvalue()


def send(house: House, content: bytes, filename: str = "x.csv", org: str = "harrow", **query: str) -> TestResponse:
    """Return the answer of the door to a file; no worker has looked at it yet."""
    return house.ask(
        "POST",
        "enrolment-uploads",
        org=org,
        data=content,
        content_type="application/octet-stream",
        query_string={"filename": filename, **query},
    )


def rows_of(house: House, upload_id: str) -> list[dict[str, Any]]:
    """Return what is said of each row of a file of Harrow."""
    return house.pages(f"enrolment-uploads/{upload_id}/rows", "harrow")


def errors_of(house: House, upload_id: str) -> list[dict[str, str]]:
    """Return the rows of the report that Harrow can download, as its spreadsheet would show them."""
    answer = house.ask("GET", f"enrolment-uploads/{upload_id}/errors.csv", org="harrow")
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))
