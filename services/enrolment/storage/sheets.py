"""Spreadsheets (XLSX, XLS, ODS) as numbered rows of cells, read with calamine. No rule about a row lives here.

Calamine holds a whole sheet, in its own compact form; rows of ours are yielded one by one.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import islice

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell, FileMapping
from services.enrolment.domain.text_files import MOST_COLUMNS, MOST_ROWS, FileRow, limited, place_headings

MOST_UNPACKED_BYTES = 100 * 1024 * 1024
MOST_UNPACKED_RATIO = 100
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_INSIDE = {"xlsx": "xl/workbook.xml", "ods": "content.xml"}


def read_sheet(content: bytes, mapping: FileMapping) -> Iterator[FileRow]:
    """Yield the rows of the mapping's sheet (the first one without a name), in order, without the empty ones.

    Raises:
        UnreadableFile: The file is no such spreadsheet, or its headings are not those of the mapping.
    """
    _refuse_other_types(content, mapping.format or "xlsx")
    yield from limited(_rows(_sheet(content, mapping), mapping))


def _sheet(content: bytes, mapping: FileMapping) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
        name = mapping.sheet or (names[0] if names else "")
        if name not in names:
            raise UnreadableFile(f"the spreadsheet has no sheet '{name}'")
        sheet = book.get_sheet_by_name(name)
    except (CalamineError, ValueError, OSError) as error:
        raise WrongFileType("the file is not a spreadsheet that can be read") from error
    if sheet.total_height > MOST_ROWS + mapping.heading_row:
        raise FileTooLarge(f"the sheet has more than {MOST_ROWS} rows; send it in parts")
    if sheet.total_width >= MOST_COLUMNS:
        raise UnreadableFile(f"the sheet has more than {MOST_COLUMNS} columns")
    return sheet


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


def _rows(sheet: CalamineSheet, mapping: FileMapping) -> Iterator[FileRow]:
    table = sheet.iter_rows()
    headings = next(islice(table, mapping.heading_row - 1, None), [])
    places = place_headings([str(heading) for heading in headings], mapping)
    for line, values in enumerate(table, start=mapping.heading_row + 1):
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
    return value if isinstance(value, int | float) or hasattr(value, "isoformat") else str(value)
