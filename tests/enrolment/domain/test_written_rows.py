"""Writing a record into an employer's file is reading it backwards: what was written reads as the same record."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.domain.mapping import FileMapping, SplitName, read_row, rearmed
from services.enrolment.domain.records import FIELDS, LEVELS, ROUTES, Record
from services.enrolment.domain.written_rows import write_row

_ALL = {name: name for name in FIELDS}
_WHOLE = {**{name: name for name in FIELDS if name not in ("given_name", "family_name")}, "full_name": "Name"}
MAPPINGS = {
    "canonical": FileMapping(),
    "days and words": FileMapping(
        columns=_ALL,
        date_format="%d/%m/%Y",
        values={"route": {"Y": ROUTES[1], "N": ROUTES[0]}, "pcf_level": {"G7": "SW"}},
    ),
    "scale": FileMapping(columns=_ALL, scale={"fte": Decimal("0.01")}),
    "whole name": FileMapping(columns=_WHOLE, split_name=SplitName("full_name", "family, given")),
}
NAMES = (
    st.text(alphabet="abcdefgÄéO'- ", min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda name: name.strip("'- ") and rearmed(name) == name)
)
DAYS = st.dates(min_value=date(1930, 1, 1), max_value=date(2030, 1, 1))
RECORDS = st.builds(
    Record,
    employee_ref=st.from_regex(r"[0-9]{1,8}", fullmatch=True),
    given_name=NAMES,
    family_name=NAMES,
    email=st.just("somebody@borough.example"),
    date_of_birth=DAYS,
    swe_number=st.integers(1, 999_999).map(lambda number: f"SW{number}"),
    job_title=st.none() | NAMES,
    team=st.none() | NAMES,
    pcf_level=st.sampled_from(LEVELS),
    line_manager_ref=st.none() | st.just("0090"),
    employment_start=DAYS,
    fte=st.none() | st.sampled_from(["1", "0.8", "0.5"]),
    course=st.just("SAR"),
    intake=st.just("2026-09"),
    route=st.sampled_from(ROUTES),
    manager_approved_on=DAYS,
    prerequisite_on=st.none() | DAYS,
)


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS.keys())
@given(record=RECORDS)
def test_what_is_written_reads_as_the_same_record(mapping, record):
    """Under own headings, with own days, words, scales and whole names."""
    read = read_row(1, write_row(record, mapping), mapping)
    assert (read.record, read.faults) == (record, ())


@pytest.mark.parametrize("text", ["=1+1", "+44", "-x", "@home", "|a", "%b"])
def test_a_defused_cell_is_armed_again_and_other_apostrophes_stay(text):
    """A download puts the apostrophe there, and only that one is taken away."""
    cells = {"given_name": f"'{text}", "family_name": "'t Example"}
    record = read_row(1, cells, FileMapping()).record
    assert (record.given_name, record.family_name) == (text, "'t Example")
