"""An uploaded file as rows, whatever its format. The formats themselves are read in `sheets` and the domain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from services.enrolment.domain.mapping import SHEET_FORMATS, FileMapping
from services.enrolment.domain.text_files import FileRow, read_text
from services.enrolment.storage.sheets import read_sheet


def read_file(content: bytes, mapping: FileMapping) -> Iterator[FileRow]:
    """Return the rows of a file as the mapping says, read while they are taken.

    Raises:
        UnreadableFile: The file as a whole cannot be read; one sentence says why.
    """
    wanted = mapping.format or "csv"
    if wanted in SHEET_FORMATS:
        return read_sheet(content, mapping)
    if wanted == "tsv" and mapping.delimiter is None:
        mapping = replace(mapping, delimiter="\t")
    return read_text(content, mapping)
