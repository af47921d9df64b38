"""Spreadsheets (XLSX, XLS, ODS) as numbered rows of cells. No rule about a row lives here.

XLSX and ODS are read as streams (`workbooks`, `open_documents`), XLS in a process of its own (`old_workbooks`).
"""

from __future__ import annotations

from collections.abc import Iterator

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell, FileMapping
from services.enrolment.domain.text_files import FileRow, Table, limited, place_headings
from services.enrolment.storage.old_workbooks import open_xls
from services.enrolment.storage.open_documents import open_ods, rows_of_ods
from services.enrolment.storage.packages import NOT_A_SHEET, open_package
from services.enrolment.storage.workbooks import open_workbook, rows_of

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
    if mapping.format == "ods":  # its names stand all over it: who knows the name need not read it twice
        _refuse_other_types(content, "ods")
        yield from limited(_rows(rows_of_ods(open_package(content, NOT_A_SHEET), mapping.sheet), mapping))
        return
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
    if kind == "xls":
        return open_xls(content, sheet)
    if kind == "ods":
        archive, names = open_ods(content)
        _refuse_none(names)
        return names, rows_of_ods(archive, sheet if sheet in names else None)
    book = open_workbook(content)
    names = list(book.sheets)
    _refuse_none(names)
    return names, rows_of(book, sheet if sheet in book.sheets else names[0])


def _refuse_none(names: list[str]) -> None:
    if not names:
        raise WrongFileType(NOT_A_SHEET)


def _refuse_other_types(content: bytes, expected: str) -> None:
    if not content:
        raise UnreadableFile("the file is empty")
    if expected == "xls":
        if not content.startswith(_OLE):
            raise WrongFileType("the file is not an XLS spreadsheet")
        return
    if not content.startswith(_ZIP):
        raise WrongFileType(f"the file is not an {expected.upper()} spreadsheet")
    with open_package(content, f"the file is not an {expected.upper()} spreadsheet") as archive:
        entries = archive.infolist()
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
