"""What gives a person away, and what only looks like it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.enrolment.domain.dated import Details, Statement
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.traces import ERASED, cleaned, traces_of

ID = "0190a0b0-0000-8000-8000-0000000000a1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = Details(given_name="Zoë", family_name="Green", email="zoe.green@old.example", swe_number="SW111")
PERSON = Practitioner(
    practitioner_id=ID,
    employee_ref="10001",
    given_name="Zoë",
    family_name="Quuxworth",
    email="zq@canary.example",
    date_of_birth=date(1980, 1, 1),
    swe_number="SW987654",
    pcf_level="SW",
    employment_start=date(2018, 1, 3),
    statements=(Statement(date(2018, 1, 3), NOW, NOW, BEFORE),),
)
TRACES = traces_of([PERSON])


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("mail ZQ@CANARY.example today", True),
        ("Zoë Quuxworth", True),
        ("QUUXWORTH, ZOË (2025)", True),
        ("zoe.green@old.example", True),
        ("green, zoë", True),
        ("The Green Room", False),
        ("Zoëtrope Quuxworthy", False),
        ("10001", False),
    ],
)
def test_text_tells_by_address_number_or_both_names_past_ones_too(text, tells):
    """One name alone is a word; a reference is one only where references stand."""
    assert TRACES.is_text(text) is tells


def test_references_count_where_references_stand():
    """A manager's reference goes; a number that happens to be the same stays."""
    after = cleaned({"_id": "x", "line_manager_ref": "10001", "minutes": "10001", "nominated_by": "10001"}, TRACES)
    assert after == {"_id": "x", "line_manager_ref": ERASED, "minutes": "10001", "nominated_by": ERASED}


def test_row_about_the_person_loses_particulars_and_exact_reasons():
    """What is about the person keeps its ids, days and course; a reason of health becomes other."""
    row = {"practitioner_id": ID, "employee_ref": "10001", "course": "SAR", "reason": "health", "team": "North"}
    history = [{"what": "withdrawn", "reason": "health"}]
    after = cleaned({**row, "history": history}, TRACES)
    assert (after["practitioner_id"], after["course"]) == (ID, "SAR")
    assert (after["employee_ref"], after["reason"], after["team"]) == (ERASED, "other", None)
    assert after["history"] == [{"what": "withdrawn", "reason": "other"}]


def test_row_of_somebody_else_is_left_as_it_is():
    """Nothing is replaced in a row without a trace."""
    row = {"practitioner_id": "another", "employee_ref": "20002", "reason": "health", "cells": {"Name": "Green"}}
    assert cleaned(row, TRACES) == row


@pytest.mark.parametrize(("name", "tells"), [("quuxworth_2025.csv", True), ("10001.csv", True), ("all.csv", False)])
def test_file_name_tells_by_one_name(name, tells):
    """Nobody names a file Green by chance often enough to keep the name."""
    assert TRACES.is_file_name(name) is tells
    assert (cleaned({"filename": name}, TRACES)["filename"] == ERASED) is tells


def test_stored_reply_tells_by_id_reference_or_file_name():
    """As JSON spells them: a reference as a whole value, not as a part of a longer one."""
    assert TRACES.is_bytes(b'{"employee_ref": "10001"}')
    assert TRACES.is_bytes(f'{{"practitioner_id":"{ID}"}}'.encode())
    assert TRACES.is_bytes(b'{"filename":"Quuxworth.csv"}')
    assert not TRACES.is_bytes(b'{"employee_ref": "100012", "count": 10001}')


def test_refused_row_without_a_reference_is_found_by_what_was_sent():
    """A row that could not be read is about the person all the same; one that names them as manager is not."""
    assert TRACES.is_row({}, {"Name": "Quuxworth", "First": "Zoë"})
    assert TRACES.is_row({"swe_number": "SW987654"}, {})
    assert not TRACES.is_row({"employee_ref": "20002"}, {"Manager email": "zq@canary.example"})
