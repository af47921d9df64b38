"""Whole-file faults of text files: each row C1 to C14 of the fault list, and what is accepted all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import FIELDS
from services.enrolment.domain.text_files import LONGEST_ROW, MOST_ROWS, FileRow, read_text

HEADINGS = ",".join(FIELDS)
ROW = ",".join(["x"] * len(FIELDS))
CSV = FileMapping(format="csv")
TWO = FileMapping(format="csv", columns={"employee_ref": "Ref", "team": "Team"})


def _read(content: bytes, mapping: FileMapping) -> list[FileRow]:
    return list(read_text(content, mapping))


def _refused(content: bytes, mapping: FileMapping = TWO) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as found:
        _read(content, mapping)
    return found.value


def test_c1_a_byte_order_mark_is_accepted():
    """The mark belongs to no heading."""
    assert _read(f"\ufeff{HEADINGS}\n{ROW}\n".encode(), CSV)[0].cells["employee_ref"] == "x"


def test_c2_another_encoding_is_named_with_its_byte_offset():
    """UTF-16 and cp1252 are refused in words; nothing is guessed."""
    assert "byte at offset 14" in _refused("Ref,Team\n1,Jos\u00e9\n".encode("cp1252")).detail
    assert "UTF-16" in _refused("Ref,Team\n1,x\n".encode("utf-16")).detail
    far = b"Ref,Team\n" + b"1,ok\n" * 50_000
    assert f"byte at offset {len(far) + 5}" in _refused(far + "1,José\n".encode("cp1252")).detail
    assert f"byte at offset {len(far) + 6}" in _refused(b"\xef\xbb\xbf" + far + "1,J\xe9\n".encode("cp1252")).detail


def test_c2_a_declared_encoding_is_read():
    """What the mapping declares is accepted."""
    mapping = FileMapping(format="csv", encoding="cp1252", delimiter=";", columns=TWO.columns)
    assert _read("Ref,Team\n1,José\n".encode("utf-16"), replace(TWO, encoding="utf-16"))[0].cells["team"] == "José"
    assert _read("Ref;Team\n1;Jos\u00e9\n".encode("cp1252"), mapping)[0].cells["team"] == "José"


def test_c3_cells_that_a_spreadsheet_would_run_are_kept_as_text():
    """Nothing is changed on the way in."""
    assert _read(b'Ref,Team\n1,"=HYPERLINK(""x"")"\n', TWO)[0].cells["team"] == '=HYPERLINK("x")'


def test_c4_too_many_rows_are_refused():
    """The limit holds before anything is decided."""
    assert len(_read(b"Ref,Team\n" + b"1,x\n" * MOST_ROWS, TWO)) == MOST_ROWS
    with pytest.raises(FileTooLarge):
        _read(b"Ref,Team\n" + b"1,x\n" * (MOST_ROWS + 1), TWO)


def test_c5_a_cell_or_a_row_beyond_any_use_is_refused_with_its_row():
    """A huge cell and thousands of columns are named by row."""
    fault = _refused(b"Ref,Team\n1,ok\n2," + b"x" * 140_000 + b"\n")
    assert fault.faults[0].row == 3
    assert _refused(b"Ref,Team\n1,ok\n" + b"," * 10_000 + b"\n").faults[0].row == 3
    assert _refused(b"," * 10_000 + b"\nRef,Team\n").faults[0].row == 1
    long = b'2,"' + b"x\n" * LONGEST_ROW
    assert _refused(b"Ref,Team\n1,ok\n" + long).faults[0].row == 3
    spread = b'"a\n",' * LONGEST_ROW
    fault = _refused(b"Ref,Team\n1,ok\n" + spread).faults[0]
    assert (fault.row, "longer" in fault.detail) == (3, True)


def test_c6_nul_is_refused_and_other_line_ends_are_accepted():
    """CR alone, mixed line ends and U+2028 are fine."""
    assert "NUL" in _refused(b"Ref,Team\n1,a\0b\n").detail
    rows = _read("Ref,Team\r1,a\u2028b\r\n2,c\n".encode(), TWO)
    assert [(row.line, row.cells["employee_ref"]) for row in rows] == [(2, "1"), (3, "2")]


def test_c7_an_unclosed_or_misplaced_quotation_mark_is_refused_with_its_row():
    """The rest of the file is not swallowed."""
    assert _refused(b'Ref,Team\n1,ok\n2,"never\n3,ok\n').faults[0].row == 3
    assert _refused(b'Ref,Team\n1,"a"b\n').faults[0].row == 2


def test_c8_another_delimiter_is_named():
    """One column of headings is no file."""
    assert "semicolon" in _refused(b"Ref;Team\n1;x\n").detail
    assert "tab" in _refused(b"Ref\tTeam\n1\tx\n").detail


@pytest.mark.parametrize(
    ("headings", "words"),
    [
        ("Ref", "'Team'"),
        ("Ref,Team,Team", "twice"),
        ("Ref,team", "'Team'"),
        ("Ref,Team,Shoe size", "not in the column mapping"),
    ],
)
def test_c9_missing_doubled_extra_and_otherwise_written_headings_are_refused(headings, words):
    """Headings are compared exactly."""
    assert words in _refused(f"{headings}\n{','.join('x' * (headings.count(',') + 1))}\n".encode()).detail


def test_c9_reordered_headings_are_accepted_and_ragged_rows_refused():
    """The order is free, the width is not."""
    assert _read(b"Team,Ref\nx,1\n", TWO)[0].cells["employee_ref"] == "1"
    assert _refused(b"Ref,Team\n1,x\n2\n").faults[0].row == 3


@pytest.mark.parametrize("content", [b"", b"  \n ", b"Ref,Team\n"])
def test_c13_an_empty_file_is_refused(content):
    """No bytes, no text or no rows."""
    assert _refused(content)


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"<!doctype html><p>", b"\xd0\xcf\x11\xe0", b"%PDF-1.7"])
def test_c13_another_type_than_declared_is_refused(content):
    """A spreadsheet, a zip, a page or a PDF is not a CSV."""
    with pytest.raises(WrongFileType):
        _read(content, TWO)


def test_lines_are_numbered_as_a_person_sees_them():
    """Title rows count, empty rows are skipped and keep their number, a record has the number of its first line."""
    mapping = FileMapping(format="csv", heading_row=3, columns=TWO.columns)
    rows = _read(b'Report "x\n\nRef,Team\n1,"a\nb"\n,\n\n2,c\n', mapping)
    assert [(row.line, row.cells["team"]) for row in rows] == [(4, "a\nb"), (8, "c")]


@pytest.mark.parametrize(
    "line", [b"[1]", b"{", b'{"Ref":1,"Ref":2}', b'{"Ref":NaN}', b'{"Ref":1,"role":"hr"}', b"[" * 3000]
)
def test_h6_h10_doubtful_json_lines_are_refused_with_their_row(line):
    """Not JSON, not an object, doubled or undeclared names, no numbers."""
    mapping = FileMapping(format="ndjson", columns=TWO.columns)
    assert _refused(b'{"Ref":"1","Team":"x"}\n' + line + b"\n", mapping).faults[0].row == 2
