"""Keys and fingerprints of nominations, and names to compare by: made quickly, and for ever what they were."""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.domain.duplicates import folded
from services.enrolment.domain.records import DATES, FIELDS, Record, fingerprint, nomination_key

RECORDS = st.fixed_dictionaries(
    {name: st.none() | (st.dates() if name in DATES else st.text(max_size=12)) for name in FIELDS}
).map(lambda values: Record(**values))


@given(RECORDS)
def test_a_nominations_key_is_the_json_of_person_course_and_intake(record):
    """Keys stand in every employer's database: they never change, whatever characters a reference has."""
    assert nomination_key(record) == json.dumps([record.employee_ref, record.course, record.intake], ensure_ascii=False)


@given(RECORDS)
def test_a_fingerprint_is_that_of_the_records_json_in_order_of_names(record):
    """Fingerprints tell a duplicate from a conflict years later: they never change either."""
    values = {name: str(value) for name in FIELDS if (value := getattr(record, name)) is not None}
    written = json.dumps(values, sort_keys=True, ensure_ascii=False)
    assert fingerprint(record) == hashlib.sha256(written.encode()).hexdigest()


def test_key_and_fingerprint_of_one_record_are_known():
    """One of each as it was kept by the first version."""
    record = Record(
        employee_ref="4711",
        family_name='O\'Neill "Zoë"',
        date_of_birth=date(1982, 7, 7),
        fte="0.8",
        course="SAR",
        intake="2025-09",
    )
    assert nomination_key(record) == '["4711", "SAR", "2025-09"]'
    assert fingerprint(record) == "c69bf1651d68db4224d6bda2bbadc91b0a8c41bbc1f75191403e24439798ea09"


def test_only_letters_of_a_name_are_compared_in_every_script():
    """What Python holds for a letter is what Unicode does, for every character that there is."""
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        assert letter.isalpha() == unicodedata.category(letter).startswith("L")
    assert folded(" Zoë  d'Arcy-Łukasz 2 ") == "zoedarcyłukasz"
