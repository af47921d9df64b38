"""Text files (CSV, TSV, NDJSON) as numbered rows of cells, and every whole-file fault. Sheets are read in `storage`.

Rows are yielded one by one, so that a large file is never held as a whole; whoever wants to know that all of a file is
readable goes through it to the end. Nothing is guessed: what the mapping does not declare is refused with one sentence.
Source: partnership data rules; the file faults are rows C1 to C14 of the platform's fault list, each a named test.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import Cell, FileMapping, is_empty
from services.enrolment.domain.records import REQUIRED
from shared.errors import Fault

MOST_BYTES = 16 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
LONGEST_FIELD = 131_072
LONGEST_ROW = 1_000_000
MOST_LOOKED_AT = 2000
"""How many rows a preview looks at."""
_PIECE_BYTES = 64 * 1024
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Codecs that turn bytes into text and nothing else; Python knows many that do more (idna, punycode, unicode_escape).
_ENCODINGS = re.compile(r"utf-8(-sig)?|utf-16(-[lb]e)?|ascii|cp[0-9]+|iso8859-[0-9]+|mac-[a-z]+|koi8-[rtu]")
_ESCAPED = "\\u"
_NUL, _BACKSLASH = b"\\u0000", b"\\\\"
_NOT_SPACE = re.compile(rb"\S")
_NOT_TEXT = {b"PK\x03\x04": "a zip or spreadsheet", b"\xd0\xcf\x11\xe0": "an old spreadsheet", b"%PDF": "a PDF"}


Table = Iterator[tuple[int, list[Cell]]]
"""Rows as they stand in a file, each with the number that a person sees, before any mapping."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row that is not empty: its number as a person sees it, and its cells under our names.

    `is_ended` says that the sender wants what the row names to end (OneRoster's `tobedeleted`).
    """

    line: int
    cells: Mapping[str, Cell]
    is_ended: bool = False


def read_text(content: bytes, mapping: FileMapping) -> Iterator[FileRow]:
    """Yield the rows of a CSV, TSV or NDJSON file, in file order; empty rows are skipped and keep their number.

    Raises:
        UnreadableFile: The file as a whole cannot be read; the sentence says what to do.
    """
    refuse_other_types(content)
    encoding = decodable(content, mapping.encoding)
    is_json = mapping.format == "ndjson"
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="\n" if is_json else "")
    yield from limited(_json_rows(stream, mapping) if is_json else _separated_rows(stream, mapping))


def separated(stream: io.TextIOWrapper, delimiter: str) -> Table:
    """Yield every row of a text table as it stands, with the line on which it begins.

    Raises:
        UnreadableFile: A row cannot be read; a character that cannot is for whoever opened the stream.
    """
    for line, cells in _numbered(_Lines(stream), delimiter):
        if any("\0" in cell for cell in cells):
            raise _at(line, f"row {line} holds a NUL character; save the file again as text")
        yield line, list(cells)


def json_names(stream: io.TextIOWrapper) -> Table:
    """Yield the rows of an NDJSON file as a table: first every name of its first rows, then their values.

    Raises:
        UnreadableFile: A row is not one JSON object.
    """
    lines = _Lines(stream)
    found: list[tuple[int, dict[str, Cell]]] = []
    for _ in range(MOST_LOOKED_AT):
        line = lines.begin_row()
        source = next(lines, None)
        if source is None:
            break
        if source.strip():
            found.append((line, _json_object(line, source)))
    names = list(dict.fromkeys(name for _, row in found for name in row))
    yield 0, list(names)
    for line, row in found:
        yield line, [row.get(name) for name in names]


def limited(rows: Iterator[FileRow]) -> Iterator[FileRow]:
    """Yield the rows again.

    Raises:
        FileTooLarge: There are more than one upload may have.
        UnreadableFile: There are none.
    """
    found = 0
    for row in rows:
        found += 1
        if found > MOST_ROWS:
            raise FileTooLarge(f"the file has more than {MOST_ROWS} rows; send it in parts")
        yield row
    if not found:
        raise UnreadableFile("the file has no rows below its headings")


def refuse_other_types(content: bytes) -> None:
    """Raise `WrongFileType` when the content is plainly no text table, `UnreadableFile` when it is empty."""
    first = _NOT_SPACE.search(content)
    if first is None:
        raise UnreadableFile("the file is empty")
    for magic, name in _NOT_TEXT.items():
        if content.startswith(magic):
            raise WrongFileType(f"the file is {name}, and a text file was expected")
    if first.group() == b"<":
        raise WrongFileType("the file is a web page or XML, and a text file was expected")


def decodable(content: bytes, encoding: str | None) -> str:
    """Return the name of the codec that reads all of the content: as declared, UTF-8 without a declaration.

    Raises:
        UnreadableFile: Naming the encoding and the byte offset; or the row that holds a NUL character.
    """
    declared = (encoding or "utf-8").lower().replace("_", "-")
    name = codec_of(declared)
    if content.startswith(_UTF_16) and not name.startswith("utf-16"):
        raise UnreadableFile(f"the file is UTF-16, not {declared}, from byte offset 0; save it as {declared}")
    if name == "utf-16" and not content.startswith(_UTF_16):
        name = "utf-16-le"
    decoder = codecs.getincrementaldecoder(name)()
    line = 1
    for start in range(0, len(content), _PIECE_BYTES):
        end = min(start + _PIECE_BYTES, len(content))
        try:
            text = decoder.decode(content[start:end], end == len(content))
        except UnicodeDecodeError as error:
            offset = end - len(error.object) + error.start
            raise UnreadableFile(
                f"the file is not {declared}: the byte at offset {offset} does not belong to it"
            ) from error
        if "\0" in text:
            line += text.count("\n", 0, text.index("\0"))
            raise _at(line, f"row {line} holds a NUL character; save the file again as text")
        line += text.count("\n")
    return name


def codec_of(declared: str) -> str:
    """Return the codec of a declared encoding; UTF-8 with and without a byte order mark are one.

    Raises:
        UnreadableFile: There is none of that name, or it is no plain encoding of text.
    """
    try:
        name = codecs.lookup(declared).name
    except (LookupError, UnicodeError) as error:
        raise UnreadableFile("the declared encoding is not known") from error
    if not _ENCODINGS.fullmatch(name):
        raise UnreadableFile("the declared encoding is not known")
    return "utf-8-sig" if name == "utf-8" else name


def place_headings(found: Sequence[str], mapping: FileMapping) -> Mapping[str, int]:
    """Return our name -> column index.

    Raises:
        UnreadableFile: A heading is missing, doubled or not declared; each is named.
    """
    headings = [heading.strip().removeprefix("\ufeff") for heading in found]
    while headings and not headings[-1]:
        headings.pop()
    theirs = mapping.headings
    _refuse_wrong_delimiter(headings, theirs, mapping)
    doubled = sorted({heading for heading in headings if heading and headings.count(heading) > 1})
    if doubled:
        raise _headings(f"these headings stand twice: {_listed(doubled)}; delete or rename one", doubled)
    needed = theirs if mapping.columns else REQUIRED
    missing = [heading for name, heading in theirs.items() if name in needed and heading not in headings]
    if missing:
        raise _headings(f"these headings are missing: {_listed(missing)}", missing)
    extra = [heading for heading in headings if heading and heading not in theirs.values()]
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


class _Lines:
    """The lines of a text, read one by one; none, and no row of several lines, is longer than any use."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._left = LONGEST_ROW
        self._began = 1
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(self._left + 1)
        if not line:
            raise StopIteration
        if len(line) > self._left:
            raise _at(self._began, f"row {self._began} is longer than {LONGEST_ROW} characters")
        self._left -= len(line)
        self.number += 1
        return line

    def begin_row(self) -> int:
        """Return the number of the line on which the next row begins."""
        self._left = LONGEST_ROW
        self._began = self.number + 1
        return self._began


def _separated_rows(stream: io.TextIOWrapper, mapping: FileMapping) -> Iterator[FileRow]:
    lines = _Lines(stream)
    for _ in range((mapping.heading_row or 1) - 1):
        lines.begin_row()
        next(lines, None)
    records = _numbered(lines, mapping.delimiter or ",")
    _, headings = next(records, (0, []))
    width = len(headings)
    places = place_headings(headings, mapping)
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != width:
            raise _at(line, f"row {line} has {len(cells)} cells, and the headings have {width}")
        yield FileRow(line, {name: cells[place] for name, place in places.items()})


def _numbered(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.begin_row()
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


def _json_rows(stream: io.TextIOWrapper, mapping: FileMapping) -> Iterator[FileRow]:
    theirs = mapping.headings
    lines = _Lines(stream)
    while True:
        line = lines.begin_row()
        source = next(lines, None)
        if source is None:
            return
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
    if _ESCAPED in source:
        _refuse_no_characters(line, found)
    return found


def _refuse_no_characters(line: int, found: object) -> None:
    """Refuse what only an escape can say: NUL, and half of a character, which nothing can show or keep."""
    try:
        written = json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _at(line, f"row {line} holds half of a character; save the file again as text") from error
    except RecursionError as error:
        raise _at(line, f"row {line} is not one JSON object") from error
    if _NUL in written.replace(_BACKSLASH, b""):
        raise _at(line, f"row {line} holds a NUL character; save the file again as text")


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
