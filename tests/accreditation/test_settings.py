"""Where the employers' doors are, and settings whose faults are told all at once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from services.accreditation.settings import settings
from shared.errors import Malformed
from shared.process.doors import Doors


@pytest.mark.parametrize(
    ("doors", "expected"),
    [
        ({"enrolment": "http://all.example"}, "http://all.example"),
        ({"enrolment": "http://all.example", "ealing": {"enrolment": "https://own.example"}}, "https://own.example"),
        ({"ealing": {"assessment": "https://own.example"}}, None),
        ({}, None),
    ],
)
def test_employers_address_is_its_own_or_everybodys_or_none(given_settings, tmp_path, doors, expected):
    """The organisation's own door comes before the one for all; without either there is none."""
    path = tmp_path / "doors.json"
    path.write_text(json.dumps(doors), encoding="utf-8")
    given = replace(given_settings, doors_file=path)
    assert Doors(given, given.partnership()).base_of("ealing", "enrolment") == expected


def test_doors_file_is_refused_when_it_cannot_be_read(given_settings, tmp_path):
    """A doors file that is none stops the start, not the first release."""
    path = tmp_path / "doors.json"
    path.write_text("[]", encoding="utf-8")
    for given in (replace(given_settings, doors_file=path), replace(given_settings, doors_file=tmp_path / "absent")):
        with pytest.raises(Malformed):
            Doors(given, given.partnership())


def test_settings_tell_all_faults_at_once(monkeypatch, given_settings):
    """Two wrong variables, one message."""
    assert given_settings.identity_poll_seconds == 0.5
    monkeypatch.setenv("IDENTITY_POLL_SECONDS", "never")
    monkeypatch.setenv("MONGODB_URI", "nowhere")
    with pytest.raises(Malformed) as caught:
        settings()
    assert {"IDENTITY_POLL_SECONDS", "MONGODB_URI"} <= {fault.pointer for fault in caught.value.faults}
