"""ODS spreadsheets read as a stream, one row at a time: what stands repeated is counted, and never laid out in memory.

A file of some hundred bytes can say that a cell stands in every place of a sheet. Only rows and columns that hold
something count against the limits: a spreadsheet program repeats the empty ones to the end of the sheet.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from datetime import datetime

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell
from services.enrolment.domain.text_files import LONGEST_FIELD, MOST_COLUMNS, MOST_ROWS
from services.enrolment.storage.packages import (
    FAULTS,
    LAST_ROW,
    MOST_SHEETS,
    NOT_A_SHEET,
    Reader,
    fed,
    open_package,
    parse,
    refuse_too_many,
    refusing,
    row_number,
    whole,
)

MOST_ROWS_ABOVE = 1000
"""How many rows may stand above the headings."""
_CONTENT = "content.xml"
_SHEETS = "spreadsheet"
_CELLS = ("table-cell", "covered-table-cell")
_NUMBERS = ("float", "percentage", "currency")
_OF_ANOTHER_PROGRAM = "calcext:"
_GAPS = {"tab": "\t", "line-break": "\n"}


def open_ods(content: bytes) -> tuple[zipfile.ZipFile, list[str]]:
    """Return the opened file and the names of its sheets, in the order of their tabs.

    Raises:
        WrongFileType: It is none, or damaged.
    """
    archive = open_package(content, NOT_A_SHEET)
    names = _Names()
    try:
        parse(archive, _CONTENT, names)
    except FAULTS as error:
        raise WrongFileType(NOT_A_SHEET) from error
    return archive, names.found


def rows_of_ods(archive: zipfile.ZipFile, wanted: str | None) -> Iterator[tuple[int, list[Cell]]]:
    """Return each row of a sheet that holds something, read while they are taken: the first sheet without a name.

    Raises:
        WrongFileType: The sheet is damaged.
        FileTooLarge: It has more rows than one upload may have.
        UnreadableFile: It has more columns, or a longer cell, than any use; or there is no such sheet.
    """
    return refusing(_rows_of(archive, wanted), NOT_A_SHEET)


def _rows_of(archive: zipfile.ZipFile, wanted: str | None) -> Iterator[tuple[int, list[Cell]]]:
    reader = _SheetRows(wanted)
    with archive.open(_CONTENT) as stream:
        for _ in fed(stream, reader):
            for first, times, cells in reader.taken():
                yield from ((first + again, cells) for again in range(times))
            if reader.is_through:
                return
    raise WrongFileType(NOT_A_SHEET) if wanted is None else UnreadableFile(f"the spreadsheet has no sheet '{wanted}'")


class _Names(Reader):
    """Finds the sheets: tables that stand in the spreadsheet itself, and not in a cell or behind a link."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._path: list[str] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table" and self._path[-1:] == [_SHEETS]:
            self.found.append(_own(attributes).get("name", ""))
            refuse_too_many("sheets", len(self.found), MOST_SHEETS)
        self._path.append(name)

    def end(self, name: str) -> None:  # noqa: ARG002
        self._path.pop()


class _SheetRows(Reader):
    """Turns one sheet's elements into rows; `taken` gives those that are complete, each with how often it stands."""

    def __init__(self, wanted: str | None) -> None:
        self.is_through = False
        self._wanted = wanted
        self._path: list[str] = []
        self._is_inside = False
        self._ready: list[tuple[int, int, list[Cell]]] = []
        self._found = 0
        self._next_row = 1
        self._row_times = 1
        self._row: list[Cell] = []
        self._column = 0
        self._cell: dict[str, str] = {}
        self._cell_depth = 0
        self._aside_depth = 0
        self._in_text = False
        self._paragraphs = 0
        self._parts: list[str] = []
        self._length = 0

    def taken(self) -> list[tuple[int, int, list[Cell]]]:
        """Return the rows that became complete since: number of the first, how often it stands, cells."""
        ready, self._ready = self._ready, []
        return ready

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        above = self._path[-1] if self._path else ""
        self._path.append(name)
        if not self._is_inside:
            if name == "table" and above == _SHEETS:
                named = self._wanted is None or _own(attributes).get("name", "") == self._wanted
                self._is_inside = named and not self.is_through
        elif self._cell_depth:
            self._begin_in_cell(name, attributes)
        elif name == "table-row":
            self._row_times = _times(_own(attributes).get("number-rows-repeated"))
            self._row, self._column = [], 0
        elif name in _CELLS and above == "table-row":
            self._cell, self._cell_depth = _own(attributes), len(self._path)
            self._parts, self._length, self._paragraphs = [], 0, 0

    def _begin_in_cell(self, name: str, attributes: dict[str, str]) -> None:
        """Come to a paragraph of a cell's own text or what stands in one; notes, pictures and tables are left out."""
        if len(self._path) == self._cell_depth + 1:
            self._in_text = name == "p"
            if self._in_text and self._paragraphs:
                self._add("\n")
            self._paragraphs += self._in_text
        elif not self._in_text or self._aside_depth:
            return
        elif name == "annotation":
            self._aside_depth = len(self._path)
        elif name == "s":
            self._add(" " * min(_times(_own(attributes).get("c")), LONGEST_FIELD + 1))
        elif name in _GAPS:
            self._add(_GAPS[name])

    def text(self, text: str) -> None:
        if self._in_text and not self._aside_depth:
            self._add(text)

    def _add(self, text: str) -> None:
        self._length += len(text)
        if self._length > LONGEST_FIELD:
            raise UnreadableFile(f"row {self._next_row}: a cell holds more than {LONGEST_FIELD} characters")
        self._parts.append(text)

    def end(self, name: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if not self._is_inside:
            return
        if self._cell_depth:
            self._end_in_cell(depth)
        elif name == "table-row":
            self._end_row()
        elif name == "table" and self._path[-1:] == [_SHEETS]:
            self._is_inside, self.is_through = False, True

    def _end_in_cell(self, depth: int) -> None:
        if depth == self._aside_depth:
            self._aside_depth = 0
        if depth == self._cell_depth + 1:
            self._in_text = False
        elif depth == self._cell_depth:
            self._cell_depth = 0
            self._end_cell(_value(self._cell, "".join(self._parts)))

    def _end_cell(self, value: Cell) -> None:
        times = _times(self._cell.get("number-columns-repeated"))
        if value is not None:
            if self._column + times > MOST_COLUMNS:
                raise UnreadableFile(f"the sheet has more than {MOST_COLUMNS} columns")
            self._row += [None] * (self._column - len(self._row)) + [value] * times
        self._column += times

    def _end_row(self) -> None:
        if self._row:
            self._found += self._row_times
            if self._found > MOST_ROWS + MOST_ROWS_ABOVE:
                raise FileTooLarge(f"the sheet has more than {MOST_ROWS} rows; send it in parts")
            row_number(self._next_row + self._row_times - 1)
            self._ready.append((self._next_row, self._row_times, self._row))
        self._next_row += self._row_times


def _own(attributes: dict[str, str]) -> dict[str, str]:
    """Return an element's attributes without their prefix, and without those that another program added beside them."""
    return {
        name.rpartition(":")[2]: value for name, value in attributes.items() if not name.startswith(_OF_ANOTHER_PROGRAM)
    }


def _times(repeated: str | None) -> int:
    times = whole(repeated) if repeated is not None else 1
    if not 1 <= times <= LAST_ROW:
        raise WrongFileType(NOT_A_SHEET)
    return times


def _value(cell: dict[str, str], text: str) -> Cell:
    """Return what a person sees in a cell: text, number, day, or None."""
    kind = cell.get("value-type", "")
    if kind in _NUMBERS:
        return _number(cell.get("value", ""), text)
    if kind == "date":
        try:
            return datetime.fromisoformat(cell.get("date-value", "")).replace(tzinfo=None)
        except ValueError:
            return text or None
    if kind == "boolean":
        return cell.get("boolean-value") == "true"
    if kind == "string" and len(cell.get("string-value", "")) > LONGEST_FIELD:
        raise UnreadableFile(f"a cell holds more than {LONGEST_FIELD} characters")
    return cell.get("string-value", text) or None if kind == "string" else text or None


def _number(raw: str, text: str) -> Cell:
    try:
        number = float(raw)
    except ValueError:
        return text or None
    return number if math.isfinite(number) else text or None
