"""XLSX spreadsheets read as a stream: one row at a time, with nothing but the shared texts held.

Cells become what people see in them: text, number, day. Document types and entities are refused; formulas are never
run, their last result is read. XLS and ODS are read in `sheets`.
"""

from __future__ import annotations

import array
import math
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.enrolment.domain.errors import UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell
from services.enrolment.domain.text_files import LONGEST_FIELD, MOST_COLUMNS
from services.enrolment.storage.packages import (
    FAULTS,
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

_MOST_FORMATS = 1000
_MOST_STYLES = 70_000
_LONGEST_FORMAT = 500
_MOST_TEXTS = 2_000_000
_DAY_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_A_PLACEHOLDER = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  a sheet's days have no zone
_FIRST_DAY_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_MOST_DAYS = 2_958_466
_DAYS_BEFORE_LEAP_1900 = 60
_BOOK = "xl/workbook.xml"


class Texts:
    """The shared texts of a workbook, in one piece of memory: a hundred thousand small texts would be ten times it."""

    def __init__(self) -> None:
        self._all = bytearray()
        self._ends = array.array("L")

    def add(self, text: str) -> None:
        """Keep one more."""
        refuse_too_many("shared texts", len(self._ends) + 1, _MOST_TEXTS)
        self._all += text.encode("utf-8", "replace")
        self._ends.append(len(self._all))

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends):
            raise WrongFileType(NOT_A_SHEET)
        begin = self._ends[number - 1] if number else 0
        return self._all[begin : self._ends[number]].decode()


@dataclass(frozen=True, slots=True)
class Workbook:
    """An opened workbook: where each sheet is, in the order of its tabs, and what its cells need to be read."""

    archive: zipfile.ZipFile
    sheets: dict[str, str]
    texts: Texts
    day_styles: frozenset[int]
    first_day: datetime


def open_workbook(content: bytes) -> Workbook:
    """Return the workbook.

    Raises:
        WrongFileType: It is none, or damaged.
    """
    archive = open_package(content, NOT_A_SHEET)
    try:
        names = set(archive.namelist())
        book = _Book()
        parse(archive, _BOOK, book)
        targets = _Relations()
        parse(archive, "xl/_rels/workbook.xml.rels", targets)
        texts, styles = _SharedTexts(), _Styles()
        for part, reader in (("xl/sharedStrings.xml", texts), ("xl/styles.xml", styles)):
            if part in names:
                parse(archive, part, reader)
    except FAULTS as error:
        raise WrongFileType(NOT_A_SHEET) from error
    sheets = {name: _part(targets.found[relation]) for name, relation in book.sheets if relation in targets.found}
    return Workbook(
        archive, sheets, texts.found, styles.days(), _FIRST_DAY_1904 if book.counts_from_1904 else _FIRST_DAY
    )


def rows_of(book: Workbook, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    """Return each row that stands in a sheet, with its number, read while they are taken.

    Raises:
        WrongFileType: The sheet is damaged.
        UnreadableFile: It has more columns, or a longer cell, than any use.
    """
    return refusing(_rows_of(book, sheet), NOT_A_SHEET)


def _rows_of(book: Workbook, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    reader = _SheetRows(book)
    with book.archive.open(book.sheets[sheet]) as stream:
        for _ in fed(stream, reader):
            yield from reader.taken()


def _part(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))


class _Book(Reader):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.counts_from_1904 = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.counts_from_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self.sheets.append((attributes.get("name", ""), relation))
            refuse_too_many("sheets", len(self.sheets), MOST_SHEETS)


class _Relations(Reader):
    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            self.found[attributes.get("Id", "")] = attributes.get("Target", "")
            refuse_too_many("sheets", len(self.found), MOST_SHEETS)


class _SharedTexts(Reader):
    def __init__(self) -> None:
        self.found = Texts()
        self._parts: list[str] = []
        self._length = 0
        self._in_text = False
        self._aside = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002
        if name == "rPh":
            self._aside += 1
        self._in_text = name == "t" and not self._aside

    def end(self, name: str) -> None:
        self._in_text = False
        if name == "rPh":
            self._aside -= 1
        elif name == "si":
            self.found.add(_unescaped("".join(self._parts)))
            self._parts.clear()
            self._length = 0

    def text(self, text: str) -> None:
        if self._in_text:
            self._length += len(text)
            if self._length > LONGEST_FIELD:
                raise UnreadableFile(f"a cell holds more than {LONGEST_FIELD} characters")
            self._parts.append(text)


class _Styles(Reader):
    def __init__(self) -> None:
        self._own: dict[int, str] = {}
        self._formats: list[int] = []
        self._in_cells = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._own[whole(attributes["numFmtId"])] = attributes.get("formatCode", "")[:_LONGEST_FORMAT]
            refuse_too_many("formats", len(self._own), _MOST_FORMATS)
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            self._formats.append(whole(attributes.get("numFmtId", "0")))
            refuse_too_many("formats of cells", len(self._formats), _MOST_STYLES)

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False

    def days(self) -> frozenset[int]:
        """Return the numbers of the styles that show a day."""
        return frozenset(number for number, format_id in enumerate(self._formats) if self._is_day(format_id))

    def _is_day(self, format_id: int) -> bool:
        if format_id not in self._own:
            return format_id in _DAY_FORMATS
        plain = _NOT_A_PLACEHOLDER.sub("", self._own[format_id].split(";")[0]).lower()
        return plain != "general" and any(mark in plain for mark in "dmyhs")


class _SheetRows(Reader):
    """Turns a sheet's elements into rows; `taken` gives those that are complete."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._ready: list[tuple[int, list[Cell]]] = []
        self._row: list[Cell] = []
        self._number = 0
        self._column = -1
        self._kind = "n"
        self._style = 0
        self._parts: list[str] = []
        self._length = 0
        self._in_value = False
        self._aside = 0

    def taken(self) -> list[tuple[int, list[Cell]]]:
        """Return the rows that became complete since."""
        ready, self._ready = self._ready, []
        return ready

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            self._number = row_number(whole(attributes["r"]) if "r" in attributes else self._number + 1)
            self._row, self._column = [], -1
        elif name == "rPh":
            self._aside += 1
        else:
            self._in_value = name == "v" or (name == "t" and not self._aside)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        where = attributes.get("r")
        self._column = _column(where) if where else self._column + 1
        if self._column > MOST_COLUMNS:
            raise UnreadableFile(f"the sheet has more than {MOST_COLUMNS} columns")
        self._kind, self._style = attributes.get("t", "n"), whole(attributes.get("s", "0"))
        self._parts.clear()
        self._length = 0

    def text(self, text: str) -> None:
        if self._in_value:
            self._length += len(text)
            if self._length > LONGEST_FIELD:
                raise UnreadableFile(f"row {self._number}: a cell holds more than {LONGEST_FIELD} characters")
            self._parts.append(text)

    def end(self, name: str) -> None:
        self._in_value = False
        if name == "c":
            value = self._value("".join(self._parts))
            if value is not None:
                self._row += [None] * (self._column + 1 - len(self._row))
                self._row[self._column] = value
        elif name == "rPh":
            self._aside -= 1
        elif name == "row":
            self._ready.append((self._number, self._row))

    def _value(self, raw: str) -> Cell:
        if not raw:
            return None
        if self._kind == "s":
            return self._book.texts[whole(raw)]
        if self._kind in ("str", "inlineStr", "e"):
            return _unescaped(raw)
        if self._kind == "b":
            return raw.strip() in ("1", "true")
        if self._kind == "d":
            return _written_day(raw)
        return self._number_of(raw)

    def _number_of(self, raw: str) -> Cell:
        try:
            number = float(raw)
        except ValueError:
            return raw
        if not math.isfinite(number):
            return raw
        if self._style in self._book.day_styles and 0 <= number < _MOST_DAYS:
            if self._book.first_day == _FIRST_DAY and number < _DAYS_BEFORE_LEAP_1900:
                number += 1  # a spreadsheet believes that 1900 was a leap year
            try:
                return self._book.first_day + timedelta(seconds=round(number * 86_400))
            except OverflowError:  # after the year 9999
                return number
        return number


def _written_day(raw: str) -> datetime | date | str:
    try:
        return datetime.fromisoformat(raw).replace(tzinfo=None)
    except ValueError:
        return raw


def _column(where: str) -> int:
    """Return the index of a cell's column: A is 0, AA is 26."""
    column = 0
    for letter in where:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
        if column > MOST_COLUMNS:
            break
    if not column:
        raise WrongFileType(NOT_A_SHEET)
    return column - 1


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escaped: re.Match[str]) -> str:
    """Return what `_x000A_` stands for; what stands for no character (NUL, half of one) stays as it is written."""
    character = chr(int(escaped[1], 16))
    return escaped[0] if character == "\0" or "\ud800" <= character <= "\udfff" else character
