"""A file that nobody here has seen, looked at before it is mapped: what it holds, what it probably means, what is open.

Nothing is kept and nothing is taken. The suggested mapping is whole: a person corrects it, sets it, and sends the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import Final

from services.enrolment.application.column_mappings import format_of
from services.enrolment.application.ports import Books, OpenTable
from services.enrolment.domain import heading_matching as matching
from services.enrolment.domain import text_files
from services.enrolment.domain.decisions import Catalogue, decide
from services.enrolment.domain.errors import UnreadableFile, WrongFileType
from services.enrolment.domain.field_list import BY_NAME, COURSE, DATE, INTAKE, WORD
from services.enrolment.domain.heading_matching import DateReading, Suggestion
from services.enrolment.domain.mapping import SHEET_FORMATS, TEXT_FORMATS, Cell, FileMapping, SplitName, read_row
from services.enrolment.domain.records import FIELDS, REQUIRED, ReadRow, RowFault

SHOWN_ROWS: Final = 5
MOST_VALUES: Final = 100
UNUSED: Final = "unused_"
"""A column of the file that is none of our fields is declared under this name and a number, and left alone."""
_ENCODINGS: Final = ("utf-8-sig", "cp1252")
_DELIMITERS: Final = (",", ";", "\t", "|")
_HEADINGS_WITHIN: Final = 20
_SHOWN_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class HeadingFound:
    """One heading of the file, the field it is read as, and how that came: mapped, exact, known, similar, or not."""

    heading: str
    field: str | None
    confidence: str | None


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A value that is none of the words of its field, and how many rows say so."""

    field: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class DateFound:
    """How the dates of one field can be read."""

    field: str
    reading: DateReading


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like under a mapping, set or suggested: `rows` as they stand, `read` the same ones as read."""

    mapping: FileMapping
    sheets: tuple[str, ...]
    headings: tuple[HeadingFound, ...]
    missing: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    read: tuple[tuple[ReadRow, tuple[RowFault, ...]], ...]
    looked_at: int
    unknown_values: tuple[UnknownValue, ...]
    dates: tuple[DateFound, ...]
    faults: Mapping[tuple[str, str], int]
    good: int
    doubts: tuple[str, ...] = ()

    @property
    def unmapped(self) -> tuple[str, ...]:
        """Return the headings that no field is read from."""
        return tuple(found.heading for found in self.headings if found.field is None)


@dataclass(slots=True)
class _Seen:
    """What was read of a file: its headings as they stand, and its first rows under them."""

    sheets: list[str]
    headings: list[str]
    rows: list[tuple[int, list[Cell]]]
    mapping: FileMapping
    doubts: list[str] = field(default_factory=list)

    def column(self, heading: str) -> list[Cell]:
        """Return the cells under a heading."""
        place = self.headings.index(heading)
        return [cells[place] for _, cells in self.rows if place < len(cells)]


def preview(
    books: Books, content: bytes, filename: str, open_table: OpenTable, wanted: FileMapping | None = None
) -> Preview:
    """Return what the file looks like under `wanted`; what it leaves open is suggested.

    Raises:
        UnreadableFile: The file cannot be read as a table at all; one sentence says why.
    """
    seen = _seen(content, filename, open_table, wanted)
    catalogue = books.catalogue.courses()
    columns, how = _columns(seen, wanted)
    mapping = replace(seen.mapping, columns=columns)
    mapping = _with_name(seen, mapping, wanted)
    dates = _dates(seen, mapping)
    mapping = _with_values(seen, mapping, wanted, dates, _titles(books))
    named = {heading: name for name, heading in mapping.columns.items() if not name.startswith(UNUSED)}
    needed = {*REQUIRED} - ({"given_name", "family_name"} if mapping.split_name else set())
    read = _read(seen, mapping, catalogue)
    return Preview(
        mapping=_with_unused(seen, mapping),
        sheets=tuple(seen.sheets),
        headings=tuple(HeadingFound(each, named.get(each), how.get(each)) for each in seen.headings if each),
        missing=tuple(name for name in FIELDS if name in needed and name not in mapping.columns),
        rows=tuple((line, _shown(seen, cells)) for line, cells in seen.rows[:SHOWN_ROWS]),
        read=tuple(read[:SHOWN_ROWS]),
        looked_at=len(seen.rows),
        unknown_values=_unknown(seen, mapping, catalogue),
        dates=dates,
        faults=_counted(read),
        good=sum(not faults for _, faults in read),
        doubts=tuple(seen.doubts),
    )


def _seen(content: bytes, filename: str, open_table: OpenTable, wanted: FileMapping | None) -> _Seen:
    kind = (wanted.format if wanted else None) or format_of(filename)
    if kind not in (*TEXT_FORMATS, *SHEET_FORMATS):
        raise WrongFileType("a preview needs a file of type CSV, TSV, XLSX, XLS, ODS or NDJSON")
    base = replace(wanted or FileMapping(), format=kind)
    doubts: list[str] = []
    if kind in ("csv", "tsv"):
        base = _with_encoding(content, base, doubts)
        if base.delimiter is None:
            base = replace(base, delimiter=_delimiter(content, base.encoding or "utf-8-sig"))
    sheets, table = open_table(content, base)
    if kind in SHEET_FORMATS and len(sheets) > 1 and not base.sheet:
        base = replace(base, sheet=sheets[0])
        doubts.append(f"the file has {len(sheets)} sheets, and the first one was read")
    looked_at = list(islice(table, text_files.MOST_LOOKED_AT))
    number = wanted.heading_row if wanted and wanted.heading_row > 1 else _heading_row(looked_at)
    if kind == "ndjson":
        number = looked_at[0][0] if looked_at else 0
    headings = next((cells for line, cells in looked_at if line == number), [])
    found = [_written(cell).strip() for cell in headings]
    while found and not found[-1]:
        found.pop()
    if not found:
        raise UnreadableFile("the file has no row that could be its headings")
    rows = [(line, cells) for line, cells in looked_at if line > number and any(_written(cell) for cell in cells)]
    return _Seen(sheets, found, rows, replace(base, heading_row=max(1, number)), doubts)


def _with_encoding(content: bytes, mapping: FileMapping, doubts: list[str]) -> FileMapping:
    if mapping.encoding is not None:
        return mapping
    encodings = ("utf-16", *_ENCODINGS) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in encodings:
        try:
            text_files.decodable(content, encoding)
        except UnreadableFile:
            continue
        if encoding == "cp1252":
            doubts.append("the file is not UTF-8; it was read as Windows-1252: look at names with accents")
        return replace(mapping, encoding=encoding)
    return mapping


def _delimiter(content: bytes, encoding: str) -> str:
    beginning = content[: 64 * 1024].decode(text_files.codec_of(encoding), "replace")
    lines = beginning.splitlines()[:_HEADINGS_WITHIN]
    return max(_DELIMITERS, key=lambda mark: max((line.count(mark) for line in lines), default=0))


def _heading_row(table: Sequence[tuple[int, list[Cell]]]) -> int:
    """Return the row among the first ones that looks most like headings; the first that is not empty otherwise."""
    first = [(line, cells) for line, cells in table[:_HEADINGS_WITHIN] if any(_written(cell) for cell in cells)]
    if not first:
        return 1
    best = max(first, key=lambda each: (matching.looks_like_headings(each[1]), -each[0]))
    if matching.looks_like_headings(best[1]):
        return best[0]
    widest = max(sum(1 for cell in cells if _written(cell)) for _, cells in first)
    return next(line for line, cells in first if sum(1 for cell in cells if _written(cell)) == widest)


def _columns(seen: _Seen, wanted: FileMapping | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return ours -> theirs, and how each heading came to its field."""
    set_before = dict(wanted.columns) if wanted else {}
    columns = {
        name: heading
        for name, heading in set_before.items()
        if heading in seen.headings and not name.startswith(UNUSED)
    }
    how = dict.fromkeys(columns.values(), "mapped")
    left_alone = {heading for name, heading in set_before.items() if name.startswith(UNUSED)}
    open_headings = [each for each in seen.headings if each and each not in how and each not in left_alone]
    for found in matching.suggest(open_headings):
        if found.field not in columns and not (wanted and wanted.split_name and found.field in _NAMES):
            columns[found.field] = found.heading
            how[found.heading] = found.confidence
    doubled = sorted({each for each in seen.headings if each and seen.headings.count(each) > 1})
    if doubled:
        seen.doubts.append(f"these headings stand twice, and a file is refused with them: {', '.join(doubled)[:200]}")
    seen.doubts += [
        f"'{found.heading}' was taken for {found.field} because it is spelled alike" for found in _similar(columns, how)
    ]
    return columns, how


_NAMES: Final = ("given_name", "family_name")


def _similar(columns: Mapping[str, str], how: Mapping[str, str]) -> list[Suggestion]:
    return [
        Suggestion(heading, name, matching.SIMILAR)
        for name, heading in columns.items()
        if how.get(heading) == matching.SIMILAR
    ]


def _with_name(seen: _Seen, mapping: FileMapping, wanted: FileMapping | None) -> FileMapping:
    """Return the mapping with a combined name taken apart, where neither name has a column of its own."""
    if (wanted and wanted.split_name) or any(name in mapping.columns for name in _NAMES):
        return mapping
    used = set(mapping.columns.values())
    whole = next(
        (each for each in seen.headings if each not in used and matching.plain(each) in matching.FULL_NAMES), None
    )
    if whole is None:
        return mapping
    order = matching.name_order(seen.column(whole))
    seen.doubts.append(f"'{whole}' holds the whole name; it was read as {order}")
    columns = {**mapping.columns, matching.NAME_COLUMN: whole}
    return replace(mapping, columns=columns, split_name=SplitName(matching.NAME_COLUMN, order))


def _dates(seen: _Seen, mapping: FileMapping) -> tuple[DateFound, ...]:
    return tuple(
        DateFound(name, matching.read_dates(seen.column(heading)))
        for name, heading in mapping.columns.items()
        if name in BY_NAME and BY_NAME[name].kind == DATE
        if any(isinstance(cell, str) and cell.strip() for cell in seen.column(heading))
    )


def _with_values(
    seen: _Seen,
    mapping: FileMapping,
    wanted: FileMapping | None,
    dates: Sequence[DateFound],
    titles: Mapping[str, str],
) -> FileMapping:
    values = {name: dict(found) for name, found in mapping.values.items()}
    for name, heading in mapping.columns.items():
        if name in BY_NAME and BY_NAME[name].kind in (WORD, COURSE) and name not in values:
            suggested = matching.suggest_words(name, _texts(seen.column(heading)), titles)
            if suggested:
                values[name] = suggested
    scale = dict(mapping.scale)
    is_open = "fte" in mapping.columns and "fte" not in scale and not wanted
    if is_open and matching.looks_like_percent(seen.column(mapping.columns["fte"])):
        scale["fte"] = Decimal("0.01")
        seen.doubts.append("working time looks like percent: 100 was read as full time")
    return replace(mapping, values=values, scale=scale, date_format=mapping.date_format or _date_format(seen, dates))


def _date_format(seen: _Seen, dates: Sequence[DateFound]) -> str | None:
    """Return the one format that reads every date column; days before months where nothing else decides."""
    possible = [set(found.reading.formats) for found in dates if found.reading.formats]
    common = set.intersection(*possible) if possible else set()
    if not common:
        if possible:
            seen.doubts.append("the date columns are written in different ways; a file is read by one date format")
        return None
    ordered = [form for form in matching.DATE_FORMATS if form in common]
    if len(ordered) > 1:
        example = next(found.reading.example for found in dates if found.reading.is_ambiguous)
        seen.doubts.append(
            f"dates such as {example} can be read as {' or '.join(ordered)}: {ordered[0]} was taken, say which it is"
        )
    return None if ordered[0] == matching.DATE_FORMATS[0] else ordered[0]


def _with_unused(seen: _Seen, mapping: FileMapping) -> FileMapping:
    """Return the mapping with every heading declared: a file with another one is refused."""
    used = set(mapping.columns.values())
    others = [each for each in seen.headings if each and each not in used]
    columns = {**mapping.columns, **{f"{UNUSED}{number}": each for number, each in enumerate(others, start=1)}}
    return replace(mapping, columns=columns)


def _titles(books: Books) -> dict[str, str]:
    """Return the code of every course that this employer has heard of, by its plain title."""
    return {matching.plain(told.title): code for code, told in books.catalogue.titles().items()}


def _unknown(seen: _Seen, mapping: FileMapping, catalogue: Catalogue) -> tuple[UnknownValue, ...]:
    """Return values that mean none of our words, the most frequent first."""
    intakes = {intake for course in catalogue.values() for intake in course.cohorts}
    found: list[UnknownValue] = []
    for name, heading in mapping.columns.items():
        entry = BY_NAME.get(name)
        if entry is None or entry.kind not in (WORD, COURSE, INTAKE):
            continue
        known = {*entry.words, *(catalogue if entry.kind == COURSE else ()), *(intakes if entry.kind == INTAKE else ())}
        counts = Counter(_texts(seen.column(heading)))
        translated = mapping.values.get(name, {})
        unknown = [(value, count) for value, count in counts.most_common() if translated.get(value, value) not in known]
        found += [UnknownValue(name, value[:_SHOWN_CHARACTERS], count) for value, count in unknown[:MOST_VALUES]]
    return tuple(found)


def _read(seen: _Seen, mapping: FileMapping, catalogue: Catalogue) -> list[tuple[ReadRow, tuple[RowFault, ...]]]:
    """Return the rows looked at as they are read, each with what is wrong with it."""
    places = {
        name: seen.headings.index(heading) for name, heading in mapping.columns.items() if heading in seen.headings
    }
    found = []
    for line, cells in seen.rows:
        values = {name: cells[place] if place < len(cells) else None for name, place in places.items()}
        row = read_row(line, values, mapping)
        found.append((row, decide(row, catalogue).faults))
    return found


def _counted(read: Sequence[tuple[ReadRow, tuple[RowFault, ...]]]) -> dict[tuple[str, str], int]:
    """Return how many of the rows have each fault, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for _, faults in read:
        counts.update({(fault.code, fault.field) for fault in faults})
    return dict(counts.most_common())


def _shown(seen: _Seen, cells: Sequence[Cell]) -> dict[str, str]:
    return {
        heading: _written(cells[place])[:_SHOWN_CHARACTERS] if place < len(cells) else ""
        for place, heading in enumerate(seen.headings)
        if heading
    }


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [text for text in (_written(cell).strip() for cell in cells) if text]


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    return str(cell)
