"""A column mapping as it is sent and declared (plain JSON), and which one an uploaded file is read by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from services.enrolment.domain.errors import WrongFileType
from services.enrolment.domain.mapping import FORMATS, ONEROSTER, FileMapping, SplitName
from services.enrolment.domain.text_files import codec_of


def mapping_from(document: Mapping[str, Any]) -> FileMapping:
    """Return the mapping that a checked document describes.

    Raises:
        UnreadableFile: The encoding is none that a file is read by.
    """
    if document.get("encoding"):
        codec_of(document["encoding"])
    split = document.get("split_name")
    return FileMapping(
        format=document.get("format"),
        encoding=document.get("encoding"),
        delimiter=document.get("delimiter"),
        sheet=document.get("sheet"),
        heading_row=document.get("heading_row") or 1,
        date_format=document.get("date_format"),
        columns=dict(document.get("columns") or {}),
        values={name: dict(found) for name, found in (document.get("values") or {}).items()},
        split_name=SplitName(split["column"], split["order"], split.get("single_name")) if split else None,
        scale={name: Decimal(str(factor)) for name, factor in (document.get("scale") or {}).items()},
        pad_left=dict(document.get("pad_left") or {}),
    )


def document_of(mapping: FileMapping) -> dict[str, Any]:
    """Return the mapping as plain JSON, without what it does not say."""
    split = mapping.split_name
    document: dict[str, Any] = {
        "format": mapping.format,
        "encoding": mapping.encoding,
        "delimiter": mapping.delimiter,
        "sheet": mapping.sheet,
        "heading_row": mapping.heading_row,
        "date_format": mapping.date_format,
        "columns": dict(mapping.columns),
        "values": {name: dict(found) for name, found in mapping.values.items()},
        "split_name": {"column": split.column, "order": split.order} if split else None,
        "scale": {name: float(factor) for name, factor in mapping.scale.items()},
        "pad_left": dict(mapping.pad_left),
    }
    if split and split.single_name:
        document["split_name"]["single_name"] = split.single_name
    return {name: value for name, value in document.items() if value not in (None, {})}


def format_of(filename: str) -> str:
    """Return what a file is by its name's ending; one without an ending is CSV."""
    ending = filename.rsplit(".", 1)[-1].lower() if "." in filename else "csv"
    return {"txt": "csv", "jsonl": "ndjson", "json": "ndjson", "zip": ONEROSTER}.get(ending, ending)


def mapping_for(declared: FileMapping | None, filename: str, charset: str | None = None) -> FileMapping:
    """Return how to read this upload: the employer's mapping, else the canonical file of the name's type.

    A OneRoster archive is read as one whatever the mapping is for, and a mapping for archives reads nothing else.

    Raises:
        WrongFileType: There is no mapping and the name's type is none that is read.
    """
    kind = format_of(filename)
    own = declared.format if declared is not None else None
    if own is not None and (own == ONEROSTER) == (kind == ONEROSTER):
        return replace(declared or FileMapping(), encoding=charset or (declared.encoding if declared else None))
    if kind not in FORMATS:
        raise WrongFileType("use a file of type CSV, TSV, XLSX, XLS, ODS or NDJSON, or a OneRoster archive (ZIP)")
    base = declared if declared is not None and own is None else FileMapping()
    return replace(base, format=kind, encoding=charset or base.encoding)
