"""Each refusal code, alone and together, and what hides what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.enrolment.domain import records
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse, decide
from services.enrolment.domain.mapping import FileMapping, SplitName, read_row
from services.enrolment.domain.records import fingerprint

COURSE = OfferedCourse(
    code="SAR",
    owner="brent",
    level="SW",
    routes=("practice_only",),
    prerequisite_routes=("practice_and_academic",),
    cohorts={"2025-09": OfferedCohort("brent", 10), "2024-09": OfferedCohort("brent", 10, closed=True)},
)
CATALOGUE = {"SAR": COURSE, "ANY": replace(COURSE, code="ANY", level="ALL")}
GOOD = {
    "employee_ref": "10001",
    "given_name": "Aoife",
    "family_name": "O'Neill",
    "email": "a@brent.example",
    "date_of_birth": "1982-07-07",
    "swe_number": "SW53380",
    "pcf_level": "SW",
    "employment_start": "2018-01-03",
    "course": "SAR",
    "intake": "2025-09",
    "route": "practice_only",
    "manager_approved_on": "2025-07-01",
}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ()),
        ({"email": " "}, ("missing_value",)),
        ({"pcf_level": "GRADE 7"}, ("invalid_value",)),
        ({"route": "both"}, ("invalid_value",)),
        ({"date_of_birth": "1985-02-31"}, ("invalid_date",)),
        ({"date_of_birth": "01/02/1985"}, ("invalid_date",)),
        ({"date_of_birth": 31079}, ("invalid_date",)),
        ({"date_of_birth": ""}, ("missing_value",)),
        ({"swe_number": ""}, ("missing_value",)),
        ({"swe_number": "SW-12"}, ("invalid_registration_number",)),
        ({"swe_number": "SW12345678"}, ("invalid_registration_number",)),
        ({"swe_number": "SW000000"}, ("invalid_registration_number",)),
        ({"swe_number": "1.23E+11"}, ("invalid_registration_number",)),
        ({"course": "ZZZ", "pcf_level": "ESW", "intake": "1999"}, ("unknown_course",)),
        ({"intake": "2031-01"}, ("unknown_cohort",)),
        ({"intake": "2031-01", "pcf_level": "ESW"}, ("unknown_cohort", "level_mismatch")),
        ({"intake": "2024-09"}, ("cohort_closed",)),
        ({"pcf_level": "ESW"}, ("level_mismatch",)),
        ({"pcf_level": "ASYE", "course": "ANY"}, ()),
        ({"route": "practice_and_academic"}, ("prerequisite_missing", "route_not_offered")),
        ({"route": "practice_and_academic", "prerequisite_on": "2025-01-01"}, ("route_not_offered",)),
        ({"route": "practice_and_academic", "prerequisite_on": "2025-02-31"}, ("invalid_date", "route_not_offered")),
        ({"manager_approved_on": None}, ("manager_approval_missing",)),
        ({"manager_approved_on": "soon"}, ("invalid_date",)),
        ({"fte": "1,000"}, ("invalid_value",)),
        ({"team": ["x"]}, ("invalid_value",)),
        ({"team": "\ud800"}, ("invalid_value",)),
        ({"employee_ref": "1.23E+11"}, ("invalid_value",)),
        (
            {"email": None, "pcf_level": "X", "date_of_birth": "x", "swe_number": "x", "course": "Z"}
            | {"manager_approved_on": None},
            (
                "missing_value",
                "invalid_value",
                "invalid_date",
                "invalid_registration_number",
                "unknown_course",
                "manager_approval_missing",
            ),
        ),
    ],
)
def test_a_row_gets_exactly_the_codes_that_apply_in_the_contracts_order(changes, codes):
    """Every fault is listed once, in order, and only where what it needs could be read."""
    verdict = decide(read_row(2, GOOD | changes, FileMapping()), CATALOGUE)
    assert verdict.codes == codes
    assert verdict.decision == ("refused" if codes else "accepted")


def test_a_row_identical_to_one_taken_is_a_duplicate_and_another_is_in_conflict():
    """Equality is of canonical values: spelling and spaces do not matter, a team does."""
    first = fingerprint(read_row(2, GOOD, FileMapping()).record)
    same = read_row(9, GOOD | {"swe_number": " sw 0053380", "email": " a@brent.example "}, FileMapping())
    other = read_row(9, GOOD | {"team": "Elsewhere"}, FileMapping())
    assert decide(same, CATALOGUE, first).decision == "duplicate"
    assert decide(other, CATALOGUE, first).codes == ("conflicting_duplicate",)


def test_a_refused_row_is_no_duplicate_whatever_was_taken_before():
    """A row with faults of its own is refused for these alone."""
    row = read_row(9, GOOD | {"manager_approved_on": None}, FileMapping())
    assert decide(row, CATALOGUE, "anything").codes == ("manager_approval_missing",)


@pytest.mark.parametrize(
    ("cell", "mapping", "read"),
    [
        (3000.0, FileMapping(), "3000"),
        (3000.0, FileMapping(pad_left={"employee_ref": 5}), "03000"),
        ("300", FileMapping(), "300"),
        ("A12", FileMapping(pad_left={"employee_ref": 5}), "A12"),
        ("12.50", FileMapping(), "12.50"),
        ("=1+1", FileMapping(), "=1+1"),
    ],
)
def test_c14_numbers_in_text_columns_are_read_as_they_are_shown(cell, mapping, read):
    """Whole numbers lose their decimals; eaten zeros come back only where the mapping says so."""
    assert read_row(1, GOOD | {"employee_ref": cell}, mapping).record.employee_ref == read


@pytest.mark.parametrize(
    ("whole", "rule", "family", "given"),
    [
        ("Williams, José", SplitName("n", "family, given"), "Williams", "José"),
        ("Mary Ann Smith", SplitName("n", "given family"), "Smith", "Mary Ann"),
        ("Nguyễn Thị Hoa", SplitName("n", "family given"), "Nguyễn", "Thị Hoa"),
        ("Suharto", SplitName("n", "given family"), "Suharto", None),
        ("Suharto", SplitName("n", "family, given", "given"), None, "Suharto"),
    ],
)
def test_h15_combined_names_are_split_as_the_mapping_says(whole, rule, family, given):
    """Order and separator are the mapping's; a single name is refused only where the mapping does not allow it."""
    row = read_row(1, GOOD | {"n": whole}, FileMapping(split_name=rule))
    assert (row.record.family_name, row.record.given_name) == (family, given)
    missing = [fault.field for fault in row.faults if fault.code == records.MISSING_VALUE]
    assert bool(missing) == (not rule.single_name and not (family and given))


def test_scale_and_declared_formats_are_applied():
    """A percentage becomes a fraction, a declared date format is read, and so are mapped values."""
    mapping = FileMapping(
        date_format="%d.%m.%Y", scale={"fte": records_scale()}, values={"pcf_level": {"Social Worker": "SW"}}
    )
    dates = dict.fromkeys(records.DATES, "03.01.2018")
    row = read_row(1, GOOD | dates | {"fte": "80", "pcf_level": "Social Worker"}, mapping)
    assert (row.record.fte, row.record.pcf_level, row.faults) == ("0.8", "SW", ())


def records_scale():
    """Return one hundredth."""
    from decimal import Decimal

    return Decimal("0.01")


def test_values_translate_dates_and_empty_words():
    """A mapping's words for nothing mean nothing: in a date as in a text, before anything is decided."""
    mapping = FileMapping(values={"manager_approved_on": {"n/a": ""}, "email": {"none": ""}})
    row = read_row(2, {"manager_approved_on": " n/a ", "email": "none"}, mapping)
    assert row.record.manager_approved_on is None
    faults = {fault.field: fault.code for fault in row.faults}
    assert "manager_approved_on" not in faults
    assert faults["email"] == records.MISSING_VALUE
