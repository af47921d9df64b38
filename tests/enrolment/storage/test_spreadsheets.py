"""XLS, ODS and XLSX read for real, damaged ones refused, and memory at the limit of every format."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import xlsxwriter

from services.enrolment.domain.errors import UnreadableFile
from services.enrolment.domain.field_list import FIELD_LIST
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import FIELDS
from services.enrolment.domain.text_files import MOST_ROWS
from services.enrolment.storage.files import open_table, read_file

ROOT = Path(__file__).parents[3]
MOST_GROWTH_MIB = 64
ODS_CELLS = (
    '<table:table-cell office:value-type="string"><text:p>00017</text:p></table:table-cell>'
    '<table:table-cell office:value-type="date" office:date-value="1985-04-30"><text:p>30/4/85</text:p>'
    "</table:table-cell>"
    '<table:table-cell office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell>'
)


ODS_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def _ods() -> bytes:
    """Return the smallest OpenDocument sheet: headings in row 2, one row of a text, a day and a number."""
    heads = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>'
        for name in ("employee_ref", "date_of_birth", "line_manager_ref")
    )
    return _open_document(
        "<table:table-row><table:table-cell/></table:table-row>"
        f"<table:table-row>{heads}</table:table-row><table:table-row>{ODS_CELLS}</table:table-row>"
    )


def _open_document(rows: str, method: int = zipfile.ZIP_STORED) -> bytes:
    """Return an OpenDocument file of one sheet with these rows."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="Made up">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", ODS_MANIFEST)
        packed.writestr("content.xml", content)
    return stream.getvalue()


NARROW = FileMapping(
    heading_row=2, columns={name: name for name in ("employee_ref", "date_of_birth", "line_manager_ref")}
)


def test_c14_an_ods_sheet_is_read_with_its_days_and_zeros():
    """A text keeps its zeros, a day is a day, a number a number, rows keep their numbers."""
    [row] = read_file(_ods(), replace(NARROW, format="ods"))
    assert row.line == 3
    assert row.cells["employee_ref"] == "00017"
    assert str(row.cells["date_of_birth"])[:10] == "1985-04-30"
    assert row.cells["line_manager_ref"] == 42


def test_c14_an_xls_sheet_is_read_with_its_days_and_zeros():
    """The old format, packed by hand below: a text keeps its zeros, a serial under a day's format is a day."""
    [row] = read_file(_xls(), replace(NARROW, format="xls"))
    assert row.line == 3
    assert row.cells["employee_ref"] == "00017"
    assert str(row.cells["date_of_birth"])[:10] == "1985-04-30"
    assert row.cells["line_manager_ref"] == 42


def _record(number: int, body: bytes) -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def _label(row: int, column: int, text: str) -> bytes:
    return _record(0x0204, struct.pack("<HHHH", row, column, 0, len(text)) + b"\0" + text.encode("latin-1"))


def _xls() -> bytes:
    """Return a BIFF8 workbook of one made-up sheet in a compound file: headings in row 2, one row below."""
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    plain = struct.pack("<HHHHIIIH", 0, 0, 0, 0, 0, 0, 0, 0)[:20]
    day = struct.pack("<HH", 0, 14) + plain[4:20]
    head = [
        _record(0x0809, begin),
        _record(0x0042, struct.pack("<H", 1200)),
        _record(0x00E0, plain),
        _record(0x00E0, day),
    ]
    name = b"Made up"
    size = sum(map(len, head)) + 4 + 8 + len(name) + 4
    head += [_record(0x0085, struct.pack("<IBBBB", size, 0, 0, len(name), 0) + name), _record(0x000A, b"")]
    sheet = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))]
    sheet += [_record(0x0200, struct.pack("<IIHHH", 0, 3, 0, 3, 0))]
    sheet += [_label(1, place, name) for place, name in enumerate(NARROW.columns)]
    sheet += [_label(2, 0, "00017")]
    sheet += [
        _record(0x0203, struct.pack("<HHHd", 2, 1, 1, 31167.0)),
        _record(0x0203, struct.pack("<HHHd", 2, 2, 0, 42.0)),
    ]
    sheet += [_record(0x000A, b"")]
    stream = b"".join([*head, *sheet]).ljust(4096, b"\0")
    return _compound(stream)


def _compound(stream: bytes) -> bytes:
    """Return a compound file with one stream, `Workbook`, of whole sectors."""
    sectors = len(stream) // 512
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    chain = [table, end, *range(3, 2 + sectors), end]
    chain += [free] * (128 - len(chain))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0)
    header += struct.pack("<108I", *[free] * 108)
    entries = _entry("Root Entry", 5, 1, end, 0) + _entry("Workbook", 2, free, 2, len(stream))
    return header + struct.pack("<128I", *chain) + entries + bytes(256) + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    free = 0xFFFFFFFF
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text), kind, 1)
        + struct.pack("<III", free, free, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


READ = """
    import sys
    from services.enrolment.domain.mapping import FileMapping
    from services.enrolment.storage.files import read_file

    def peak():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    kind, small, large = sys.argv[1:]
    mapping = FileMapping(format=kind)
    with open(small, "rb") as file:
        assert sum(1 for _ in read_file(file.read(), mapping)) == 1
    before = peak()
    with open(large, "rb") as file:
        content = file.read()
    for _ in range(2):
        rows = sum(1 for _ in read_file(content, mapping))
    print(rows, peak() - before)
"""


def _values(number: int) -> list[str]:
    record = {entry.name: entry.example for entry in FIELD_LIST}
    record |= {
        "employee_ref": f"E{number:05d}",
        "email": f"person{number}@harrow.example",
        "team": f"Team {number % 300}",
    }
    return [record[name] for name in FIELDS]


def _made(kind: str, rows: int) -> bytes:
    if kind == "ndjson":
        return "".join(json.dumps(dict(zip(FIELDS, _values(n), strict=True))) + "\n" for n in range(rows)).encode()
    if kind == "csv":
        lines = [",".join(FIELDS), *(",".join(_values(number)) for number in range(rows))]
        return "\r\n".join([*lines, ""]).encode()
    if kind == "ods":
        cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'.format
        people = map(_values, range(rows))
        named = ([each[0], f"N{at * 2654435761 % 2**32:x}", *each[2:]] for at, each in enumerate(people))
        lines = ["".join(map(cell, values)) for values in (FIELDS, *named)]
        return _open_document(
            "".join(f"<table:table-row>{line}</table:table-row>" for line in lines), zipfile.ZIP_DEFLATED
        )
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("x")
    sheet.write_row(0, 0, FIELDS)
    for number in range(rows):
        sheet.write_row(number + 1, 0, _values(number))
    book.close()
    return stream.getvalue()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured where the kernel says")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "xlsx", "ods"])
def test_c4_fifty_thousand_rows_are_read_in_less_than_64_mib(kind, tmp_path):
    """A process that reads the file twice grows by less, the file itself included."""
    rows = {"ndjson": 30_000, "ods": 10_000}.get(kind, MOST_ROWS)  # more NDJSON would be larger than a file may be
    for name, count in (("small", 1), ("large", rows)):
        (tmp_path / name).write_bytes(_made(kind, count))
    command = [sys.executable, "-c", textwrap.dedent(READ), kind, str(tmp_path / "small"), str(tmp_path / "large")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, growth_kib = map(int, done.stdout.split())
    assert found == rows
    assert growth_kib < MOST_GROWTH_MIB * 1024


def _workbook(sheet: str, texts: str = "", styles: str = "") -> bytes:
    """Return a workbook whose one sheet is this XML."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{relations}"><sheets><sheet name="S" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": "<Relationships "
        'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f"<sst {main}>{texts}</sst>",
        "xl/styles.xml": f"<styleSheet {main}>{styles}</styleSheet>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return stream.getvalue()


def test_every_kind_of_cell_is_what_a_person_sees():
    """Shared, rich and inline texts, numbers, flags, errors, days by a built-in and by an own format, gaps."""
    sheet = (
        '<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c>'
        '<c r="C3" t="inlineStr"><is><t>in</t></is></c>'
        '<c r="E3"><v>0.8</v></c><c r="F3" t="b"><v>1</v></c><c r="G3" t="e"><v>#N/A</v></c>'
        '<c r="H3" s="1"><v>31167</v></c><c r="I3" s="2"><v>46054</v></c><c r="J3" s="3"><v>12</v></c>'
        '<c r="K3" t="str"><f>1+1</f><v>two</v></c><c r="AA3"><v>7</v></c></row>'
    )
    texts = "<si><t>007</t></si><si><r><t>ri</t></r><r><t>ch</t></r><rPh><t>aside</t></rPh></si>"
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="[$-809]dd\\ mmm\\ yyyy"/>'
        '<numFmt numFmtId="171" formatCode="0&quot;d&quot;"/>'
        '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/></cellXfs>'
    )
    names, rows = open_table(_workbook(sheet, texts, styles), FileMapping(format="xlsx"))
    [(line, cells)] = rows
    assert (names, line, len(cells)) == (["S"], 3, 27)
    assert cells[:7] == ["007", "rich", "in", None, 0.8, True, "#N/A"]
    assert [str(cell)[:10] for cell in cells[7:9]] == ["1985-04-30", "2026-02-01"]
    assert (cells[9], cells[10], cells[26]) == (12, "two", 7)


@pytest.mark.parametrize(
    "content",
    [
        _workbook('<row r="1"><c r="A1" t="s"><v>9</v></c></row>'),
        _workbook('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'),
        _workbook('<row r="x"><c r="A1"><v>1</v></c></row>'),
        _workbook("<row>"),
        _workbook('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'),
    ],
    ids=["no-text", "negative", "no-row", "open", "far-column"],
)
def test_c13_a_damaged_sheet_is_refused_in_words(content):
    """Whatever is wrong inside, it is one refusal and no crash."""
    with pytest.raises(UnreadableFile):
        list(read_file(content, FileMapping(format="xlsx")))


def test_c13_a_sheet_with_entities_is_refused():
    """No document type: nothing grows, nothing is fetched."""
    plain = _workbook('<row r="1"><c r="A1"><v>1</v></c></row>')
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name.endswith("sharedStrings.xml"):
                part = b'<!DOCTYPE sst [<!ENTITY a "aaaa">]><sst><si><t>&a;</t></si></sst>'
            new.writestr(name, part)
    with pytest.raises(UnreadableFile):
        list(read_file(stream.getvalue(), FileMapping(format="xlsx")))
