"""Files that somebody made to do harm, and files that were damaged: one refusal in words or rows, and nothing else."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.text_files import LONGEST_FIELD, MOST_ROWS
from services.enrolment.storage.files import open_table, read_file
from tests.enrolment.domain.test_oneroster import archive
from tests.enrolment.storage.test_spreadsheets import _compound, _label, _ods, _record, _workbook, _xls

LONG = LONGEST_FIELD + 1
NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:calcext="urn:made-up"'
)


def packed(parts: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        for name, part in parts.items():
            made.writestr(name, part)
    return stream.getvalue()


def again(content: bytes, method: int = zipfile.ZIP_DEFLATED, **changed: str) -> bytes:
    """Return a workbook packed again, with the parts whose names end so replaced."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        parts: dict[str, str | bytes] = {name: old.read(name) for name in old.namelist()}
    for ending, part in changed.items():
        parts[next(name for name in parts if name.endswith(f"{ending}.xml"))] = part
    return packed(parts, method)


def ods(*sheets: str, beside: str = "") -> bytes:
    """Return an OpenDocument file of sheets A, B and so on, whose rows are this XML."""
    tables = "".join(f'<table:table table:name="{chr(65 + at)}">{rows}</table:table>' for at, rows in enumerate(sheets))
    inside = f"<office:body><office:spreadsheet>{tables}{beside}</office:spreadsheet></office:body>"
    return packed({"content.xml": f"<office:document-content {NAMESPACES}>{inside}</office:document-content>"})


def row(cells: str, times: int = 1) -> str:
    """Return a row of ODS."""
    return f'<table:table-row table:number-rows-repeated="{times}">{cells}</table:table-row>'


def cell(text: str, times: int = 1, kind: str = "string", more: str = "") -> str:
    """Return a cell of ODS."""
    return (
        f'<table:table-cell table:number-columns-repeated="{times}" office:value-type="{kind}" {more}>'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


EMPTY = '<table:table-cell table:number-columns-repeated="{}"/>'


def table_of(content: bytes, kind: str, sheet: str | None = None) -> list[tuple[int, list[object]]]:
    """Return all rows of a file."""
    return list(open_table(content, FileMapping(format=kind, sheet=sheet))[1])


@pytest.mark.parametrize(("columns", "rows"), [(300, 50_000), (100, 60_000), (1, 1_000_000), (16_384, 1), (5, 10**12)])
def test_c4_an_ods_file_of_some_hundred_bytes_is_refused_before_it_is_laid_out(columns, rows):
    """What is said to stand repeated is counted, not made."""
    content = ods(row(cell("x", columns), rows))
    assert len(content) < 1000
    with pytest.raises(UnreadableFile):
        list(read_file(content, FileMapping(format="ods")))


def test_c4_an_ods_sheet_may_repeat_its_empty_cells_and_rows_to_its_end():
    """As spreadsheet programs write them; a repeated row with something in it is that many rows."""
    rows = row(EMPTY.format(16_384), 2) + row(cell("a") + EMPTY.format(2) + cell("b", 2) + EMPTY.format(16_379), 2)
    found = table_of(ods(rows + row(EMPTY.format(16_384), 1_048_572)), "ods")
    assert found == [(3, ["a", None, None, "b", "b"]), (4, ["a", None, None, "b", "b"])]


def test_c14_every_kind_of_ods_cell_is_what_a_person_sees():
    """Numbers, shares, flags, days, blanks, line ends; a note, another program's kind and a linked table are not."""
    cells = (
        cell("80%", kind="percentage", more='office:value="0.8" calcext:value-type="string"')
        + cell("yes", kind="boolean", more='office:boolean-value="true"')
        + cell("1/2/26", kind="date", more='office:date-value="2026-02-01T10:30:00"')
        + cell('a<text:s text:c="2"/><text:span>b</text:span><text:line-break/>c</text:p><text:p>d')
        + '<table:table-cell office:value-type="string"><office:annotation><text:p>note</text:p></office:annotation>'
        "<text:p>own</text:p></table:table-cell>"
        + cell("07:30", kind="time", more='office:time-value="PT7H30M"')
        + cell("&lt;b&gt;")
    )
    linked = f"<table:dde-link><table:table>{row(cell('no'))}</table:table></table:dde-link>"
    content = ods(row(cells), row(cell("second")), beside=linked)
    [(line, found)] = table_of(content, "ods", "A")
    assert (line, found[:2], str(found[2])) == (1, [0.8, True], "2026-02-01 10:30:00")
    assert found[3:] == ["a  b\nc\nd", "own", "07:30", "<b>"]
    assert table_of(content, "ods", "B") == [(1, ["second"])]
    assert open_table(content, FileMapping(format="ods"))[0] == ["A", "B"]


@pytest.mark.parametrize(
    "content",
    [
        ods(row(cell("x" * LONG))),
        ods(row(cell(f'<text:s text:c="{LONG}"/>'))),
        ods(row(cell("x", kind="string", more=f'office:string-value="{"x" * LONG}"'))),
        ods(row(cell("x"), 0)),
        ods(*(["<a>" * 200 + "</a>" * 200])),
        ods(*([""] * 400)),
        ods(),
        packed({"content.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
        packed({"content.xml": '<?xml version="1.0" encoding="nonsense"?><a/>'}),
    ],
    ids=["long", "blanks", "long-value", "no-times", "deep", "sheets", "none", "entities", "encoding"],
)
def test_c13_an_ods_file_that_does_harm_is_refused_in_words(content):
    """No text, no depth and no number of sheets is beyond any use."""
    with pytest.raises(UnreadableFile):
        list(read_file(content, FileMapping(format="ods")))


def sheet_xml(inside: str, declared: str = "") -> bytes:
    """Return a workbook whose sheet is this XML, under another declaration."""
    return again(_workbook(""), sheet1=f"{declared}<worksheet><sheetData>{inside}</sheetData></worksheet>")


@pytest.mark.parametrize(
    "content",
    [
        _workbook('<row r="1"><c r="1"><v>1</v></c></row>'),
        _workbook('<row r="1"><c r="a1"><v>1</v></c></row>'),
        _workbook('<row r="99999999999999999999"><c r="A2"><v>1</v></c></row>'),
        _workbook('<row r="1048577"><c r="A2"><v>1</v></c></row>'),
        _workbook('<row r="0"><c r="A2"><v>1</v></c></row>'),
        _workbook('<row r="-5"><c r="A2"><v>1</v></c></row>'),
        sheet_xml('<row r="2"/>', '<?xml version="1.0" encoding="nonsense"?>'),
        sheet_xml('<row r="2"/>', '<?xml version="1.0" encoding="shift_jis"?>'),
        sheet_xml('<row r="2"/>', '<?xml version="1.0" encoding="hex"?>'),
        again(_workbook('<row r="1"/>'), zipfile.ZIP_LZMA),
        again(_workbook('<row r="1"/>'), zipfile.ZIP_BZIP2),
        _workbook("", texts=f"<si><t>{'x' * LONG}</t></si>"),
        _workbook("", styles="".join(f'<numFmt numFmtId="{number}"/>' for number in range(2000))),
        again(_workbook(""), workbook="<w>" + "<sheet/>" * 400 + "</w>"),
        packed({"xl/workbook.xml": "<w/>", **{f"{number}": "" for number in range(3000)}}),
    ],
    ids=[
        "no-column", "small-letter", "20-digits", "below-the-last", "zero", "negative", "unknown", "many-bytes",
        "codec", "lzma", "bzip2", "long-text", "formats", "sheets", "parts",
    ],
)  # fmt: skip
def test_c13_an_xlsx_file_that_does_harm_is_refused_in_words(content):
    """Each of these ended the request, and the worker with it."""
    with pytest.raises(UnreadableFile):
        list(read_file(content, FileMapping(format="xlsx")))


def test_c13_a_day_that_no_calendar_has_and_half_a_character_stay_as_they_are_written():
    """A day after the year 9999, NUL and halves of characters, numbers that are none."""
    cells = (
        '<c r="A1" s="1"><v>2958465.9999999</v></c><c r="B1" t="inlineStr"><is><t>_xD800_x_x0000__x000A_</t></is></c>'
        '<c r="C1"><v>1e999</v></c><c r="D1"><v>nan</v></c>'
    )
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    [(_, found)] = table_of(_workbook(f'<row r="1">{cells}</row>', styles=styles), "xlsx")
    assert found == [2958465.9999999, "_xD800_x_x0000_\n", "1e999", "nan"]


def xls(*records: bytes) -> bytes:
    """Return an XLS file of one sheet with these records."""
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    head = _record(0x0809, begin)
    sheet = _record(0x0085, struct.pack("<IBBBB", len(head) + 13 + 4, 0, 0, 1, 0) + b"S") + _record(0x000A, b"")
    body = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    stream = head + sheet + body + b"".join(records) + _record(0x000A, b"")
    return _compound(stream.ljust(4096, b"\0"))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (xls(_record(0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFE, 0, 0xFFFF, 0))), WrongFileType),
        (xls(_label(0, 0, "a"), _label(65_535, 255, "b")), UnreadableFile),
        (xls(_label(0, 0, "a"), _label(60_000, 1, "b")), FileTooLarge),
        (xls(_label(0, 0, "a"), _label(1, 250, "b")), UnreadableFile),
        (xls(_label(0, 0, "a\0b")), UnreadableFile),
    ],
    ids=["dimensions", "far-corner", "rows", "columns", "nul"],
)
def test_c4_an_xls_file_of_some_kilobytes_is_refused_and_the_process_lives(content, refusal):
    """What it lays out to ends the process that reads it, and that is not this one."""
    with pytest.raises(refusal):
        table_of(content, "xls")


def test_c4_a_usual_xls_file_of_this_kind_is_read():
    """The files above are refused for what is wrong with them."""
    assert table_of(xls(_label(0, 0, "a"), _label(1, 1, "b")), "xls") == [(1, ["a", ""]), (2, ["", "b"])]


DAY = "<cellXfs><xf numFmtId='14'/></cellXfs>"
READERS = [
    ("xlsx", again(_workbook('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', "<si><t>a</t></si>"))),
    ("xlsx", _workbook('<row r="1"><c r="A1" s="0"><v>31167</v></c></row>', styles=DAY)),
    ("ods", _ods()),
    ("ods", ods(row(cell("x", 3), 3))),
    ("oneroster", archive()),
]  # fmt: skip


CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=3)), min_size=1, max_size=8
)


def damaged(content: bytes, changes: list[tuple[float, bytes]]) -> bytes:
    """Return the content with some of its bytes overwritten."""
    made = bytearray(content)
    for share, piece in changes:
        at = int(share * len(made))
        made[at : at + len(piece)] = piece
    return bytes(made)


def refusal_or_rows(content: bytes, kind: str) -> str:
    """Return why a file was refused, "rows" when it was not."""
    try:
        found = sum(1 for _ in read_file(content, FileMapping(format=kind)))
    except UnreadableFile as refusal:
        return refusal.detail
    return "rows" if found <= MOST_ROWS else ""


@settings(max_examples=400, deadline=None)
@given(file=st.sampled_from(READERS), changes=CHANGES)
def test_c13_a_damaged_file_is_rows_or_one_refusal(file, changes):
    """Whatever bytes are changed, no other error comes out of a reader."""
    kind, content = file
    assert refusal_or_rows(damaged(content, changes), kind)


@settings(max_examples=8, deadline=None)
@given(changes=CHANGES)
def test_c13_a_damaged_xls_file_is_rows_or_one_refusal(changes):
    """The old format too; few, because each is a process."""
    assert refusal_or_rows(damaged(_xls(), changes), "xls")


def test_c14_an_ods_file_without_the_sheet_of_the_mapping_is_refused_with_its_name():
    """And the sheet that is there is read by its name."""
    content = ods(row(cell("no")), row(cell("employee_ref") + cell("team")) + row(cell("1") + cell("North")))
    mapping = FileMapping(format="ods", sheet="B", columns={"employee_ref": "employee_ref", "team": "team"})
    [found] = read_file(content, mapping)
    assert (found.line, found.cells["team"]) == (2, "North")
    with pytest.raises(UnreadableFile, match="no sheet 'C'"):
        list(read_file(content, FileMapping(format="ods", sheet="C")))
