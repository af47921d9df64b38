"""An export that nobody here has seen: looked at, mapped, set, loaded; templates and guide; XLS and ODS for real."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
import xlsxwriter

from services.enrolment.api.schemas import NOMINATION_IN
from services.enrolment.domain.field_list import DATE, FIELD_LIST, LONGEST_TEXT, NUMBER
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import FIELDS
from services.enrolment.storage.files import open_table

UNSEEN = "\n".join(
    (
        "Example Borough",
        "Printed for HR",
        "Payroll No;Employee Name;Work E-Mail;DOB;SWE Reg No;Grade;Mgr;Date Joined;WTE;Module;Cohort;Pathway;"
        "Date Authorised;Parking permit",
        "00017;Éxample, Maya;maya@harrow.example;30/04/1985;sw 17;Experienced Social Worker;90001;03/01/2018;100;"
        "Safeguarding;2025-09;Practice only;01/07/2025;yes",
        "00018;Invented, Tom;tom@harrow.example;02/01/1990;SW18;Social Worker;90001;04/02/2019;80;"
        "Safeguarding;2025-09;Practice only;02/07/2025;no",
        "00019;Madeup, Ada;ada@harrow.example;15/03/1991;SW19;Chief;90001;05/02/2019;80;"
        "Safeguarding;2025-09;Practice only;02/07/2025;no",
        "",
    )
)


def _preview(house, content: bytes, filename: str = "x.csv", **query: str):
    return house.ask(
        "POST",
        "column-mapping/preview",
        org="harrow",
        data=content,
        content_type="application/octet-stream",
        query_string={"filename": filename, **query},
    )


def test_an_unseen_export_is_previewed_mapped_and_loaded(house):  # noqa: PLR0915  one person's way, step by step
    """Another encoding, delimiter, heading row, combined names, titles for codes, percent: the rest is asked."""
    house.open_course(level="ALL")
    content = UNSEEN.encode("cp1252")
    found = _preview(house, content).json
    by_heading = {each["heading"]: each["field"] for each in found["headings"]}
    assert by_heading["Payroll No"] == "employee_ref"
    assert (by_heading["DOB"], by_heading["Date Joined"]) == ("date_of_birth", "employment_start")
    assert {"Grade", "Parking permit"} <= set(found["unmapped"])
    assert found["missing"] == ["pcf_level"]
    assert [row["cells"]["Payroll No"] for row in found["rows"]] == ["00017", "00018", "00019"]
    mapping = found["mapping"]
    assert (mapping["delimiter"], mapping["heading_row"], mapping["encoding"]) == (";", 3, "cp1252")
    assert mapping["date_format"] == "%d/%m/%Y"
    assert mapping["split_name"] == {"column": "full_name", "order": "family, given"}
    assert mapping["values"]["course"] == {"Safeguarding": "SAR"}
    assert any("Windows-1252" in doubt for doubt in found["doubts"])

    unused = next(name for name, heading in mapping["columns"].items() if heading == "Grade")
    mapping["columns"]["pcf_level"] = mapping["columns"].pop(unused)
    house.good("PUT", "column-mapping", org="harrow", json=mapping)
    again = _preview(house, content).json
    assert again["missing"] == []
    assert again["unknown_values"] == [{"field": "pcf_level", "value": "Chief", "count": 1}]
    assert again["mapping"]["values"]["pcf_level"] == {
        "Experienced Social Worker": "ESW",
        "Social Worker": "SW",
    }
    last = house.ask("GET", "column-mapping", org="harrow")
    mapping = again["mapping"]
    mapping["values"]["pcf_level"]["Chief"] = "STRATEGIC"
    house.good("PUT", "column-mapping", org="harrow", json=mapping, headers={"If-Match": last.headers["ETag"]})
    job = house.upload(content, "x.csv", "harrow")
    assert (job["state"], job["counts"]["accepted"], job["fault_counts"]) == ("checked", 3, [])
    house.confirm(job["id"], "harrow")
    people = {found["employee_ref"]: found for found in house.pages("practitioners", "harrow")}
    assert (people["00017"]["given_name"], people["00017"]["family_name"]) == ("Maya", "Éxample")
    assert people["00018"]["fte"] == "0.8"


def test_a_preview_keeps_nothing_and_can_be_repeated(house):
    """It needs no key's stored reply, writes no mapping, takes no row."""
    house.open_course()
    assert _preview(house, UNSEEN.encode()).status_code == 200
    database = house.unit.database("harrow")
    assert all(database[name].count_documents({}) == 0 for name in ("contents", "column_mappings", "uploads"))


def test_c14_ambiguous_dates_are_named(house):
    """01/02/2026 could be two days: both formats are shown, and the doubt in words."""
    house.open_course()
    text = "Staff No,DOB\n1,01/02/1980\n2,03/04/1981\n"
    found = _preview(house, text.encode()).json
    [dates] = found["dates"]
    assert (dates["is_ambiguous"], dates["formats"]) == (True, ["%d/%m/%Y", "%m/%d/%Y"])
    assert any("01/02/1980" in doubt for doubt in found["doubts"])


@pytest.mark.parametrize(
    ("content", "filename", "status"),
    [(b"", "x.csv", 422), (b"\n\n", "x.csv", 422), (b"PK\x03\x04", "x.csv", 415), (b"x", "x.xlsx", 415),
     (b"x", "x.zip", 415), (b"a,b\n\x00,1\n", "x.csv", 422)],
)  # fmt: skip
def test_c13_what_is_no_table_is_not_previewed(house, content, filename, status):
    """Refused in words, as an upload is."""
    answer = _preview(house, content, filename)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize("kind", ["xlsx", "ndjson"])
def test_sheets_and_json_are_previewed_too(house, kind):
    """The same names whatever the format."""
    house.open_course()
    if kind == "ndjson":
        content = b'{"Staff No": "1", "Forename": "Maya"}\n{"Staff No": "2", "Surname": "Example"}\n'
    else:
        stream = io.BytesIO()
        book = xlsxwriter.Workbook(stream, {"in_memory": True})
        sheet = book.add_worksheet("Export")
        sheet.write_row(2, 1, ["Staff No", "Forename", "Surname"])
        sheet.write_row(3, 1, ["1", "Maya", "Example"])
        book.close()
        content = stream.getvalue()
    found = _preview(house, content, f"x.{kind}").json
    assert {each["heading"]: each["field"] for each in found["headings"] if each["field"]} == {
        "Staff No": "employee_ref",
        "Forename": "given_name",
        "Surname": "family_name",
    }
    assert found["mapping"]["heading_row"] == (3 if kind == "xlsx" else 1)


def test_faults_are_counted_by_kind_with_the_first_row_of_each(house):
    """What to look at first."""
    house.open_course()
    good = {entry.name: entry.example for entry in FIELD_LIST} | {"intake": "2025-09"}
    rows = [
        good,
        good | {"employee_ref": "2", "email": ""},
        good | {"employee_ref": "3", "email": "", "date_of_birth": "soon"},
    ]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, FIELDS)
    writer.writeheader()
    writer.writerows(rows)
    job = house.upload(stream.getvalue().encode(), "x.csv", "harrow")
    assert job["fault_counts"] == [
        {"code": "missing_value", "field": "email", "count": 2, "first_line": 3},
        {"code": "invalid_date", "field": "date_of_birth", "count": 1, "first_line": 4},
    ]


def test_what_is_sent_one_by_one_has_the_fields_of_the_one_list(house):
    """The body of a single nomination, as it is read and as the document tells it, is the list that files follow."""
    names = {entry.name for entry in FIELD_LIST}
    assert set(NOMINATION_IN.fields) == names
    document = house.app.test_client().get("/openapi.json").get_json()
    told = document["components"]["schemas"]["Nomination"]["properties"]
    assert set(told) == names
    for entry in FIELD_LIST:
        if entry.kind not in (NUMBER, DATE):
            assert told[entry.name]["maxLength"] == LONGEST_TEXT, entry.name


def test_guide_template_and_validation_are_one_list(house):
    """The guide's columns are the template's; its examples, filled in, are taken; drop-downs are what is allowed."""
    house.open_course()
    guide = house.good("GET", "enrolment-uploads/field-guide", org="harrow")["columns"]
    assert [entry["name"] for entry in guide] == list(FIELDS)
    assert next(entry for entry in guide if entry["name"] == "course")["allowed"] == ["SAR"]
    template = house.ask("GET", "enrolment-uploads/template.csv", org="harrow").get_data().decode("utf-8-sig")
    assert next(csv.reader([template])) == [entry["heading"] for entry in guide]
    filled = template + ",".join(entry["example"] for entry in guide) + "\r\n"
    job = house.upload(filled.encode(), "x.csv", "harrow")
    assert (job["counts"]["accepted"], job["fault_counts"]) == (1, [])
    content = house.ask("GET", "enrolment-uploads/template.xlsx", org="harrow").get_data()
    names, rows = open_table(content, FileMapping(format="xlsx"))
    assert names == ["Nominations", "Guide", "Words"]
    assert next(rows)[1] == [entry["heading"] for entry in guide]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.read("xl/worksheets/sheet1.xml").count(b"<dataValidation ") == 4
    _, words = open_table(content, FileMapping(format="xlsx", sheet="Words"))
    columns = list(zip(*(cells + [None] * (len(FIELDS) - len(cells)) for _, cells in words), strict=True))
    for place, entry in enumerate(guide):
        listed = list(columns[place]) if place < len(columns) else []
        assert [word for word in listed if word is not None] == entry["allowed"]
