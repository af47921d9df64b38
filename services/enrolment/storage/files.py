"""An uploaded file as rows, whatever its format. The formats themselves are read in `sheets` and the domain."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

from services.enrolment.domain import text_files
from services.enrolment.domain.mapping import ONEROSTER, SHEET_FORMATS, FileMapping
from services.enrolment.domain.text_files import FileRow, Table, read_text
from services.enrolment.storage.archives import manifest_of, read_archive
from services.enrolment.storage.sheets import open_sheet, read_sheet


def read_file(content: bytes, mapping: FileMapping) -> Iterator[FileRow]:
    """Return the rows of a file as the mapping says, read while they are taken.

    Raises:
        UnreadableFile: The file as a whole cannot be read; one sentence says why.
    """
    wanted = mapping.format or "csv"
    if wanted == ONEROSTER:
        return read_archive(content, mapping)
    if wanted in SHEET_FORMATS:
        return read_sheet(content, mapping)
    if wanted == "tsv" and mapping.delimiter is None:
        mapping = replace(mapping, delimiter="\t")
    return read_text(content, mapping)


def open_table(content: bytes, mapping: FileMapping) -> tuple[list[str], Table]:
    """Return the names of a file's sheets (none for text) and its rows as they stand, for somebody to look at.

    Raises:
        UnreadableFile: The file as a whole cannot be read; one sentence says why.
    """
    wanted = mapping.format or "csv"
    if wanted in SHEET_FORMATS:
        return open_sheet(content, wanted, mapping.sheet)
    text_files.refuse_other_types(content)
    encoding = text_files.decodable(content, mapping.encoding)
    is_json = wanted == "ndjson"
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="\n" if is_json else "")
    if is_json:
        return [], text_files.json_names(stream)
    return [], text_files.separated(stream, mapping.delimiter or ("\t" if wanted == "tsv" else ","))


def says_delta(content: bytes, mapping: FileMapping) -> bool:
    """Return whether a file says of itself that it leaves people out: a OneRoster archive of changes.

    Raises:
        UnreadableFile: It is no such archive.
    """
    return mapping.format == ONEROSTER and not manifest_of(content).is_bulk
