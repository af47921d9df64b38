"""Files that people take away: a file's bad rows with the message in the cell, and templates. Cells are defused.

Templates are made from the field guide, which is made from the field list that validation uses.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from itertools import chain

import xlsxwriter
from defusedcsv import csv

from services.enrolment.application.field_guide import GuideEntry
from services.enrolment.application.uploads import UploadRow
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.text_files import codec_of

_DANGEROUS = ("\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_TEMPLATE_ROWS = 1000
_LONGEST_CELL = 32_000
_GUIDE_HEADINGS = ("Column", "What it says", "How it is written", "Example", "Needed", "One of")
_SHEET_NAME = re.compile(r"(?!')[^\[\]:*?/\\\x00-\x1f\ud800-\udfff]{1,31}(?<!')")  # what a spreadsheet program allows


def errors_csv(rows: Iterable[UploadRow], mapping: FileMapping) -> bytes:
    """Return the refused rows under the employer's own headings; a bad cell begins with what is wrong with it."""
    lines = ([_cell(row, name, mapping) for name in mapping.headings] for row in rows)
    return _csv(chain([list(mapping.headings.values())], lines), mapping)


def template_csv(mapping: FileMapping) -> bytes:
    """Return an empty file under the employer's own headings, where the mapping expects them."""
    return _csv([*([[]] * (mapping.heading_row - 1)), list(mapping.headings.values())], mapping)


def template_xlsx(mapping: FileMapping, guide: Sequence[GuideEntry]) -> bytes:
    """Return an empty sheet under the employer's own headings, with drop-downs, and the guide on a sheet of its own."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    name = sheet_name(mapping.sheet)
    sheet = book.add_worksheet(name)
    explained = book.add_worksheet(_other_name("Guide", name))
    words = book.add_worksheet(_other_name("Words", name))
    words.hide()
    row = mapping.heading_row - 1
    as_text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for column, entry in enumerate(guide):
        sheet.write_string(row, column, entry.heading, bold)
        sheet.set_column(column, column, 18, as_text)
        if not entry.allowed:
            continue
        for place, word in enumerate(entry.allowed):
            words.write_string(place, column, word)
        letter = xlsxwriter.utility.xl_col_to_name(column)
        options = {
            "validate": "list",
            "source": f"='{words.get_name()}'!${letter}$1:${letter}${len(entry.allowed)}",
            "ignore_blank": True,
            "error_title": entry.title[:32],
            "error_message": "Choose one of the list.",
        }
        sheet.data_validation(row + 1, column, row + _TEMPLATE_ROWS, column, options)
    sheet.freeze_panes(row + 1, 0)
    explained.set_column(0, 0, 28, wrapped)
    explained.set_column(1, 5, 34, wrapped)
    for column, heading in enumerate(_GUIDE_HEADINGS):
        explained.write_string(0, column, heading, bold)
    for number, entry in enumerate(guide, start=1):
        need = entry.need if entry.condition is None else f"{entry.need}: {entry.condition}"
        cells = (entry.heading, entry.description, entry.format, entry.example, need, "\n".join(entry.allowed))
        for column, cell in enumerate(cells):
            explained.write_string(number, column, cell[:_LONGEST_CELL])
    explained.freeze_panes(1, 0)
    book.close()
    return stream.getvalue()


def sheet_name(wanted: str | None) -> str:
    """Return the name of a sheet as it is wanted, where a spreadsheet program allows it."""
    return wanted if wanted and _SHEET_NAME.fullmatch(wanted) else "Nominations"


def _other_name(name: str, taken: str) -> str:
    return name if name.casefold() != taken.casefold() else f"{name} 2"


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
