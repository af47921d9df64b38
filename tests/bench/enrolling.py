"""The enrolment service as one process would run it, on a sink of its own: the real application, tokens, worker."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import msgspec
from flask import Flask

from services.enrolment import bootstrap
from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.domain.records import FIELDS
from services.enrolment.messaging.consumed import subscriptions
from services.enrolment.settings import EnrolmentSettings
from services.enrolment.storage import indexes
from services.enrolment.storage.files import read_file
from shared.events.envelope import Received
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.partnership import Partnership
from shared.process.settings import load
from shared.storage.unit_of_work import UnitOfWork
from tests.bench.stage import Sink, Stage

LEAD, EMPLOYER = "brent", "harrow"
COURSE, INTAKE = "SAR", "2025-09"
HR, PROGRAMME_LEAD = "hr", "programme_lead"
Answer = tuple[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One instance of the service with a course that the employer knows of."""

    app: Flask
    issuer: LocalIssuer
    unit: UnitOfWork
    partnership: Partnership
    worker: UploadWorker

    def headers(self, role: str = HR, organisation: str = EMPLOYER) -> dict[str, str]:
        """Return what a caller sends to say who it is; good for ten minutes."""
        token = self.issuer.mint(organisation, [role], f"{role}-desk", bootstrap.SERVICE)
        return {"HTTP_AUTHORIZATION": f"Bearer {token}"}

    def good(self, method: str, path: str, body: bytes, headers: Mapping[str, str], kind: str = "json") -> Any:  # noqa: ANN401
        """Return the JSON of an answer that must be a success."""
        status, content = ask(self.app, method, path, body, headers, kind)
        if status >= 300:
            message = f"{method} {path}: {status} {content.decode()[:500]}"
            raise RuntimeError(message)
        return json.loads(content)


def ask(app: Flask, method: str, path: str, body: bytes, headers: Mapping[str, str], kind: str = "json") -> Answer:
    """Return status and content of one request, handed to the application as gunicorn hands it; a key of its own."""
    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8001",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": f"application/{kind}",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1:8001",
        "HTTP_IDEMPOTENCY_KEY": new_identifier(),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **headers,
    }
    said: list[int] = []
    reply = app.wsgi_app(environ, lambda status, *_: said.append(int(status[:3])))  # type: ignore[arg-type]
    content = b"".join(reply)
    close = getattr(reply, "close", None)
    if close is not None:
        close()
    return said[0], content


@contextmanager
def enrolment(stage: Stage, sink: Sink, prefix: str = "") -> Iterator[Enrolment]:
    """Yield a service with databases of its own, a course at its lead, and an employer that knows of it."""
    prefix = prefix or stage.fresh_prefix()
    given = settings(stage, sink, prefix)
    partnership = given.partnership()
    issuer = issuer_of(stage, partnership)
    unit = bootstrap.unit_of_work(given, sink.client)
    for organisation in (LEAD, EMPLOYER):
        indexes.prepare(unit.database(organisation))
    opener = bootstrap.opener(given)
    worker = UploadWorker(unit, (EMPLOYER,), open_books=opener.books, open_desk=opener.desk, read_file=read_file)
    made = Enrolment(
        app=bootstrap.build_web_app(given, sink.client),
        issuer=issuer,
        unit=unit,
        partnership=partnership,
        worker=worker,
    )
    _open_course(made)
    _tell(made, opener.desk)
    yield made


def issuer_of(stage: Stage, partnership: Partnership) -> LocalIssuer:
    """Return the keys of this row's surroundings."""
    issuer = LocalIssuer(stage.directory / "keys", "local", stage.clock, new_identifier)
    issuer.prepare(tuple(partnership.organisations))
    return issuer


def environment(stage: Stage, sink: Sink, prefix: str) -> dict[str, str]:
    """Return the settings of a local instance that hosts the whole partnership."""
    keys = LocalIssuer(stage.directory / "keys", "local", stage.clock, new_identifier)
    return {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(stage.partnership_file),
        "MONGODB_URI": sink.uri,
        "KAFKA_BOOTSTRAP_SERVERS": stage.bootstrap_servers,
        "DATABASE_PREFIX": prefix,
        "TRUSTED_ISSUERS_FILE": str(keys.trusted_issuers_file),
        "ORGANISATION_KEYS_DIR": str(keys.keys_dir),
    }


def settings(stage: Stage, sink: Sink, prefix: str) -> EnrolmentSettings:
    """Return the same, read as the service reads them."""
    with patch.dict("os.environ", environment(stage, sink, prefix)):
        return load(EnrolmentSettings.read)


def nomination(number: int) -> dict[str, object]:
    """Return a good record of a person of their own."""
    return {
        "employee_ref": f"{number:07d}",
        "given_name": "Aoife",
        "family_name": "O'Neill",
        "email": f"person-{number}@harrow.example",
        "date_of_birth": "1982-07-07",
        "swe_number": f"SW{number}",
        "job_title": "Social Worker",
        "team": "North",
        "pcf_level": "SW",
        "line_manager_ref": "90001",
        "employment_start": "2018-01-03",
        "fte": 1.0,
        "course": COURSE,
        "intake": INTAKE,
        "route": "practice_only",
        "manager_approved_on": "2025-07-01",
        "prerequisite_on": None,
    }


def nomination_file(size: int) -> bytes:
    """Return a CSV file of as many people."""
    lines = [",".join(FIELDS)]
    for number in range(1, size + 1):
        record = nomination(number)
        lines.append(",".join("" if record.get(name) is None else str(record[name]) for name in FIELDS))
    return "\r\n".join([*lines, ""]).encode()


def _open_course(made: Enrolment) -> None:
    course = {
        "title": "Safeguarding",
        "level": "SW",
        "routes": ["practice_only", "practice_and_academic"],
        "credits": 30,
        "accreditation": "approved",
        "awarding_hei": "goldsmiths",
        "module": "SAR7",
        "prerequisite": {"text": "in-house course", "routes": ["practice_and_academic"]},
        "evidence_set": "cpd-portfolio",
    }
    at, headers = f"/v1/organisations/{LEAD}/courses/{COURSE}", made.headers(PROGRAMME_LEAD, LEAD)
    made.good("PUT", at, msgspec.json.encode(course), headers)
    made.good("PUT", f"{at}/cohorts/{INTAKE}", msgspec.json.encode({"capacity": 1000}), headers)


def _tell(made: Enrolment, open_desk: Any) -> None:  # noqa: ANN401 - the bootstrap's
    """Deliver what the lead said of its course to the employer, as the reader would."""
    table = {row.type: row for row in subscriptions(open_desk)}
    entries = made.unit.database(LEAD)["org_entries"].find({}, sort=[("_id", 1)])
    events = [event for entry in entries for event in entry["events"]]
    for number, event in enumerate(events, 1):
        row = table.get(event["type"])
        if row is None:
            continue
        received = Received(
            id=event["id"],
            type=event["type"],
            key=event["subject"],
            organisation=LEAD,
            service=bootstrap.SERVICE,
            topic=f"org.{LEAD}.enrolment.v1",
            number=number,
            time=made.unit.clock.now(),
            correlation_id=event["correlationid"],
            data=msgspec.json.decode(bytes(event["data"]), type=row.struct),
        )
        made.unit.run(EMPLOYER, lambda work, row=row, received=received: row.reaction(work, received))  # type: ignore[misc]
