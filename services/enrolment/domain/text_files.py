"""Text files (CSV, TSV, NDJSON) as numbered rows of cells, and every whole-file fault. Sheets are read in `storage`.

Nothing is guessed: what the mapping does not declare is refused with one sentence. Source: partnership data rules;
the file faults are rows C1 to C14 of the platform's fault list, each a named test.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell, FileMapping, is_empty
from services.enrolment.domain.records import REQUIRED
from shared.errors import Fault

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
LONGEST_FIELD = 131_072
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NOT_TEXT = {b"PK\x03\x04": "a zip or spreadsheet", b"\xd0\xcf\x11\xe0": "an old spreadsheet", b"%PDF": "a PDF"}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row that is not empty: its number as a person sees it, and its cells under our names."""

    line: int
    cells: Mapping[str, Cell]


def read_text(content: bytes, mapping: FileMapping) -> list[FileRow]:
    """Return the rows of a CSV, TSV or NDJSON file, in file order; empty rows are skipped and keep their number.

    Raises:
        UnreadableFile: The file as a whole cannot be read; the sentence says what to do.
    """
    refuse_other_types(content)
    text = decode(content, mapping.encoding)
    rows = _json_rows(text, mapping) if mapping.format == "ndjson" else _separated_rows(text, mapping)
    return limited(rows)


def limited(rows: Iterator[FileRow]) -> list[FileRow]:
    """Return the rows as a list.

    Raises:
        FileTooLarge: There are more than one upload may have.
        UnreadableFile: There are none.
    """
    found: list[FileRow] = []
    for row in rows:
        if len(found) >= MOST_ROWS:
            raise FileTooLarge(f"the file has more than {MOST_ROWS} rows; send it in parts")
        found.append(row)
    if not found:
        raise UnreadableFile("the file has no rows below its headings")
    return found


def refuse_other_types(content: bytes) -> None:
    """Raise `WrongFileType` when the content is plainly no text table, `UnreadableFile` when it is empty."""
    if not content.strip():
        raise UnreadableFile("the file is empty")
    for magic, name in _NOT_TEXT.items():
        if content.startswith(magic):
            raise WrongFileType(f"the file is {name}, and a text file was expected")
    if content.lstrip()[:1] == b"<":
        raise WrongFileType("the file is a web page or XML, and a text file was expected")


def decode(content: bytes, encoding: str | None) -> str:
    """Return the text, decoded as declared (UTF-8 without a declaration), without a byte order mark.

    Raises:
        UnreadableFile: Naming the encoding and the byte offset.
    """
    declared = (encoding or "utf-8").lower().replace("_", "-")
    if content.startswith(_UTF_16) and not declared.startswith("utf-16"):
        raise UnreadableFile(f"the file is UTF-16, not {declared}, from byte offset 0; save it as {declared}")
    try:
        text = content.decode("utf-8-sig" if declared in ("utf-8", "utf8") else declared)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"the file is not {declared}: the byte at offset {error.start} does not belong to it"
        ) from error
    except LookupError as error:
        raise UnreadableFile("the declared encoding is not known") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _at(line, f"row {line} holds a NUL character; save the file again as text")
    return text


def place_headings(found: Sequence[str], mapping: FileMapping) -> Mapping[str, int]:
    """Return our name -> column index.

    Raises:
        UnreadableFile: A heading is missing, doubled or not declared; each is named.
    """
    headings = [heading.strip() for heading in found]
    while headings and not headings[-1]:
        headings.pop()
    theirs = mapping.headings
    _refuse_wrong_delimiter(headings, theirs, mapping)
    doubled = sorted({heading for heading in headings if headings.count(heading) > 1})
    if doubled:
        raise _headings(f"these headings stand twice: {_listed(doubled)}; delete or rename one", doubled)
    needed = set(theirs.values()) if mapping.columns else {*REQUIRED, "manager_approved_on"}
    missing = [heading for heading in theirs.values() if heading in needed and heading not in headings]
    if missing:
        raise _headings(f"these headings are missing: {_listed(missing)}", missing)
    extra = [heading for heading in headings if heading not in theirs.values()]
    if extra:
        raise _headings(f"{len(extra)} heading(s) are not in the column mapping; delete the columns or declare them")
    return {name: headings.index(heading) for name, heading in theirs.items() if heading in headings}


def _refuse_wrong_delimiter(headings: list[str], theirs: Mapping[str, str], mapping: FileMapping) -> None:
    if len(headings) != 1 or len(theirs) == 1:
        return
    used = next((name for mark, name in _DELIMITERS.items() if mark in headings[0]), None)
    expected = _DELIMITERS.get(mapping.delimiter or ",", "declared")
    if used is not None:
        raise UnreadableFile(f"wrong delimiter: the headings are separated by {used}, and {expected} was expected")


def _separated_rows(text: str, mapping: FileMapping) -> Iterator[FileRow]:
    stream = io.StringIO(text, newline="")
    before = (mapping.heading_row or 1) - 1
    for _ in range(before):
        next(stream, None)
    records = _numbered(stream, mapping.delimiter or ",", before)
    _, headings = next(records, (0, []))
    width = len(headings)
    places = place_headings(headings, mapping)
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != width:
            raise _at(line, f"row {line} has {len(cells)} cells, and the headings have {width}")
        yield FileRow(line, {name: cells[place] for name, place in places.items()})


def _numbered(stream: io.StringIO, delimiter: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    while True:
        line = before + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _at(line, f"row {line} cannot be read: {_explained(str(error))}") from error
        if cells is None:
            return
        if len(cells) > MOST_COLUMNS:
            raise _at(line, f"row {line} has more than {MOST_COLUMNS} columns")
        yield line, cells


def _explained(reason: str) -> str:
    if "field larger" in reason:
        return f"a cell holds more than {LONGEST_FIELD} characters"
    if "unexpected end" in reason:
        return "a quotation mark is never closed"
    return "its quotation marks do not match"


def _json_rows(text: str, mapping: FileMapping) -> Iterator[FileRow]:
    theirs = mapping.headings
    for line, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        found = _json_object(line, source)
        if set(found) - set(theirs.values()):
            raise _at(line, f"row {line} has a name that is not in the column mapping")
        cells = {name: found.get(heading) for name, heading in theirs.items()}
        if not is_empty(cells):
            yield FileRow(line, cells)


def _json_object(line: int, source: str) -> dict[str, Cell]:
    try:
        found = strict_json(source)
    except ValueError as error:
        raise _at(line, f"row {line} is not one JSON object") from error
    if not isinstance(found, dict):
        raise _at(line, f"row {line} is not one JSON object")
    return found


def strict_json(source: str | bytes) -> object:
    """Return what a JSON text says.

    Raises:
        ValueError: It is no JSON, or doubtful: doubled names, NaN, numbers or nesting beyond any use.
    """
    try:
        found: object = json.loads(source, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return found


def _unique(pairs: list[tuple[str, Cell]]) -> dict[str, Cell]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> Cell:
    raise ValueError(f"{name} is no JSON")


def _at(line: int, sentence: str) -> UnreadableFile:
    return UnreadableFile(sentence, faults=(Fault(code="unreadable_row", detail=sentence, row=line),))


def _headings(sentence: str, names: Sequence[str] = ()) -> UnreadableFile:
    return UnreadableFile(
        sentence, faults=tuple(Fault(code="heading", detail=sentence, column=name[:100]) for name in names)
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name[:100]}'" for name in names[:20])
