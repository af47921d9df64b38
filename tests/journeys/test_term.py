"""A whole term, played through the public doors, is right in every part."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import threading
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from kafka import KafkaConsumer
from pymongo import MongoClient
from rich.console import Console

from shared.identifiers import new_identifier
from shared.local.play.main import play
from tests.journeys.topics import every_record

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
MARCHLAND = SCENARIOS / "marchland"
NORTH_WEST_LONDON = SCENARIOS / "north-west-london"
KILL_EVERY_SECONDS = 1.6
CLIENTS_TEXT = "Jane.Canary-SW136973"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def played(folder: Path, platform) -> str:
    """Play a scenario and return what it printed; fail with all of it when anything differed."""
    written = io.StringIO()
    verdict = play(folder, platform, Console(file=written, width=200, highlight=False, soft_wrap=True))
    assert verdict == 0, written.getvalue()
    return written.getvalue()


def test_second_partnership_plays_unchanged_and_leaks_nothing(start_platform):
    """Other courses and rules give no difference, and nobody's particulars are on the bus, in a log or a metric."""
    with start_platform(MARCHLAND / "partnership.yaml") as platform:
        printed = played(MARCHLAND, platform)
        assert printed.count("no difference") == 5
        assert printed.count("refused, as it must be") >= 8
        canaries = particulars(MARCHLAND) | {CLIENTS_TEXT}
        assert len(canaries) > 60
        for place, text in [*problems(platform), *everything_said(platform)]:
            found = [canary for canary in canaries if re.search(rf"(?<![\w@.-]){re.escape(canary)}(?![\w@])", text)]
            assert found == [], f"{place} holds somebody's particulars"


def particulars(folder: Path) -> set[str]:
    """Return what the employers' exports say of people and nobody else may know: the canaries."""
    found: set[str] = set()
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for file in expected["files"].values():
        found |= {row["employee_ref"] for row in file["rows"]}
    for line in (folder / "vale.intake.ndjson").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)["record"]
        found |= {record[name] for name in ("family_name", "email", "date_of_birth", "swe_number") if record[name]}
        found.add(f"{record['given_name']} {record['family_name']}")
    for line in (folder / "marchland.csv").read_text(encoding="cp1252").splitlines()[3:]:
        cells = line.split("|")
        if len(cells) > 5:
            born = datetime.strptime(cells[3], "%d %b %Y").date().isoformat()  # noqa: DTZ007 - a civil day
            found |= {cells[1], cells[1].split(",")[0], cells[2], cells[3], born, cells[4]}
    people = json.loads((folder / "term.json").read_text(encoding="utf-8"))["people"]
    found |= {person["line_manager_ref"] for person in people}
    return {canary.strip() for canary in found} - {""}


def everything_said(platform):
    """Yield (place, text) of every shared topic, log, metric and parked record of a running platform."""
    admin = KafkaConsumer(bootstrap_servers=platform.kafka_bootstrap, allow_auto_create_topics=False)
    topics = sorted(topic for topic in admin.topics() if not topic.startswith("in."))
    admin.close()
    assert any(topic.startswith("org.") for topic in topics)
    for topic in topics:
        yield topic, whole_topic(platform.kafka_bootstrap, topic)
    for log in sorted(platform.place.logs.glob("*.log")):
        yield log.name, log.read_text(encoding="utf-8", errors="replace")
    for service in ("enrolment", "assessment", "accreditation", "reporting"):
        for part in ("api", "relay", "consume", "worker"):
            with contextlib.suppress(KeyError):  # two services have no worker
                yield f"metrics of {service} {part}", httpx.get(platform.metrics_url(service, part), timeout=10).text
    with MongoClient(platform.backbone.mongodb_uri) as client:
        for name in client.list_database_names():
            for collection in client[name].list_collection_names():
                if "parked" in collection:
                    reasons = [str(record.get("reason")) for record in client[name][collection].find()]
                    yield f"{name}.{collection}", " ".join(reasons)


def problems(platform):
    """Yield the problem bodies that an employer's own bad record, and a stranger's questions, are answered with."""
    record = json.loads((MARCHLAND / "vale.intake.ndjson").read_text(encoding="utf-8").splitlines()[0])["record"]
    spoilt = (
        {**record, "swe_number": f"x{record['swe_number']}"},
        {**record, "date_of_birth": f"on {record['date_of_birth']}"},
        {**record, "team": "another"},
        {**record, record["family_name"]: "unknown field"},
        {**record, "employee_ref": None},
    )
    for number, body in enumerate(spoilt):
        reply = asked(platform, "vale", "POST", "/v1/organisations/vale/enrolments", json=body)
        assert reply.status_code == 422, reply.text
        yield f"problem {number}", reply.text
    managed = {"line_manager_ref": "V-9", "from_on": "2026-02-01"}
    told = f"/v1/organisations/vale/practitioners/{record['employee_ref']}/line-managers"
    assert asked(platform, "vale", "POST", told, json=managed).status_code == 201
    reply = asked(platform, "marchland", "GET", f"/v1/organisations/vale/practitioners/{record['employee_ref']}")
    assert reply.status_code == 404
    yield "a stranger's problem", reply.text.replace(reply.request.url.path, "")


def asked(platform, organisation: str, method: str, path: str, **content):
    """Return enrolment's answer to an employer's HR desk."""
    headers = {
        "Authorization": f"Bearer {platform.mint(organisation, 'hr', 'hr-desk', 'enrolment')}",
        "Idempotency-Key": f"{CLIENTS_TEXT}-{new_identifier()}",
        "X-Correlation-Id": CLIENTS_TEXT,
    }
    return httpx.request(method, platform.url("enrolment") + path, headers=headers, timeout=20, **content)


def whole_topic(bootstrap: str, topic: str) -> str:
    """Return every key, header and value of a topic's only partition as text."""
    return "\n".join(
        f"{record.key} {record.headers} {(record.value or b'').decode(errors='replace')}"
        for record in every_record(bootstrap, topic)
    )


def test_kill_9_of_every_process_in_turn_changes_no_result(start_platform):
    """While the term is played, each process is killed once, one after the other: the outcome is the same."""
    with start_platform(NORTH_WEST_LONDON / "partnership.yaml") as platform:
        everything = set(platform.supervisor.pids())
        over = threading.Event()
        killed: list[str] = []
        killer = threading.Thread(target=kill_in_turn, args=(platform, over, killed), daemon=True)
        killer.start()
        try:
            played(NORTH_WEST_LONDON, platform)
        finally:
            over.set()
            killer.join(timeout=10)
        assert set(killed) == everything, f"the play was over before {everything - set(killed)} could be killed"


def kill_in_turn(platform, over: threading.Event, killed: list[str]) -> None:
    """Kill -9 the platform's processes one after the other, each once, the backbone among them, until the play ends."""
    names = sorted(platform.supervisor.pids(), key=lambda name: name[::-1])  # mixes services, parts and backbone
    for name in names:
        if over.wait(KILL_EVERY_SECONDS):
            return
        os.kill(platform.pid(name), signal.SIGKILL)
        killed.append(name)
