"""Identity by release: fetched from a real door, kept once, asked again for ever, and never in a log."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from services.accreditation import bootstrap
from services.accreditation.messaging.identity_release import EmployersDoor
from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.identity import ServiceTokens, TokenVerifier
from shared.storage.mongo import connect

ADA = {
    "practitioner_id": "x",
    "email": "a@b.example",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "registration_number": "SW0001815",
    "team": "A",
}


class Door:
    """An employer's enrolment service, as far as identity goes."""

    def __init__(self, verifier) -> None:
        self.answers, self.asked = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                principal = verifier.verify(self.headers["Authorization"].removeprefix("Bearer "))
                outer.asked.append((principal.organisation, principal.roles, self.path))
                status, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        """Stop serving."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def door(university):
    """The door, believing the partnership's tokens."""
    made = Door(TokenVerifier(university.given.trusted_issuers_file, "enrolment", SystemClock()))
    yield made
    made.close()


@pytest.fixture
def registrar(university, door):
    """What completes registrations, at that door."""
    tokens = ServiceTokens(university.given.organisation_keys_dir, SystemClock(), new_identifier)
    source = EmployersDoor(lambda _employer: door.base, tokens.token)
    return bootstrap.Registrar(university.unit, bootstrap.open_books, bootstrap.open_desk, source)


def _due_again(university):
    """Let time pass: everything is due."""
    rows = university.unit.database("goldsmiths")["releases"]
    rows.update_many({}, {"$set": {"due_at": SystemClock().now()}})


def test_identity_is_asked_for_by_the_university_and_completes_the_registration(university, door, registrar):
    """With the university's own service token, for the purpose of registration, once."""
    university.opened()
    enrolment_id = university.confirmed(practitioner_id="01981f3e-6d2a-7c11-8f00-5a2b3c4d5e77")
    door.answers = [(200, json.dumps(ADA).encode())]
    assert registrar.work_through("goldsmiths", lambda: False) == 1
    assert registrar.work_through("goldsmiths", lambda: False) == 0
    path = "/v1/organisations/ealing/practitioners/01981f3e-6d2a-7c11-8f00-5a2b3c4d5e77/identity?purpose=registration"
    assert door.asked == [("goldsmiths", frozenset({"service"}), path)]
    assert university.registration(enrolment_id)["state"] == "registered"
    (person,) = university.unit.database("goldsmiths")["people"].find({})
    assert person["registration_number"] == "SW1815"


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"),
        (503, b""),
        (302, b""),
        (200, b"<html>come back later</html>"),
        (200, b'{"given_name": "Ada"}'),
        (200, b'{"registration_number": "SW1", "given_name": "\xff"}'),
        (200, json.dumps({**ADA, "registration_number": "unreadable"}).encode()),
        (200, json.dumps({**ADA, "registration_number": None}).encode()),
    ],
    ids=[
        "not-found",
        "unavailable",
        "redirect",
        "p24-html",
        "incomplete",
        "not-text",
        "unreadable-number",
        "no-number",
    ],
)
def test_identity_is_asked_for_again_when_it_is_not_released(university, door, registrar, answer, caplog, capsys):
    """Whatever goes wrong, the release waits, later each time, and succeeds in the end; nothing personal is logged."""
    university.opened()
    enrolment_id = university.confirmed()
    door.answers = [answer]
    assert registrar.work_through("goldsmiths", lambda: False) == 1
    assert registrar.work_through("goldsmiths", lambda: False) == 0
    (waiting,) = university.unit.database("goldsmiths")["releases"].find({})
    assert waiting["attempts"] == 1
    door.answers = [(200, json.dumps(ADA).encode())]
    _due_again(university)
    assert registrar.work_through("goldsmiths", lambda: False) == 1
    assert university.registration(enrolment_id)["state"] == "registered"
    logged = caplog.text + capsys.readouterr().out
    assert not any(word in logged for word in ("Ada", "Lovelace", "1815", "unreadable"))


def test_identity_waits_when_nobody_answers_or_no_address_is_known(university):
    """A closed door, or none, is no reason to stop."""
    university.opened()
    university.confirmed()
    tokens = ServiceTokens(university.given.organisation_keys_dir, SystemClock(), new_identifier)
    for base in (None, "http://127.0.0.1:1"):
        source = EmployersDoor(lambda _employer, base=base: base, tokens.token)
        registrar = bootstrap.Registrar(university.unit, bootstrap.open_books, bootstrap.open_desk, source)
        _due_again(university)
        assert registrar.work_through("goldsmiths", lambda: False) == 1
    (waiting,) = university.unit.database("goldsmiths")["releases"].find({})
    assert waiting["attempts"] == 2


def test_one_person_is_kept_when_two_employers_release_the_same_number(university, door, registrar):
    """Matched by normalised registration number; the latest names are kept."""
    university.opened()
    first, second = university.confirmed(employer="ealing"), university.confirmed(employer="harrow")
    door.answers = [
        (200, json.dumps(ADA).encode()),
        (200, json.dumps({**ADA, "registration_number": "sw 1815", "family_name": "King"}).encode()),
    ]
    assert registrar.work_through("goldsmiths", lambda: False) == 2
    assert university.registration(first)["person_id"] == university.registration(second)["person_id"]
    (person,) = university.unit.database("goldsmiths")["people"].find({})
    assert person["body"]["family_name"] == "King"


def test_worker_completes_registrations_until_it_is_stopped(university, door, registrar, mongodb_uri):
    """The process: it finds what is due, goes idle, and ends tidily."""
    university.opened()
    enrolment_id = university.confirmed()
    door.answers = [(200, json.dumps(ADA).encode())]
    client, stop = connect(mongodb_uri, appname="worker"), Event()
    worker = bootstrap.IdentityWorker(registrar, ("goldsmiths",), client, 0.05)
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    waited = 0
    while university.unit.reading("goldsmiths").rows("releases").count({}) and waited < 100:
        stop.wait(0.05)
        waited += 1
    assert worker.ready()
    stop.set()
    thread.join(10)
    assert university.registration(enrolment_id)["state"] == "registered"
