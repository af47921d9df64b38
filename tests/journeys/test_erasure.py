"""The canary: made-up people come in by every door of the whole platform, are erased, and are looked for everywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass

import httpx
import pytest
from click.testing import CliRunner
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from pymongo import MongoClient

from services.accreditation.storage.erasure import PLACES as OF_ACCREDITATION
from services.assessment.storage.erasure import PLACES as OF_ASSESSMENT
from services.enrolment.storage.personal_data import PLACES as OF_ENROLMENT
from services.reporting.storage.erasure import PLACES as OF_REPORTING
from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local.cli import main
from tests.courses import SAFEGUARDING
from tests.journeys.conftest import SCENARIOS

EMPLOYER, LEAD, UNIVERSITY = "hounslow", "brent", "goldsmiths"
GONE = ("Zebulonia", "Quuxworth", "zq@canary.example", "SW987654", "CANARY-77")
STUDENT = ("Yolandrix", "Vexmoor", "yv@canary.example", "SW876543", "CANARY-88")
LISTS = {
    "enrolment": OF_ENROLMENT,
    "assessment": OF_ASSESSMENT,
    "accreditation": OF_ACCREDITATION,
    "reporting": OF_REPORTING,
}
IN_EVERY_DATABASE = set(OF_ENROLMENT) - {"practitioners"} | {"idempotency"}
PATIENCE_SECONDS = 90

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]


@dataclass
class Doors:
    """The doors of a running platform."""

    platform: object

    def ask(self, service, method, path, role, org, subject=None, **sent):
        """Return the answer of one service to a person."""
        token = self.platform.mint(org, role, subject or f"{role}-desk", service)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_identifier(), **sent.pop("headers", {})}
        where = path if path.startswith("/v1") else f"/v1/organisations/{org}/{path}"
        return httpx.request(method, f"{self.platform.url(service)}{where}", headers=headers, timeout=30, **sent)

    def good(self, *args, **sent):
        """Return the JSON of an answer that must be a success."""
        reply = self.ask(*args, **sent)
        assert reply.is_success, reply.text
        return reply.json()


def until(question):
    """Return the first true answer, or fail."""
    clock = SystemClock()
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while clock.monotonic() < deadline:
        if answer := question():
            return answer
        clock.sleep(0.2)
    raise AssertionError("waited too long")


def record(words, **changes):
    """Return a nomination of a made-up person."""
    given, family, email, number, reference = words
    return {
        "employee_ref": reference,
        "given_name": given,
        "family_name": family,
        "email": email,
        "date_of_birth": "1982-07-07",
        "swe_number": number,
        "job_title": "Social Worker",
        "team": "North",
        "pcf_level": "SW",
        "line_manager_ref": "90001",
        "employment_start": "2018-01-03",
        "fte": 1.0,
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_and_academic",
        "manager_approved_on": "2025-07-01",
        "prerequisite_on": None,
    } | changes


def walk(client, words):
    """Return every (database, collection) in which one of the words stands, and the collections that nobody listed."""
    found, unlisted = set(), set()
    for name in client.list_database_names():
        service = name.partition("__")[0]
        if service not in LISTS:
            continue
        for collection in client[name].list_collection_names():
            if collection not in {*LISTS[service], *IN_EVERY_DATABASE}:
                unlisted.add((service, collection))
            for document in client[name][collection].find({}):
                if stands_in(repr(document), words):  # bytes are shown as they are where they are text
                    found.add((name, collection))
    return found, unlisted


def stands_in(text, words):
    """Tell whether any of the words stands in a text."""
    return any(word.casefold() in text.casefold() for word in words)


def topics_with(bootstrap, words):
    """Return the topics, intake aside, on which one of the words stands."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    names = sorted(name for name in consumer.topics() if not name.startswith(("in.", "__")))
    assert len(names) > len(LISTS)
    found = set()
    for name in names:
        partition = TopicPartition(name, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        end = consumer.end_offsets([partition])[partition]
        while consumer.position(partition) < end:
            for one in consumer.poll(timeout_ms=500).get(partition, ()):
                text = repr((one.key, one.value, one.headers))
                found |= {name} if stands_in(text, words) else set()
    consumer.close()
    return found


def files_with(folder, words):
    """Return the files below a folder in which one of the words stands."""
    return {
        path.name
        for path in folder.rglob("*")
        if path.is_file() and stands_in(path.read_text(encoding="utf-8", errors="replace"), words)
    }


def planted(doors):
    """Have both people come by API, file and intake, and return their ids."""
    doors.good("enrolment", "PUT", "courses/SAR", "programme_lead", LEAD, json=SAFEGUARDING)
    doors.good("enrolment", "PUT", "courses/SAR/cohorts/2025-09", "programme_lead", LEAD, json={"capacity": 9})
    until(
        lambda: any(one["cohorts"] for one in doors.good("enrolment", "GET", "/v1/catalogue", "hr", EMPLOYER)["items"])
    )
    rows = [json.dumps(record(words, course="NONE")) for words in (GONE, STUDENT)]
    for words in (GONE, STUDENT):
        doors.good("enrolment", "POST", "enrolments", "hr", EMPLOYER, json=record(words))
    content, sent = "\n".join(rows).encode(), {"content_type": "application/x-ndjson", "filename": f"{GONE[1]}.ndjson"}
    reply = doors.ask(
        "enrolment",
        "POST",
        "enrolment-uploads",
        "hr",
        EMPLOYER,
        content=content,
        params={"filename": sent["filename"]},
        headers={"Content-Type": sent["content_type"]},
    )
    assert reply.status_code < 500, reply.text
    producer = KafkaProducer(bootstrap_servers=doors.platform.kafka_bootstrap)
    message = {"record_ref": "ref-1", "record": record(GONE, course="NONE")}
    producer.send(f"in.{EMPLOYER}.enrolment.v1", value=json.dumps(message).encode(), partition=0).get(timeout=20)
    producer.close()
    people = {}
    for words in (GONE, STUDENT):
        person = doors.good("enrolment", "GET", f"practitioners/{words[4]}", "hr", EMPLOYER)["practitioner_id"]
        people[words] = person
    return people


def portfolio_of(doors, words, person):
    """Return the person's enrolment once there is a portfolio with evidence that somebody named after them."""
    query = {"practitioner_ref": words[4]}
    found = until(lambda: doors.good("assessment", "GET", "portfolios", "assessor", EMPLOYER, params=query)["items"])
    enrolment = found[0]["portfolio_id"]
    item = {
        "ref": f"{words[0]}-{words[1]}",
        "kind": "observation",
        "author_role": "assessor",
        "made_on": "2025-10-01",
        "domains": [],
        "level": "SW",
    }
    path = f"portfolios/{enrolment}/evidence"
    doors.good("assessment", "POST", path, "practitioner", EMPLOYER, subject=words[4], json={"items": [item]})
    assert person
    return enrolment


def test_canary_is_found_nowhere_after_its_erasure(start_platform, tmp_path, monkeypatch):  # noqa: PLR0915 - one story
    """Databases, topics, logs and later exports of all four services; a student record alone keeps its copy."""
    with start_platform(SCENARIOS / "north-west-london" / "partnership.yaml") as platform:
        doors, state = Doors(platform), platform.place.directory
        client = MongoClient(platform.backbone.mongodb_uri)
        people = planted(doors)
        for words, person in people.items():
            portfolio_of(doors, words, person)
        registered = until(
            lambda: (
                [
                    one
                    for one in doors.good("accreditation", "GET", "registrations", "registrar", UNIVERSITY)["items"]
                    if one["person_id"]
                ][1:]
                and doors.good("accreditation", "GET", "registrations", "registrar", UNIVERSITY)["items"]
            )
        )
        own = doors.good("enrolment", "GET", "enrolments", "hr", EMPLOYER, params={"employee_ref": STUDENT[4]})["items"]
        registration = next(one for one in registered if one["enrolment_id"] == own[0]["enrolment_id"])
        path = f"registrations/{registration['registration_id']}/submissions"
        body = {"submitted_on": "2025-11-01", "words": 3000}
        doors.good("accreditation", "POST", path, "tutor", UNIVERSITY, json=body)

        found, unlisted = walk(client, GONE)
        assert unlisted == set()
        assert {name.partition("__")[0] for name, _ in found} == {"enrolment", "assessment", "accreditation"}
        assert topics_with(platform.kafka_bootstrap, (*GONE, *STUDENT)) == set()

        monkeypatch.chdir(tmp_path)
        command = ["erase", "--state", str(state), "--organisation", EMPLOYER, "--practitioner", people[GONE]]
        told = CliRunner().invoke(main, command)
        assert told.exit_code == 0, told.output
        student = people[STUDENT]
        path = f"practitioners/{student}/erase"
        asked = doors.good("enrolment", "POST", path, "hr", EMPLOYER, json={"basis": "person_asked"})
        path = f"erasures/{asked['id']}"
        doors.good("enrolment", "POST", f"{path}/approve", "hr", EMPLOYER, subject="second", json={})
        done = until(
            lambda: (
                (now := doors.good("enrolment", "GET", path, "hr", EMPLOYER))["state"] == "done"
                and not now["missing"]
                and now
            )
        )
        outcomes = {one["by"]: (one["outcome"], one["reason_code"]) for one in done["receipts"]}
        assert outcomes[f"assessment/{EMPLOYER}"] == ("erased", None)
        assert outcomes[f"accreditation/{UNIVERSITY}"] == ("kept", "student_record")
        assert ("nothing_held", None) in outcomes.values()

        assert walk(client, GONE)[0] == set()
        assert walk(client, STUDENT)[0] == {(f"accreditation__{UNIVERSITY}", "people")}
        assert topics_with(platform.kafka_bootstrap, (*GONE, *STUDENT)) == set()
        assert files_with(platform.place.logs, (*GONE, *STUDENT)) == set()
        client.close()
        out = tmp_path / "out"
        exported = until(lambda: _exported(state, out))
        assert exported.exit_code == 0, exported.output
        assert files_with(out, (*GONE, *STUDENT)) == set()


def _exported(state, folder):
    """Return the export once nothing moved while it was written."""
    told = CliRunner().invoke(main, ["export", "--state", str(state), "--organisation", EMPLOYER, str(folder)])
    return told if told.exit_code == 0 or "at work" not in told.output else None
