"""An uploaded file as rows, whatever its format. The formats themselves are read in `sheets` and the domain."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.domain.errors import WrongFileType
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.text_files import FileRow, read_text
from services.enrolment.storage.sheets import SHEET_FORMATS, read_sheet

TEXT_FORMATS = ("csv", "tsv", "ndjson")


def read_file(content: bytes, mapping: FileMapping) -> list[FileRow]:
    """Return the rows of a file as the mapping says.

    Raises:
        UnreadableFile: The file as a whole cannot be read; one sentence says why.
    """
    wanted = mapping.format or "csv"
    if wanted in SHEET_FORMATS:
        return read_sheet(content, mapping)
    if wanted == "tsv" and mapping.delimiter is None:
        mapping = replace(mapping, delimiter="\t")
    return read_text(content, mapping)


def mapping_for(declared: FileMapping | None, filename: str, charset: str | None = None) -> FileMapping:
    """Return how to read this upload: the employer's mapping, else the canonical file of the name's type.

    Raises:
        WrongFileType: There is no mapping and the name's type is none that is read.
    """
    if declared is not None and declared.format is not None:
        return replace(declared, encoding=charset or declared.encoding)
    ending = filename.rsplit(".", 1)[-1].lower() if "." in filename else "csv"
    kind = {"txt": "csv", "jsonl": "ndjson", "json": "ndjson"}.get(ending, ending)
    if kind not in (*TEXT_FORMATS, *SHEET_FORMATS):
        raise WrongFileType("use a file of type CSV, TSV, XLSX, XLS, ODS or NDJSON")
    base = declared or FileMapping()
    return replace(base, format=kind, encoding=charset or base.encoding)
