"""Unknown headings and values: what is suggested, what is left to a person, and the one field list."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.application.column_mappings import format_of, mapping_for
from services.enrolment.application.field_guide import canonical, entries
from services.enrolment.domain import field_list, records
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.domain.errors import WrongFileType
from services.enrolment.domain.field_list import FIELD_LIST, MANDATORY
from services.enrolment.domain.heading_matching import (
    EXACT,
    KNOWN,
    SIMILAR,
    looks_like_percent,
    name_order,
    plain,
    read_dates,
    suggest,
    suggest_words,
)
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.domain.records import FIELDS, Record

CATALOGUE = {
    "SAR": OfferedCourse("SAR", "brent", "SW", records.ROUTES, cohorts={"2025-09": OfferedCohort("brent", 5)}),
}


def test_the_field_list_is_the_record():
    """Every field of a record is described once, in order; whatever is in doubt about one is in one place."""
    assert tuple(entry.name for entry in FIELD_LIST) == tuple(field.name for field in fields(Record)) == FIELDS
    words = [plain(word) for entry in FIELD_LIST for word in (entry.name, *entry.also)]
    assert len(words) == len(set(words))
    assert all(entry.also == tuple(map(plain, entry.also)) for entry in FIELD_LIST)


@pytest.mark.parametrize("entry", FIELD_LIST, ids=lambda entry: entry.name)
def test_what_the_guide_says_of_a_field_is_what_validation_does(entry):
    """The example is taken; without it a mandatory field is missed, and no other; its words are the only ones."""
    good = {each.name: each.example for each in FIELD_LIST}
    assert read_row(1, good, FileMapping()).faults == ()
    missed = [fault.code for fault in read_row(1, good | {entry.name: None}, FileMapping()).faults]
    assert missed == ([records.MISSING_VALUE] if entry.need == MANDATORY else [])
    if entry.words:
        assert all(read_row(1, good | {entry.name: word}, FileMapping()).faults == () for word in entry.words)
        assert read_row(1, good | {entry.name: "no such word"}, FileMapping()).faults
    too_long = good | {entry.name: "x" * (field_list.LONGEST_TEXT + 1)}
    assert [fault.field for fault in read_row(1, too_long, FileMapping()).faults] == [entry.name]


def test_the_guide_names_what_is_allowed_today():
    """Levels, routes, published courses and open intakes; an employer's own words where it has some."""
    allowed = {entry.name: entry.allowed for entry in canonical(CATALOGUE)}
    assert (allowed["course"], allowed["intake"], allowed["route"]) == (("SAR",), ("2025-09",), records.ROUTES)
    own = FileMapping(columns={"route": "Academic?"}, values={"route": {"Y": records.ACADEMIC}}, date_format="%d/%m/%Y")
    [route] = entries(CATALOGUE, own)
    assert (route.heading, route.allowed) == ("Academic?", ("Y", records.PRACTICE_ONLY))


def test_headings_of_an_unseen_system_find_their_fields():
    """By name, by words that are known, by likeness; the rest is left open."""
    headings = [
        "Staff Number",
        "Forename",
        "SURNAME",
        "E-mail",
        "D.O.B.",
        "employee_ref",
        "Employment Strat Date",
        "Shoe",
    ]
    found = {each.heading: (each.field, each.confidence) for each in suggest(headings)}
    assert found["employee_ref"] == ("employee_ref", EXACT)
    assert "Staff Number" not in found  # the field has its column already
    assert found["Forename"] == ("given_name", KNOWN)
    assert found["SURNAME"] == ("family_name", KNOWN)
    assert found["D.O.B."] == ("date_of_birth", KNOWN)
    assert found["Employment Strat Date"] == ("employment_start", SIMILAR)
    assert "Shoe" not in found


@given(st.lists(st.text(max_size=30), max_size=12))
def test_any_headings_are_suggested_at_most_once_each(headings):
    """No field twice, no heading twice, none that is not there."""
    found = suggest(headings)
    assert len({each.field for each in found}) == len({each.heading for each in found}) == len(found)
    assert {each.heading for each in found} <= set(headings)


@pytest.mark.parametrize(
    ("values", "formats", "is_ambiguous"),
    [
        (["2026-02-01", "2026-03-04"], ("%Y-%m-%d",), False),
        (["01/02/2026", "03/04/2026"], ("%d/%m/%Y", "%m/%d/%Y"), True),
        (["01/02/2026", "13/02/2026"], ("%d/%m/%Y",), False),
        (["02/13/2026", "01/02/2026"], ("%m/%d/%Y",), False),
        (["05/05/2026"], ("%d/%m/%Y",), False),
        (["1.2.2026", "31.12.2025"], ("%d.%m.%Y",), False),
        (["soon", "later"], (), False),
    ],
)
def test_c14_dates_are_read_as_one_format_or_named_as_ambiguous(values, formats, is_ambiguous):
    """01/02/2026 is the first of February or the second of January: a person says which."""
    found = read_dates(values)
    assert (found.formats, found.is_ambiguous) == (formats, is_ambiguous)


def test_words_of_others_are_suggested_only_where_they_plainly_mean_ours():
    """Levels by their names, courses by their titles; never a guess."""
    assert suggest_words("pcf_level", ["Experienced Social Worker", "SW", "Chief"], {}) == {
        "Experienced Social Worker": "ESW"
    }
    assert suggest_words("course", ["Safeguarding Adults"], {"safeguarding adults": "SAR"}) == {
        "Safeguarding Adults": "SAR"
    }


def test_combined_names_and_percentages_are_noticed():
    """By the comma; by a hundred."""
    assert (name_order(["Example, Maya", "Invented, T"]), name_order(["Maya Example"])) == (
        "family, given",
        "given family",
    )
    assert (looks_like_percent(["100", "80"]), looks_like_percent(["1", "0.8"]), looks_like_percent(["36"])) == (
        True,
        False,
        False,
    )


def test_an_archive_is_read_as_one_whatever_the_mapping_is_for():
    """A column mapping for CSV does not make a zip a CSV, nor a mapping for archives a CSV a zip."""
    assert (format_of("x.ZIP"), format_of("x.jsonl"), format_of("x")) == ("oneroster", "ndjson", "csv")
    assert mapping_for(FileMapping(format="csv", delimiter=";"), "x.zip") == FileMapping(format="oneroster")
    assert mapping_for(FileMapping(format="oneroster"), "errors.csv").format == "csv"
    own = FileMapping(format="oneroster", columns={"employee_ref": "users.username"})
    assert mapping_for(own, "x.zip") == own
    with pytest.raises(WrongFileType):
        mapping_for(None, "x.exe")
