"""A list of enrolments as a file with the columns of the import: CSV and XLSX, nothing in it that a spreadsheet runs.

Both are written under the employer's own headings and in its own words, so that they come back as they left. The CSV
puts an apostrophe before what would be run, which reading takes away again; in the XLSX every cell is text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import xlsxwriter

from services.enrolment.api.downloads import sheet_name
from services.enrolment.domain.mapping import SHEET_FORMATS, STARTS_FORMULA, FileMapping
from services.enrolment.domain.records import Record
from services.enrolment.domain.text_files import codec_of
from services.enrolment.domain.written_rows import write_row

_WIDTH = 18


def nominations_csv(found: Iterable[Record], mapping: FileMapping) -> bytes:
    """Return these records as text; UTF-8 with a mark for spreadsheets, where the mapping names no encoding."""
    is_text = mapping.format in ("csv", "tsv")
    encoding = mapping.encoding if is_text and mapping.encoding else "utf-8-sig"
    stream = io.BytesIO()
    text = io.TextIOWrapper(stream, encoding=codec_of(encoding), errors="replace", newline="", write_through=True)
    tab = "\t" if mapping.format == "tsv" else ","
    writer = csv.writer(text, delimiter=mapping.delimiter or tab)
    writer.writerows([[]] * (mapping.heading_row - 1))
    writer.writerow(list(mapping.headings.values()))
    for record in found:
        writer.writerow([_defused(cell) for cell in write_row(record, mapping).values()])
    return stream.getvalue()


def nominations_xlsx(found: Iterable[Record], mapping: FileMapping) -> bytes:
    """Return these records as a sheet whose cells are all text, so that references keep their zeros."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(stream, options)
    sheet = book.add_worksheet(sheet_name(mapping.sheet if mapping.format in SHEET_FORMATS else None))
    bold, as_text = book.add_format({"bold": True}), book.add_format({"num_format": "@", "quote_prefix": True})
    first = mapping.heading_row - 1
    headings = list(mapping.headings.values())
    sheet.set_column(0, len(headings) - 1, _WIDTH)
    sheet.freeze_panes(first + 1, 0)
    for column, heading in enumerate(headings):
        sheet.write_string(first, column, heading, bold)
    for row, record in enumerate(found, start=first + 1):
        for column, cell in enumerate(write_row(record, mapping).values()):
            if cell:
                sheet.write_string(row, column, cell, as_text)
    book.close()
    return stream.getvalue()


def _defused(text: str) -> str:
    """Return a cell that no spreadsheet runs; numbers of a file are never negative, so nothing is spared."""
    return f"'{text}" if text and text[0] in STARTS_FORMULA else text
