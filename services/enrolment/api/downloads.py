"""Files that people take away: a file's bad rows with the message in the cell, and templates. Cells are defused."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import xlsxwriter
from defusedcsv import csv

from services.enrolment.application.uploads import UploadRow
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import CHOICES, FIELDS
from services.enrolment.domain.text_files import codec_of

_DANGEROUS = ("\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_TEMPLATE_ROWS = 1000
_SHEET_NAME = re.compile(r"(?!')[^\[\]:*?/\\]{1,31}(?<!')")  # what a spreadsheet program allows


def errors_csv(rows: Iterable[UploadRow], mapping: FileMapping) -> bytes:
    """Return the refused rows under the employer's own headings; a bad cell begins with what is wrong with it."""
    lines = ([_cell(row, name, mapping) for name in mapping.headings] for row in rows)
    return _csv(chain([list(mapping.headings.values())], lines), mapping)


def template_csv(mapping: FileMapping) -> bytes:
    """Return an empty file under the employer's own headings, where the mapping expects them."""
    return _csv([*([[]] * (mapping.heading_row - 1)), list(mapping.headings.values())], mapping)


def template_xlsx(mapping: FileMapping) -> bytes:
    """Return an empty sheet under the employer's own headings, with drop-downs where there are only a few words."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    name = mapping.sheet or ""
    sheet = book.add_worksheet(name if _SHEET_NAME.fullmatch(name) else "Nominations")
    row = mapping.heading_row - 1
    as_text = book.add_format({"num_format": "@"})
    for column, (name, heading) in enumerate(mapping.headings.items()):
        sheet.write_string(row, column, heading)
        sheet.set_column(column, column, 18, as_text)
        words = _words(name, mapping)
        if words:
            sheet.data_validation(
                row + 1, column, row + _TEMPLATE_ROWS, column, {"validate": "list", "source": list(words)}
            )
    sheet.freeze_panes(row + 1, 0)
    book.close()
    return stream.getvalue()


def _words(name: str, mapping: FileMapping) -> Sequence[str]:
    theirs: Mapping[str, str] = mapping.values.get(name, {})
    return tuple(theirs) or (CHOICES.get(name, ()) if name in FIELDS else ())


def _cell(row: UploadRow, name: str, mapping: FileMapping) -> str:
    value = row.cells.get(name, "")
    split = mapping.split_name
    about = {name, *(("given_name", "family_name") if split and split.column == name else ())}
    messages = [fault.detail for fault in row.faults if fault.field in about]
    return "\n".join([*messages, value]) if messages else value


def _csv(lines: Iterable[Sequence[str]], mapping: FileMapping) -> bytes:
    encoding = mapping.encoding if mapping.format in ("csv", "tsv") and mapping.encoding else "utf-8-sig"
    stream = io.BytesIO()
    text = io.TextIOWrapper(stream, encoding=codec_of(encoding), errors="replace", newline="", write_through=True)
    writer = csv.writer(text, delimiter=mapping.delimiter or ("\t" if mapping.format == "tsv" else ","))
    for line in lines:
        writer.writerow([_defused(cell) for cell in line])
    return stream.getvalue()


def _defused(text: str) -> str:
    """Return a cell that no spreadsheet runs, in what defusedcsv leaves alone: tabs, line ends, full-width signs."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
