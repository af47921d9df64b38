"""Organisations in different instances, with different databases, meet on Kafka and nowhere else."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local import backbone as backbones
from shared.local.issuer import LocalIssuer
from shared.local.programs import Program, answers_ready
from shared.local.supervisor import Supervisor
from shared.partnership import load
from tests.courses import COMMUNITY_CAPACITY

ROOT = Path(__file__).resolve().parents[2]
PARTNERSHIP = ROOT / "scenarios" / "marchland" / "partnership.yaml"
LEAD, EMPLOYER = "marchland", "hazel-house"
PATIENCE_SECONDS = 40

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


class TwoInstances:
    """Two enrolment instances: one hosts the programme lead, the other an employer; a database server each."""

    def __init__(self, directory: Path, base: int) -> None:
        self.issuer = LocalIssuer(directory / "keys", "local", SystemClock(), new_identifier)
        self.issuer.prepare(tuple(load(PARTNERSHIP).organisations))
        self.directory = directory
        self.ports = {LEAD: base + 1, EMPLOYER: base + 2}
        self.databases = {LEAD: base + 11, EMPLOYER: base + 12}
        self.broker = base + 20
        self.health = {LEAD: base + 30, EMPLOYER: base + 40}

    def backbone(self) -> list[Program]:
        """Return one broker, and one database server for each instance."""
        stores = [
            backbones.database_program(self.directory / "data" / organisation, port)
            for organisation, port in self.databases.items()
        ]
        return [backbones.broker_program(self.broker), *_named(stores, "mongodb")]

    def programs(self, part: str) -> list[Program]:
        """Return that part of both instances."""
        return [self._program(organisation, part) for organisation in self.ports]

    def _program(self, organisation: str, part: str) -> Program:
        offsets = {"api": 0, "relay": 1, "consume": 2, "worker": 3, "prepare": 4}
        port = self.ports[organisation] if part == "api" else self.health[organisation] + offsets[part]
        return Program(
            name=f"{organisation}-{part}",
            command=(sys.executable, "-m", "services.enrolment", part),
            environment={
                "PROFILE": "local",
                "PARTNERSHIP_FILE": str(PARTNERSHIP),
                "HOSTED_ORGANISATIONS": organisation,
                "INSTANCE": organisation,
                "MONGODB_URI": backbones.database_uri(self.databases[organisation]),
                "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.broker}",
                "TRUSTED_ISSUERS_FILE": str(self.issuer.trusted_issuers_file),
                "ORGANISATION_KEYS_DIR": str(self.issuer.keys_dir),
                "PYTHONPATH": str(ROOT),
                "PORT" if part == "api" else "HEALTH_PORT": str(port),
            },
            port=port,
            ready=answers_ready(port),
        )

    def ask(self, at: str, method: str, path: str, role: str, organisation: str | None = None, **content):
        """Return the answer of one instance to a person of an organisation (of the instance's own without one)."""
        token = self.issuer.mint(organisation or at, (role,), f"{role}-desk", "enrolment")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_identifier()}
        return httpx.request(method, f"http://127.0.0.1:{self.ports[at]}{path}", headers=headers, timeout=20, **content)


def _named(programs: list[Program], prefix: str) -> list[Program]:
    return [
        Program(name=f"{prefix}-{number}", command=program.command, port=program.port, ready=program.ready)
        for number, program in enumerate(programs)
    ]


@contextlib.contextmanager
def two_instances(directory: Path, base: int):
    """Run both instances until the block ends."""
    both = TwoInstances(directory, base)
    supervisor = Supervisor(directory / "logs", SystemClock(), lambda _: None)
    stop = threading.Event()
    try:
        supervisor.start(both.backbone(), stop)
        supervisor.finish(both.programs("prepare"))
        supervisor.start([program for part in ("api", "relay", "consume") for program in both.programs(part)], stop)
        yield both
    finally:
        supervisor.stop()


def until(question):
    """Return the first true answer, or fail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)  # noqa: TID251 - a test waits for real processes
    pytest.fail("waited in vain")


def a_nomination() -> dict:
    """Return one good record of the employer."""
    lines = (ROOT / "scenarios" / "marchland" / "vale.intake.ndjson").read_text(encoding="utf-8").splitlines()
    return json.loads(lines[0])["record"]


def test_nomination_becomes_a_seat_through_kafka_only(tmp_path, free_ports):
    """The cohort's owner sits in another instance with another database; the answer still comes, over Kafka."""
    with two_instances(tmp_path, free_ports) as both:
        courses = f"/v1/organisations/{LEAD}/courses/CCB"
        assert both.ask(LEAD, "PUT", courses, "programme_lead", json=COMMUNITY_CAPACITY).status_code < 300
        cohort = f"{courses}/cohorts/2025-10"
        assert both.ask(LEAD, "PUT", cohort, "programme_lead", json={"capacity": 1}).status_code < 300
        until(lambda: any(item["cohorts"] for item in both.ask(EMPLOYER, "GET", "/v1/catalogue", "hr").json()["items"]))

        enrolments = f"/v1/organisations/{EMPLOYER}/enrolments"
        nominated = both.ask(EMPLOYER, "POST", enrolments, "hr", json=a_nomination())
        assert nominated.status_code == 201, nominated.text
        one = f"{enrolments}/{nominated.json()['enrolment_id']}"
        until(lambda: both.ask(EMPLOYER, "GET", one, "hr").json()["status"] == "confirmed")
        seats = both.ask(LEAD, "GET", cohort, "programme_lead").json()["seats"]
        assert [seat["employer"] for seat in seats] == [EMPLOYER]

        assert _databases(both.databases[LEAD]) == {f"enrolment__{LEAD}"}
        assert _databases(both.databases[EMPLOYER]) == {f"enrolment__{EMPLOYER}"}
        foreign = both.ask(LEAD, "GET", enrolments, "hr", organisation=EMPLOYER)
        assert foreign.status_code == 404, "an instance answers for nobody it does not host"


def _databases(port: int) -> set[str]:
    with MongoClient(backbones.database_uri(port)) as client:
        return {name for name in client.list_database_names() if "__" in name}
