"""An employer's column mapping, and a cell's way to its canonical value. Whole files do not live here.

Source: partnership data rules ("Mapping says how to read").
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from services.enrolment.domain import records
from services.enrolment.domain.field_list import LONGEST_TEXT
from services.enrolment.domain.records import DATES, FIELDS, NUMBERS, REQUIRED, ReadRow, Record, RowFault

# What a cell may hold, before anything is decided. `object` stands for JSON lists and objects: never a value.
Cell = str | int | float | bool | date | datetime | None | object

TEXT_FORMATS = ("csv", "tsv", "ndjson")
SHEET_FORMATS = ("xlsx", "xls", "ods")
ONEROSTER = "oneroster"
FORMATS = (*TEXT_FORMATS, *SHEET_FORMATS, ONEROSTER)
_DATE_WORDS = (
    ("T%H:%M:%S", "Thh:mm:ss"),
    ("%H:%M:%S", "hh:mm:ss"),
    ("%H:%M", "hh:mm"),
    ("%Y", "YYYY"),
    ("%m", "MM"),
    ("%d", "DD"),
    ("%y", "YY"),
    ("%b", "Jan"),
    ("%B", "January"),
)
SCALED_PLACES = 4
_MOST_ROUNDED = 1_000_000
_EARLIEST_YEAR = 1900
_REGISTRATION = re.compile(r"\s*SW\s*0*([1-9][0-9]{0,5})\s*", re.IGNORECASE)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EATEN_BY_A_SHEET = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+[0-9]+")
_NOT_KEPT = re.compile("[\0\ud800-\udfff]")
_AS_THEY_ARE: Mapping[str, str] = {}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
STARTS_FORMULA = frozenset("=+-@|%\t\r\n＝＋－＠")
"""What makes a spreadsheet run a cell: downloads put an apostrophe before it, and reading takes that away again."""


@dataclass(frozen=True, slots=True)
class SplitName:
    """A combined name column: `order` is "family, given", "given family" and so on; the text between separates."""

    column: str
    order: str
    single_name: str | None = None


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How one employer's files are to be read. The default is the canonical file: UTF-8, comma, ISO dates."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    heading_row: int = 1
    date_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split_name: SplitName | None = None
    scale: Mapping[str, Decimal] = field(default_factory=dict)
    pad_left: Mapping[str, int] = field(default_factory=dict)

    @property
    def headings(self) -> Mapping[str, str]:
        """Return ours -> theirs; the canonical headings where the mapping names none."""
        if self.format == ONEROSTER:  # `columns` name places in its tables, and the tables have names of their own
            return {name: name for name in FIELDS}
        return self.columns or {name: name for name in FIELDS}


class _Unreadable(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_row(line: int, cells: Mapping[str, Cell], mapping: FileMapping) -> ReadRow:
    """Return the canonical record of `cells` (ours -> cell), with a fault for everything missing or unreadable."""
    faults: list[RowFault] = []
    values: dict[str, str | date | None] = {}
    split = _split(cells, mapping)
    for name in FIELDS:
        try:
            values[name] = _value(name, split.get(name), mapping)
        except _Unreadable as found:
            values[name] = None
            faults.append(RowFault(found.code, name, found.detail))
            continue
        if values[name] is None:
            faults += _required(name, split, mapping)
        elif name in records.CHOICES:
            faults += _choice(name, values[name])
    return ReadRow(line, Record(**values), tuple(faults))  # type: ignore[arg-type]


def is_empty(cells: Mapping[str, Cell]) -> bool:
    """Return whether a row holds nothing at all; such rows are skipped and keep their number."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells.values())


def _required(name: str, cells: Mapping[str, Cell], mapping: FileMapping) -> list[RowFault]:
    if name not in REQUIRED:
        return []
    if mapping.split_name and mapping.split_name.single_name and name in ("given_name", "family_name"):
        other = "family_name" if name == "given_name" else "given_name"
        if _text(cells.get(other)):
            return []
    return [RowFault(records.MISSING_VALUE, name, "enter a value")]


def _choice(name: str, value: str | date | None) -> list[RowFault]:
    choices = records.CHOICES[name]
    if value in choices:
        return []
    return [RowFault(records.INVALID_VALUE, name, f"use one of {', '.join(choices)}")]


def _value(name: str, cell: Cell, mapping: FileMapping) -> str | date | None:
    translations = mapping.values.get(name, _AS_THEY_ARE)
    if name in DATES:
        written = cell.strip() if isinstance(cell, str) else cell
        translated = translations.get(written, written) if isinstance(written, str) else written
        return _date(translated, mapping.date_format)
    text = _text(cell)
    if text is not None and (translations or text != cell):
        text = _text(translations.get(text, text))
    if text is None:
        return None
    if name in NUMBERS:
        return _number(text, mapping.scale.get(name))
    if name in mapping.pad_left and text.isdigit():
        text = text.rjust(mapping.pad_left[name], "0")
    if name == "swe_number":
        return _registration(text)
    if name == "employee_ref" and _EATEN_BY_A_SHEET.fullmatch(text):
        raise _Unreadable(records.INVALID_VALUE, "a spreadsheet has shortened this number: format the column as text")
    return text


def _text(cell: Cell) -> str | None:
    """Return a cell as trimmed NFC text, None when empty. A whole number loses its decimals, never `3000.0`."""
    if cell is None:
        return None
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and math.isfinite(cell):
        cell = int(cell) if cell.is_integer() else repr(cell)
    if isinstance(cell, bool) or not isinstance(cell, str | int):
        raise _Unreadable(records.INVALID_VALUE, "enter text or a number")
    text = rearmed(unicodedata.normalize("NFC", str(cell)).strip())
    if _NOT_KEPT.search(text):
        raise _Unreadable(records.INVALID_VALUE, "this text holds characters that cannot be kept")
    if len(text) > LONGEST_TEXT:
        raise _Unreadable(records.INVALID_VALUE, f"use at most {LONGEST_TEXT} characters")
    return text or None


def rearmed(text: str) -> str:
    """Return a text as it was before a download defused it: `'=1` is `=1`. Other apostrophes are the person's own."""
    if len(text) > 1 and text[0] == "'" and text[1] in STARTS_FORMULA:
        return text[1:].replace("\\|", "|")
    return text


def _date(cell: Cell, date_format: str | None) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if cell is not None and not isinstance(cell, str):
        raise _Unreadable(records.INVALID_DATE, "this is a number, not a date: format the cells as dates")
    text = _text(cell)
    if text is None:
        return None
    found = _parse_date(text, date_format)
    if found is None or found.year < _EARLIEST_YEAR:
        raise _Unreadable(records.INVALID_DATE, f"enter an existing day as {spelled(date_format)}")
    return found


def spelled(date_format: str | None) -> str:
    """Return how a date is written, for people: `DD/MM/YYYY`."""
    text = date_format or "%Y-%m-%d"
    for mark, word in _DATE_WORDS:
        text = text.replace(mark, word)
    return text


def _parse_date(text: str, date_format: str | None) -> date | None:
    try:
        if date_format:
            return datetime.strptime(text, date_format).date() if text.isascii() else None  # noqa: DTZ007  civil day
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _number(text: str, scale: Decimal | None) -> str:
    try:
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        number = None
    if number is None:
        raise _Unreadable(records.INVALID_VALUE, "enter a number with a point, without thousands separators")
    scaled = number if scale is None else _rounded(number * scale)
    return f"{scaled.normalize():f}"


def _rounded(number: Decimal) -> Decimal:
    """Return what a scale made, without what a scale of few places left over: 36 hours of 36 are 1."""
    return round(number, SCALED_PLACES) if abs(number) < _MOST_ROUNDED else number


def _registration(text: str) -> str:
    found = _REGISTRATION.fullmatch(text)
    if found is None:
        raise _Unreadable(
            records.INVALID_REGISTRATION_NUMBER, "enter the registration number as SW and up to six digits"
        )
    return f"SW{found[1]}"


def _split(cells: Mapping[str, Cell], mapping: FileMapping) -> Mapping[str, Cell]:
    """Return `cells` with a combined name taken apart, where the mapping says that there is one."""
    rule = mapping.split_name
    if rule is None:
        return cells
    whole = cells.get(rule.column)
    if not isinstance(whole, str):
        return {**cells, "given_name": None, "family_name": whole}
    first_is_family = rule.order.index("family") < rule.order.index("given")
    first, second = _halves(whole.strip(), rule.order, first_is_family=first_is_family)
    family, given = (first, second) if first_is_family else (second, first)
    if rule.single_name and not (family and given):
        only = family or given
        family, given = (None, only) if rule.single_name == "given" else (only, None)
    return {**cells, "given_name": given, "family_name": family}


def _halves(whole: str, order: str, *, first_is_family: bool) -> tuple[str | None, str | None]:
    separator = re.sub(r"family|given", "\0", order).split("\0")[1].strip()
    if separator:
        first, _, second = whole.partition(separator)
    elif first_is_family:
        first, _, second = whole.partition(" ")
    else:
        first, _, second = whole.rpartition(" ")
    return first.strip() or None, second.strip() or None
