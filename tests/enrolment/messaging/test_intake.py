"""The employer's intake topic: one answer for each (reference, record), and nothing personal in it."""

from __future__ import annotations

import json

import pytest

from services.enrolment.messaging.intake import read_message
from shared.errors import Malformed
from tests.enrolment.messaging.intake_messages import REF, a_message


def _say(house, ref=REF, **changes):
    house.intake("hounslow", a_message(ref, **changes))


def _answers(house):
    return [(event["type"].split(".")[1], event["data"]) for event in house.events("hounslow", "out")]


def test_each_record_is_answered_exactly_once_however_often_it_comes(house):
    """A repeat is silent; another record under the same reference is refused once; the first answer stands."""
    house.open_course()
    for _ in range(3):
        _say(house)
    for _ in range(3):
        _say(house, team="Elsewhere")
    found = _answers(house)
    assert [kind for kind, _ in found] == ["record-accepted", "record-refused"]
    assert found[0][1]["duplicate"] is False
    assert found[1][1]["codes"] == ["conflicting_duplicate"]
    assert len(house.pages("enrolments", "hounslow")) == 1


def test_a_duplicate_under_another_reference_names_the_first_enrolment(house):
    """Accepted with `duplicate`, and no second effect."""
    house.open_course()
    _say(house)
    _say(house, ref="fc6a726f-c3fb-4b3c-a532-0fbd249a9de7")
    first, second = (data for _, data in _answers(house))
    assert second == {**first, "record_ref": "fc6a726f-c3fb-4b3c-a532-0fbd249a9de7", "duplicate": True}


@pytest.mark.parametrize("ref", ["60001", "hr-60001-7", "x60001y", " 60001 ", "Liam Thomas"])
def test_a_reference_that_tells_of_a_person_is_refused_and_never_repeated(house, ref):
    """It is answered under its hash: the feed keeps no employee number."""
    house.open_course()
    _say(house, ref=ref)
    [(kind, data)] = _answers(house)
    assert (kind, data["faults"]) == ("record-refused", [{"code": "invalid_value", "field": "record_ref"}])
    assert data["record_ref"].startswith("sha256-")
    assert house.pages("enrolments", "hounslow") == []


def test_a_bad_record_is_refused_with_codes_and_fields_and_no_values(house):
    """What is wrong and where, nothing of what was sent."""
    house.open_course()
    _say(house, swe_number="SW12345678", email=None)
    [(_, data)] = _answers(house)
    assert data["codes"] == ["missing_value", "invalid_registration_number"]
    assert "12345678" not in json.dumps(data)


@pytest.mark.parametrize("record", [[], "x", None, {"employee_ref": "1", "role": "hr"}])
def test_a_record_of_the_wrong_shape_is_refused(house, record):
    """Unknown fields and other types get their one answer too."""
    house.intake("hounslow", json.dumps({"record_ref": REF, "record": record}).encode())
    [(_, data)] = _answers(house)
    assert data["codes"] == ["invalid_value"]


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff\xfe", b"[" * 5000, b"{}", b'{"record_ref":1,"record":{}}', b'{"record_ref":NaN}']
)
def test_k1_k2_garbage_is_malformed_without_a_word_of_its_content(value):
    """It is parked by the reader; its reason says nothing of what was sent."""
    with pytest.raises(Malformed) as found:
        read_message(value)
    assert "intake message" in found.value.detail
