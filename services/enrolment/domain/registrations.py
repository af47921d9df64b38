"""Registration with the regulator, as a register file says it. A lapse is shown; it deletes and blocks nothing.

Source: domain report, "Regulator": the registration year ends on 30 November, and the register is brought up to date
from 1 December, so that "registered until 30 November" may lag without meaning a lapse.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.domain.errors import UnreadableFile
from services.enrolment.domain.identifiers import swe_number

REGISTERED = "registered"
LAPSED = "lapsed"
NOT_FOUND = "not_found"
NOT_CHECKED = "not_checked"
STATUSES = (REGISTERED, LAPSED, NOT_FOUND, NOT_CHECKED)
MOST_ROWS = 5000
MOST_BYTES = 2**20
MOST_FAULTS = 100
_WORDS = {
    REGISTERED: {"registered", "registered with conditions", "conditions", "warning", "active", "current"},
    LAPSED: {"lapsed", "not registered", "removed", "suspended", "struck off", "voluntarily removed", "expired"},
}
_HEADINGS = {
    "number": {"registration number", "registration_number", "swe number", "swe_number", "number"},
    "status": {"status", "registration status", "registration_status"},
    "until": {"registered until", "registered_until", "until", "expiry date", "end date"},
}


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """What a register file says of one number. Names in the file are not read: a number is, or it is nobody's."""

    number: str
    status: str
    registered_until: date | None


@dataclass(frozen=True, slots=True)
class RegisterFault:
    """A line of the file that could not be taken, and what to do about it."""

    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Register:
    """A register file as read: rows by number, and the first hundred faults."""

    rows: dict[str, RegisterRow]
    faults: tuple[RegisterFault, ...]
    refused: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found from `checked_on` until `last_checked_on`, unchanged."""

    status: str
    registered_until: date | None
    checked_on: date
    last_checked_on: date


@dataclass(frozen=True, slots=True)
class Registration:
    """One person's findings, oldest first; the plain fields are the last one's."""

    practitioner_id: str
    status: str
    findings: tuple[Finding, ...]


def read_register(content: bytes) -> Register:
    """Return what a CSV file of the register says.

    Raises:
        UnreadableFile: It is no CSV in UTF-8, lacks a heading, or has too many rows.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile("the file is not UTF-8: save it as CSV UTF-8") from error
    if "\0" in text:
        raise UnreadableFile("the file is not text")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UnreadableFile("the file is no CSV: a quotation mark is not closed, or a cell is too long") from error
    if not lines:
        raise UnreadableFile("the file is empty")
    places = _places(lines[0])
    filled = [(number, line) for number, line in enumerate(lines[1:], 2) if any(cell.strip() for cell in line)]
    if len(filled) > MOST_ROWS:
        raise UnreadableFile(f"more than {MOST_ROWS:,} rows: keep your own people's only")
    return _read(filled, places)


def written(register: Register) -> bytes:
    """Return what a check needs of a file, to be kept until it is done: numbers, statuses and days, no names."""
    rows = [
        (row.number, row.status, row.registered_until.isoformat() if row.registered_until else None)
        for row in register.rows.values()
    ]
    return json.dumps(rows).encode()


def rows_written(content: bytes) -> dict[str, RegisterRow]:
    """Return the rows that `written` wrote, by number."""
    return {
        number: RegisterRow(number, status, date.fromisoformat(until) if until else None)
        for number, status, until in json.loads(content)
    }


def found_on(row: RegisterRow | None, day: date) -> tuple[str, date | None]:
    """Return status and end of a number on the day of the check; no row: it is not on the register that was sent.

    A date that is over means a lapse, but for 30 November of this year: the register says so for some weeks longer.
    """
    if row is None:
        return NOT_FOUND, None
    until = row.registered_until
    is_over = until is not None and until < day and not _may_lag(until, day)
    return (LAPSED if is_over else row.status), until


def in_renewal(status: str, until: date | None, day: date) -> bool:
    """Return whether a renewal is due or may not show yet: from 1 September until the register has caught up."""
    return status == REGISTERED and until is not None and date(until.year, 9, 1) <= day and _ends_a_year(until)


def checked(
    before: Registration | None, practitioner_id: str, found: tuple[str, date | None], day: date
) -> Registration:
    """Return the findings with one more; the same again only moves the day on which it was last seen."""
    status, until = found
    findings = before.findings if before else ()
    if findings and (findings[-1].status, findings[-1].registered_until) == found:
        last = replace(findings[-1], last_checked_on=max(day, findings[-1].last_checked_on))
        return Registration(practitioner_id, status, (*findings[:-1], last))
    return Registration(practitioner_id, status, (*findings, Finding(status, until, day, day)))


def _ends_a_year(until: date) -> bool:
    return (until.month, until.day) == (11, 30)


def _may_lag(until: date, day: date) -> bool:
    return _ends_a_year(until) and day <= date(until.year, 12, 31)


def _places(headings: Sequence[str]) -> dict[str, int]:
    spelled = [heading.strip().casefold() for heading in headings]
    found = {
        name: place for name, known in _HEADINGS.items() for place, heading in enumerate(spelled) if heading in known
    }
    for name, known in (("number", "registration number"), ("status", "status")):
        if name not in found:
            raise UnreadableFile(f"the file has no column with the heading: {known}")
    return found


def _read(lines: Sequence[tuple[int, Sequence[str]]], places: dict[str, int]) -> Register:
    rows: dict[str, RegisterRow] = {}
    faults: list[RegisterFault] = []
    for line, cells in lines:
        row = _row(line, {name: cells[at].strip() if at < len(cells) else "" for name, at in places.items()})
        if isinstance(row, RegisterRow) and rows.get(row.number, row) != row:
            row = RegisterFault(line, "conflicting_duplicate", "the same number stands above with something else")
        if isinstance(row, RegisterFault):
            faults.append(row)
        else:
            rows[row.number] = row
    return Register(rows, tuple(faults[:MOST_FAULTS]), len(faults))


def _row(line: int, cells: dict[str, str]) -> RegisterRow | RegisterFault:
    number = swe_number(cells["number"])
    if number is None:
        return RegisterFault(line, "invalid_registration_number", "SW and up to six digits")
    word = cells["status"].casefold()
    status = next((name for name, words in _WORDS.items() if word in words), None)
    if status is None:
        return RegisterFault(line, "invalid_value", "status is registered or lapsed")
    try:
        until = _day(cells.get("until", ""))
    except ValueError:
        return RegisterFault(line, "invalid_date", "registered until is a day: 2026-11-30 or 30/11/2026")
    return RegisterRow(number, status, until)


def _day(text: str) -> date | None:
    if not text:
        return None
    if "/" in text:
        day, month, year = (int(part) for part in text.split("/"))
        found = date(year, month, day)
    else:
        found = date.fromisoformat(text)
    if not 1900 <= found.year <= 2100:
        raise ValueError(text)
    return found
