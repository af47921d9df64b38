"""Long jobs killed half-way: an upload's import, a publication's closing, an export."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys

import httpx
import pytest

from shared.identifiers import new_identifier
from shared.local.play.doors import Doors
from shared.testing.history import Outcome
from tests.faults.processes.dying import COMMIT, COMMITTED, KILL_ALL, Order
from tests.faults.processes.load import INTAKES, NOMINATE, a_record
from tests.faults.processes.stage import BOARD, CLOCK, until
from tests.faults.processes.test_api import Client

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
ROWS = 900
SENDER = "vale"


@pytest.fixture
def doors(stage):
    """The platform's doors."""
    made = Doors(stage.platform, CLOCK)
    yield made
    made.close()


def sent_file(stage, doors, first: int, many: int) -> tuple[object, str, list[object]]:
    """Send a file of nominations; return its sender's doors, its path, and what is asked for."""
    numbers = range(first, first + many)
    asked = [stage.history.invoke(kind=NOMINATE, label=f"U{number}", key="file") for number in numbers]
    records = [a_record(one.label, number, INTAKES[0]) for one, number in zip(asked, numbers, strict=True)]
    hr = doors.as_("enrolment", SENDER, "hr")
    content = "\n".join(json.dumps(record) for record in records).encode()
    reply = hr.ask(
        "POST",
        hr.path("enrolment-uploads"),
        content=content,
        params={"filename": "people.ndjson"},
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert reply.status == 202, reply.body
    return hr, hr.path(f"enrolment-uploads/{reply.body['id']}"), asked


def taken(stage, prefix: str) -> int:
    """Return how many of the file's people are enrolled."""
    with stage.client() as client:
        found = client[f"enrolment__{SENDER}"]["enrolments"].count_documents({"employee_ref": {"$regex": f"^{prefix}"}})
        return int(found)


def test_p7_worker_killed_while_a_file_is_checked_and_imported_takes_each_row_once(stage, doors):
    """Killed in and after its transactions, it goes on where the job says; what the job says is what is taken."""
    first = 500_001
    checking = stage.die("enrolment-worker", Order(COMMITTED, touches=f"{SENDER}/upload_rows"))
    hr, path, asked = sent_file(stage, doors, first, ROWS)
    until(checking.exists, "the worker to die while it checks")
    until(lambda: hr.get(path)["state"] == "checked", "the file to be checked")
    import_steps = (COMMITTED, COMMIT, COMMITTED)
    died = stage.die("enrolment-worker", Order(import_steps[0], touches=f"{SENDER}/enrolments"))
    hr.post(f"{path}/confirm", {})
    began = CLOCK.monotonic()
    for point in (*import_steps[1:], None):
        until(died.exists, "the worker to die while it imports")
        with stage.client() as client:
            job = client[f"enrolment__{SENDER}"]["uploads"].find_one({"_id": path.rsplit("/", 1)[1]})
        assert taken(stage, "U5") == job["done"], "what is taken and what the job says are one"
        if point is not None:
            died = stage.die("enrolment-worker", Order(point, touches=f"{SENDER}/enrolments"))
    until(lambda: hr.get(path)["state"] == "completed", "the file to be imported")
    stage.figure(
        "P7", f"import of {ROWS} rows, its worker killed 3 times: done after {CLOCK.monotonic() - began:.1f} s"
    )
    for one in asked:
        stage.history.ended(one, Outcome.OK)
    assert taken(stage, "U5") == ROWS


@pytest.mark.parametrize(("point", "there"), [(COMMIT, 0), (COMMITTED, 1)])
def test_p7_publication_killed_while_it_is_closed_is_whole_or_not_there(stage, point, there):
    """None before its transaction has ended, all five tables after it; the same key closes it once."""
    Client(stage).ask_until_answered()
    stage.quiet()
    board = stage.platform.mint(BOARD, "board", "board-desk", "reporting")
    title = f"Term {point}"
    headers = {"Authorization": f"Bearer {board}", "Idempotency-Key": new_identifier()}
    where = f"{stage.platform.url('reporting')}/v1/organisations/{BOARD}/publications"
    was = stage.platform.pid("reporting-api")
    died = stage.die("reporting-api", Order(point, KILL_ALL, touches=f"{BOARD}/publications"))
    until(lambda: died.exists() or closed(where, title, headers), "the API to die")
    stage.restarted("reporting-api", was)

    def listed():
        items = httpx.get(where, headers=headers, timeout=30).json()["items"]
        return [one for one in items if one["title"] == title]

    assert len(listed()) == there
    replies = []
    until(lambda: replies.append(closed(where, title, headers)) or replies[-1], "the publication to be closed")
    assert [one["id"] for one in listed()] == [replies[-1]["id"]]
    with stage.client() as client:
        kept = list(client[f"reporting__{BOARD}"]["publications"].find({"title": title}))
    assert [len(one["tables"]) for one in kept] == [5]


def closed(where: str, title: str, headers: dict[str, str]) -> dict | None:
    """Ask for the publication's closing; return it, or None where it is to be asked for again."""
    with contextlib.suppress(httpx.TransportError):
        reply = httpx.post(where, json={"title": title}, headers=headers, timeout=30)
        if reply.status_code == 201:
            return reply.json()
        assert reply.status_code == 503, reply.text  # whoever was killed inside still holds its locks
    return None


def test_p7_export_killed_half_way_is_no_dump_and_the_next_one_is_whole(stage, tmp_path):
    """Without its manifest nothing can be imported from the folder; written again, everything is in it."""
    stage.quiet()
    folder = tmp_path / "out"
    state = str(stage.platform.place.directory)
    command = [
        sys.executable,
        "-m",
        "shared.local.cli",
        "export",
        "--state",
        state,
        "--organisation",
        SENDER,
        str(folder),
    ]
    writing = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: any(folder.rglob("*.jsonl")), "the export to have begun", pause=0.002)
    writing.send_signal(signal.SIGKILL)
    writing.wait()
    assert not (folder / "manifest.json").exists()
    told = [sys.executable, "-m", "shared.local.cli", "import", "--state", state, str(folder)]
    refused = subprocess.run(told, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 1
    assert "no whole dump" in refused.stderr

    def exported():
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).returncode == 0

    until(exported, "an export while nothing moves", pause=1.0)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = {(one["service"], one["collection"]): one["documents"] for one in manifest["files"]}
    with stage.client() as client:
        assert rows["enrolment", "enrolments"] == client[f"enrolment__{SENDER}"]["enrolments"].count_documents({})
