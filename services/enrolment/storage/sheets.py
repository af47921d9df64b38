"""Spreadsheets (XLSX, XLS, ODS) as numbered rows of cells. No rule about a row lives here.

XLSX is read as a stream (`workbooks`). XLS and ODS are read with calamine, which holds a whole sheet in its own form.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell, FileMapping
from services.enrolment.domain.text_files import MOST_COLUMNS, MOST_ROWS, FileRow, Table, limited, place_headings
from services.enrolment.storage.workbooks import open_workbook, rows_of

MOST_UNPACKED_BYTES = 100 * 1024 * 1024
MOST_UNPACKED_RATIO = 100
MOST_ROWS_ABOVE = 1000
_NOT_A_SHEET = "the file is not a spreadsheet that can be read"
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_INSIDE = {"xlsx": "xl/workbook.xml", "ods": "content.xml"}


def read_sheet(content: bytes, mapping: FileMapping) -> Iterator[FileRow]:
    """Yield the rows of the mapping's sheet (the first one without a name), in order, without the empty ones.

    Raises:
        UnreadableFile: The file is no such spreadsheet, or its headings are not those of the mapping.
    """
    names, rows = open_sheet(content, mapping.format or "xlsx", mapping.sheet)
    if mapping.sheet and mapping.sheet not in names:
        raise UnreadableFile(f"the spreadsheet has no sheet '{mapping.sheet}'")
    yield from limited(_rows(rows, mapping))


def open_sheet(content: bytes, kind: str, sheet: str | None) -> tuple[list[str], Table]:
    """Return the names of a spreadsheet's sheets, and the numbered rows of one: the first without its name.

    Raises:
        UnreadableFile: The file is no such spreadsheet, or larger than may be read.
    """
    _refuse_other_types(content, kind)
    if kind == "xlsx":
        book = open_workbook(content)
        names = list(book.sheets)
        wanted = sheet if sheet in book.sheets else next(iter(names), None)
        if wanted is None:
            raise WrongFileType(_NOT_A_SHEET)
        return names, rows_of(book, wanted)
    return _with_calamine(content, sheet)


def _with_calamine(content: bytes, wanted: str | None) -> tuple[list[str], Table]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
        sheet = book.get_sheet_by_name(wanted if wanted in names else names[0])
    except (CalamineError, ValueError, OSError, IndexError) as error:
        raise WrongFileType(_NOT_A_SHEET) from error
    if sheet.total_height > MOST_ROWS + MOST_ROWS_ABOVE:
        raise FileTooLarge(f"the sheet has more than {MOST_ROWS} rows; send it in parts")
    if sheet.total_width >= MOST_COLUMNS:
        raise UnreadableFile(f"the sheet has more than {MOST_COLUMNS} columns")
    return names, _numbered(sheet)


def _numbered(sheet: CalamineSheet) -> Table:
    return ((line, [_cell(value) for value in row]) for line, row in enumerate(sheet.iter_rows(), start=1))


def _refuse_other_types(content: bytes, expected: str) -> None:
    if not content:
        raise UnreadableFile("the file is empty")
    if expected == "xls":
        if not content.startswith(_OLE):
            raise WrongFileType("the file is not an XLS spreadsheet")
        return
    if not content.startswith(_ZIP):
        raise WrongFileType(f"the file is not an {expected.upper()} spreadsheet")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise WrongFileType(f"the file is not an {expected.upper()} spreadsheet") from error
    if _INSIDE[expected] not in {entry.filename for entry in entries}:
        raise WrongFileType(f"the file is not an {expected.upper()} spreadsheet")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > min(MOST_UNPACKED_BYTES, MOST_UNPACKED_RATIO * len(content)):
        raise FileTooLarge("the spreadsheet unpacks to more than may be read")


def _rows(table: Table, mapping: FileMapping) -> Iterator[FileRow]:
    headings: list[Cell] = []
    for line, values in table:
        if line >= mapping.heading_row:
            headings = values if line == mapping.heading_row else []
            break
    places = place_headings(["" if heading is None else str(heading) for heading in headings], mapping)
    for line, values in table:
        cells: dict[str, Cell] = {
            ours: _cell(values[place]) if place < len(values) else None for ours, place in places.items()
        }
        if any(cell not in (None, "") for cell in cells.values()):
            yield FileRow(line, cells)


def _cell(value: object) -> Cell:
    """Return a sheet's cell; what is neither text, number nor date is read as the text that a person sees."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return value.strip() or None
    if value is None or isinstance(value, int | float) or hasattr(value, "isoformat"):
        return value
    return str(value)
