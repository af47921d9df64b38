"""What the loss of an organisation's key means, as the runbook of backups says: everybody becomes somebody else."""

from __future__ import annotations

import base64
import json
import shutil

import pytest

from services.enrolment import bootstrap
from services.enrolment.settings import EnrolmentSettings
from shared.process.settings import load
from tests.enrolment.conftest import House, a_record


@pytest.fixture
def with_another_key(house: House, enrolment_issuer, mongo_client, monkeypatch, tmp_path) -> House:
    """The same service and databases, started again with a new key for Brent: the old one is lost."""
    keys = shutil.copytree(enrolment_issuer.keys_dir, tmp_path / "keys")
    file = keys / "brent.json"
    lost = {"pseudonym_key": base64.b64encode(b"another key of thirty-two bytes.").decode()}
    file.write_text(json.dumps(json.loads(file.read_text()) | lost), encoding="utf-8")
    monkeypatch.setenv("ORGANISATION_KEYS_DIR", str(keys))
    given = load(EnrolmentSettings.read)
    app = bootstrap.build_web_app(given, mongo_client)
    return House(app, enrolment_issuer, house.unit, house.partnership, bootstrap.opener(given), house.worker)


def nominate(house: House, course: str) -> str:
    """Nominate the same person for a course, and return the enrolment that it is."""
    return house.good("POST", "enrolments", json=a_record(course=course))["enrolment_id"]


def person_of(house: House, enrolment_id: str) -> str:
    """Return the opaque id of whose enrolment it is."""
    return house.unit.database("brent")["enrolments"].find_one({"_id": enrolment_id})["practitioner_id"]


def test_p14_person_of_an_organisation_whose_key_is_lost_is_somebody_else_from_then_on(house, with_another_key):
    """A repeated record is still known by its reference; what is new belongs to another id, until the copy is back."""
    house.prepare("brent")
    for course in ("SAR", "CCB", "PEP"):
        house.open_course(course)
    first = nominate(house, "SAR")
    assert nominate(with_another_key, "SAR") == first
    meanwhile = nominate(with_another_key, "CCB")
    assert person_of(house, meanwhile) != person_of(house, first)
    assert house.ask("GET", "practitioners/10001").status_code == 200
    assert person_of(house, nominate(house, "PEP")) == person_of(house, first)
