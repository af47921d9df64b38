"""A file whose headings nobody knows, mapped by a person step by step: the draft is the mapping of its own job.

The file waits (`mapping`) until its mapping is finished; then it is checked like any other. What a person leaves for
longer than a day is forgotten, because it holds people's details that nobody reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from services.enrolment.application import uploads
from services.enrolment.application.column_mappings import format_of
from services.enrolment.application.column_preview import UNUSED, Preview, preview
from services.enrolment.application.ports import Books, Desk, OpenTable
from services.enrolment.application.upload_handlers import find, receive
from services.enrolment.application.uploads import Sending, Upload
from services.enrolment.domain import heading_matching as matching
from services.enrolment.domain.errors import UnreadableFile, WrongState
from services.enrolment.domain.field_list import BY_NAME, DATE
from services.enrolment.domain.mapping import SHEET_FORMATS, FileMapping, SplitName
from services.enrolment.domain.records import REQUIRED

KEPT_UNMAPPED: Final = timedelta(days=1)
WHOLE_NAME: Final = matching.NAME_COLUMN
NAMES: Final = ("given_name", "family_name")
ORDERS: Final = ("family, given", "given family", "family given")
MOST_SHEETS: Final = 20
_LEAST_HEADINGS: Final = 2
_FORGOTTEN: Final = "nobody said within a day what its columns mean, so the file was forgotten: send it again"


@dataclass(frozen=True, slots=True)
class Meanings:
    """What a person says of the values in a file: how days, names and shares are written, what words mean."""

    date_format: str | None = None
    order: str | None = None
    scale: Mapping[str, Decimal] = field(default_factory=dict)
    pad_left: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def draft_of(
    books: Books,
    content: bytes,
    filename: str,
    open_table: OpenTable,
    declared: FileMapping | None,
    expected: FileMapping,
) -> FileMapping | None:
    """Return the mapping to begin with for a file that was refused, None where no mapping would help.

    A workbook may have a cover: the first of its sheets that holds a table is taken.
    """
    beginning = as_a_beginning(declared)
    for wanted in (beginning, *_other_sheets(content, filename, open_table, beginning)):
        try:
            found = preview(books, content, filename, open_table, wanted)
        except UnreadableFile:
            continue
        if can_be_mapped(found, expected):
            return found.mapping
    return None


def _other_sheets(
    content: bytes, filename: str, open_table: OpenTable, beginning: FileMapping | None
) -> list[FileMapping]:
    kind = format_of(filename)
    if kind not in SHEET_FORMATS:
        return []
    try:
        sheets, _ = open_table(content, FileMapping(format=kind))
    except UnreadableFile:
        return []
    return [replace(beginning or FileMapping(), sheet=name) for name in sheets[1:MOST_SHEETS]]


def can_be_mapped(found: Preview, expected: FileMapping) -> bool:
    """Return whether a file that was refused can be read once somebody says what its columns are.

    A file that looks exactly as `expected` has another fault, and one without rows or with doubled headings is refused
    whatever they mean.
    """
    headings = [each.heading for each in found.headings]
    if len(headings) < _LEAST_HEADINGS or not found.rows or len(set(headings)) != len(headings):
        return False
    return not (_fits(headings, expected) and _is_laid_out_like(found.mapping, expected))


def _fits(headings: Sequence[str], expected: FileMapping) -> bool:
    theirs = expected.headings
    needed = {heading for name, heading in theirs.items() if expected.columns or name in REQUIRED}
    return needed <= {*headings} <= {*theirs.values()}


def _is_laid_out_like(found: FileMapping, expected: FileMapping) -> bool:
    usual = {"csv": ",", "tsv": "\t"}.get(expected.format or "csv")
    same_text = expected.encoding is not None or found.encoding in (None, "utf-8-sig")
    same_marks = found.delimiter in (None, expected.delimiter or usual)
    return same_text and same_marks and found.heading_row == expected.heading_row


def as_a_beginning(declared: FileMapping | None) -> FileMapping | None:
    """Return what is known of an employer's headings and words, without how its last file was laid out."""
    if declared is None or not declared.columns:
        return None
    return replace(declared, format=None, encoding=None, delimiter=None, sheet=None, heading_row=1)


def keep_unmapped(
    desk: Desk, content: bytes, content_id: str, filename: str, draft: FileMapping, sending: Sending
) -> Upload:
    """Return the job of a file that waits to be mapped; the same file that already waits is that one."""
    upload, is_new = receive(desk, content, content_id, filename, draft, sending)
    if not is_new:
        return upload
    waits = [known for known in desk.uploads.same_file(upload.sha256) if known.state == uploads.MAPPING]
    if waits:
        desk.uploads.remove(upload.upload_id)
        return waits[0]
    return desk.uploads.save(replace(upload, state=uploads.MAPPING))


def unmapped(upload: Upload) -> Upload:
    """Return the job of a file that waits to be mapped.

    Raises:
        WrongState: Its mapping is finished.
    """
    if upload.state != uploads.MAPPING:
        raise WrongState("the columns of this file are mapped already")
    return upload


def missing(mapping: FileMapping) -> list[str]:
    """Return the fields that a file must have a column for, and this mapping has none."""
    known = {*mapping.columns, *(NAMES if mapping.split_name else ())}
    return [name for name in REQUIRED if name not in known]


def with_columns(found: Preview, chosen: Mapping[str, str]) -> FileMapping:
    """Return the draft with each heading read as the field that was chosen for it; "" is read as nothing.

    What was said of a field's values holds for the column that it was said of, and for no other.
    """
    draft = found.mapping
    columns = {name: heading for heading, name in chosen.items() if name}
    others = [heading for heading, name in chosen.items() if not name]
    same = {name for name, heading in columns.items() if draft.columns.get(name) == heading}
    days = {name for name in (*columns, *draft.columns) if name in BY_NAME and BY_NAME[name].kind == DATE}
    whole = columns.get(WHOLE_NAME)
    split = draft.split_name if whole and WHOLE_NAME in same else _split(found, whole) if whole else None
    return replace(
        draft,
        columns={**columns, **{f"{UNUSED}{number}": each for number, each in enumerate(others, start=1)}},
        values={name: words for name, words in draft.values.items() if name in same},
        scale={name: factor for name, factor in draft.scale.items() if name in same},
        pad_left={name: width for name, width in draft.pad_left.items() if name in same},
        date_format=draft.date_format if days <= same else None,
        split_name=split,
    )


def _split(found: Preview, heading: str) -> SplitName:
    return SplitName(WHOLE_NAME, matching.name_order(cells.get(heading) for _, cells in found.rows))


def with_layout(draft: FileMapping, *, sheet: str | None, heading_row: int) -> FileMapping:
    """Return the draft of a file whose headings stand elsewhere: what was found at the old place is forgotten."""
    return FileMapping(
        format=draft.format,
        encoding=draft.encoding,
        delimiter=draft.delimiter,
        sheet=sheet or draft.sheet,
        heading_row=heading_row,
    )


def with_meanings(draft: FileMapping, said: Meanings) -> FileMapping:
    """Return the draft with what a person said of its values; the ISO form of days needs no saying."""
    split = draft.split_name
    return replace(
        draft,
        date_format=None if said.date_format == matching.DATE_FORMATS[0] else said.date_format,
        split_name=replace(split, order=said.order) if split and said.order else split,
        scale=dict(said.scale),
        pad_left=dict(said.pad_left),
        values={name: dict(words) for name, words in said.values.items()},
    )


def keep_draft(desk: Desk, upload_id: str, draft: FileMapping) -> Upload:
    """Return the job with another draft of its mapping.

    Raises:
        WrongState: Its mapping is finished.
    """
    upload = unmapped(find(desk, upload_id))
    desk.silent("how an employer's files are read is its own affair")
    return desk.uploads.save(replace(upload, mapping=draft))


def start(desk: Desk, upload_id: str, draft: FileMapping, *, remember: bool) -> Upload:
    """Return the job on its way to be checked by `draft`, by which the employer's next files are read too if asked.

    Raises:
        WrongState: Its mapping is finished.
    """
    upload = unmapped(find(desk, upload_id))
    if remember:
        own = desk.mappings.find()
        desk.mappings.save(draft, own[1] if own else 0)
    desk.silent("a file is the employer's own until its rows are taken")
    return desk.uploads.save(replace(upload, mapping=draft, state=uploads.CHECKING))


def is_forgotten(upload: Upload, now: datetime) -> bool:
    """Return whether a file has waited for its mapping for too long."""
    return upload.state == uploads.MAPPING and upload.uploaded_at + KEPT_UNMAPPED <= now


def forget(desk: Desk, upload_id: str) -> None:
    """End the job of a file that nobody mapped; its content is swept away, because nothing names it any more."""
    upload = desk.uploads.find_any(upload_id)
    if upload is not None and is_forgotten(upload, desk.now):
        desk.uploads.save(replace(upload, state=uploads.FAILED, fault=_FORGOTTEN))
