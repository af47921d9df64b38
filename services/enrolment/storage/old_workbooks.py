"""XLS spreadsheets: read with calamine in a process of its own (`xls_process`), whose end ends nothing else.

The old format lets some hundred bytes stand for a sheet of millions of cells, or for a text that is copied a million
times; calamine lays all of it out before anybody can look. What the process is refused by its limits is refused here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell
from services.enrolment.domain.text_files import MOST_COLUMNS, MOST_ROWS, Table
from services.enrolment.storage.open_documents import MOST_ROWS_ABOVE
from services.enrolment.storage.packages import MOST_SHEETS, NOT_A_SHEET, refuse_too_many

_PROGRAM = str(Path(__file__).with_name("xls_process.py"))
_LONGEST_SECONDS = 120
_DAY_CHARACTERS = len("2026-01-31")


def open_xls(content: bytes, wanted: str | None) -> tuple[list[str], Table]:
    """Return the names of the sheets, and the numbered rows of one: the first without its name.

    Raises:
        WrongFileType: It is no XLS spreadsheet, damaged, or lays out to more than may be read.
        FileTooLarge: The sheet has more rows than one upload may have.
        UnreadableFile: The sheet has more columns than any use.
    """
    rows, columns = MOST_ROWS + MOST_ROWS_ABOVE, MOST_COLUMNS
    asked = json.dumps({"sheet": wanted, "rows": rows, "columns": columns}).encode() + b"\n"
    try:
        done = subprocess.run(  # noqa: S603  our own program; what a stranger sent is its input and no argument
            [sys.executable, "-I", _PROGRAM],
            input=asked + content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it would say what stands in people's cells
            timeout=_LONGEST_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise WrongFileType(NOT_A_SHEET) from error
    about, *lines = done.stdout.splitlines()
    sheet = json.loads(about)
    refuse_too_many("sheets", len(sheet["names"]), MOST_SHEETS)
    if sheet["rows"] > rows:
        raise FileTooLarge(f"the sheet has more than {MOST_ROWS} rows; send it in parts")
    if sheet["columns"] > columns:
        raise UnreadableFile(f"the sheet has more than {MOST_COLUMNS} columns")
    return sheet["names"], _rows(lines)


def _rows(lines: list[bytes]) -> Iterator[tuple[int, list[Cell]]]:
    for number, line in enumerate(lines, start=1):
        cells = [_cell(value) for value in json.loads(line)]
        if any(isinstance(cell, str) and "\0" in cell for cell in cells):
            raise UnreadableFile(f"row {number} holds a NUL character; save the file again")
        yield number, cells


def _cell(value: object) -> Cell:
    if not isinstance(value, dict):
        return value
    day = str(value["day"])
    try:
        return date.fromisoformat(day) if len(day) == _DAY_CHARACTERS else datetime.fromisoformat(day)
    except ValueError:  # a time of day
        return day
