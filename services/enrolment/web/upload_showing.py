"""What is made ready for the pages of one file: the table of errors, rows, withdrawals, how a file is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.enrolment.application.column_preview import UNUSED, Preview
from services.enrolment.application.ports import Books
from services.enrolment.application.uploads import COMPLETED, Upload, UploadRow, UploadWithdrawal
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import RowFault
from services.enrolment.web import upload_wording as wording
from services.enrolment.web.enrolment_wording import STATUS_TAGS
from shared.web.wording import day

Cell = str | dict[str, Any]

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_WHO: Final = ("employee_ref", "full_name", "given_name", "family_name")
_NAMES: Final = ("given_name", "family_name")


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """Rows with errors as a page shows them: who, and the columns in which something is wrong."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def error_table(rows: Sequence[UploadRow], upload: Upload) -> ErrorTable:
    """Return the rows with the message in the cell that it is about, and then who it is.

    The columns with errors come first, so that they are seen on a telephone; what has no column stands in one of its
    own.
    """
    theirs = upload.mapping.headings
    places = {fault.field: _column(fault.field, upload.mapping) for row in rows for fault in row.faults}
    wrong = {place for place in places.values() if place}
    shown = [name for name in theirs if name in wrong]
    shown += [name for name in theirs if name in _WHO and name not in wrong]
    has_rest = any(place is None for place in places.values())
    rest = ("Without a column",) if has_rest else ()
    headings = ("Row", *rest, *(theirs[name] for name in shown))
    return ErrorTable(headings, tuple(_error_cells(row, shown, places, has_rest=has_rest) for row in rows))


def _column(field: str, mapping: FileMapping) -> str | None:
    split = mapping.split_name
    if split is not None and field in _NAMES:
        return split.column
    return field if field in mapping.headings else None


def _error_cells(
    row: UploadRow, shown: Sequence[str], places: dict[str, str | None], *, has_rest: bool
) -> tuple[Cell, ...]:
    def about(place: str | None) -> str:
        return " ".join(wording.fault_sentence(fault) for fault in row.faults if places[fault.field] == place)

    cells: list[Cell] = [str(row.line), {"error": about(None), "text": ""}] if has_rest else [str(row.line)]
    cells += [{"error": about(name), "text": row.cells.get(name, "")} for name in shown]
    return tuple(cells)


def row_cells(row: UploadRow, upload: Upload) -> list[Cell]:
    """Return one row and what became of it."""
    words, colour = wording.DECISIONS[row.decision]
    if row.decision == "accepted" and upload.state == COMPLETED:
        words = "Added"
    record = row.record
    what: Cell = record.course or ""
    if row.enrolment_id:
        what = {"text": record.course or "", "href": f"/enrolments/{row.enrolment_id}", "hidden": f"row {row.line}"}
    return [str(row.line), record.employee_ref or "", what, record.intake or "", {"tag": [words, colour]}]


def withdrawal_rows(books: Books, listed: Sequence[UploadWithdrawal]) -> list[list[Cell]]:
    """Return enrolments that a file ends; one that is no longer there is a row of dashes."""
    found = [books.enrolments.find(each.enrolment_id) for each in listed]
    people = books.people.many([each.practitioner_id for each in found if each])
    rows: list[list[Cell]] = []
    for each in found:
        if each is None:
            rows.append(["–", "–", "–", "–", "–"])
            continue
        words, colour = STATUS_TAGS.get(each.status, (each.status, "grey"))
        person = people.get(each.practitioner_id)
        name = f"{person.given_name or ''} {person.family_name or ''}".strip() if person else ""
        reference: Cell = {"text": each.employee_ref, "href": f"/enrolments/{each.enrolment_id}"}
        rows.append([reference, name or "–", each.course, each.intake, {"tag": [words, colour]}])
    return rows


def layout_words(found: Preview, expected: FileMapping | None) -> str:
    """Return how a file differs from what was expected of it."""
    headings = [each.heading for each in found.headings]
    known = expected or FileMapping()
    if set(headings) <= set(known.headings.values()):
        between = DELIMITERS.get(found.mapping.delimiter or "", "")
        how = f", with {between} between its columns" if between else ""
        where = f" and its headings in row {found.mapping.heading_row}" if found.mapping.heading_row > 1 else ""
        return (
            f"Its columns have names that we know, but it is written in another way than your other files{how}{where}."
        )
    return wording.columns_expected(known, headings)


def preview_table(found: Preview) -> ErrorTable:
    """Return the first rows as they are read, with what is wrong in the cell."""
    shown = [name for name in found.mapping.columns if not name.startswith(UNUSED)]
    if found.mapping.split_name:
        shown = [each for name in shown for each in (_NAMES if name == found.mapping.split_name.column else (name,))]
    rows = []
    for row, faults in found.read:
        rest = " ".join(wording.fault_sentence(fault) for fault in faults if fault.field not in shown)
        cells: list[Cell] = [{"error": rest, "text": str(row.line)} if rest else str(row.line)]
        rows.append((*cells, *(_as_read(row.record, name, faults) for name in shown)))
    return ErrorTable(("Row", *(wording.title(name) for name in shown)), tuple(rows))


def _as_read(record: object, name: str, faults: Sequence[RowFault]) -> Cell:
    value = getattr(record, name)
    error = " ".join(wording.fault_sentence(fault) for fault in faults if fault.field == name)
    text = "" if value is None else day(value) if isinstance(value, date) else str(value)
    return {"error": error, "text": text}
