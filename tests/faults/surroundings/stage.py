"""Real processes of the services on a database and a broker of their own, and lines between that a test can spoil.

    with Stage(tmp_path) as stage:
        api = stage.api()                        # enrolment's, reaches the database through `stage.to_database`
        relay = stage.start("enrolment", "relay")
        reader = stage.start("reporting", "consume")

Every Kafka client goes through `stage.to_broker`, which the broker advertises. Two employers and the board are hosted.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from shared.clock import SystemClock
from shared.events.feed import FeedName
from shared.events.ledger import Ledger
from shared.identifiers import new_identifier
from shared.local.backbone import database_answers, database_uri
from shared.local.issuer import LocalIssuer
from shared.local.ports import any_free
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.backbone import Server, database_server
from shared.testing.history import Findings, History, Operation, Outcome, Projection, check_effects
from tests.courses import SAFEGUARDING
from tests.enrolment.conftest import a_record
from tests.faults.proxy import Proxy, broker_behind
from tests.faults.surroundings.disks import Disk

ROOT: Final = Path(__file__).resolve().parents[3]
PARTNERSHIP: Final = ROOT / "scenarios" / "north-west-london" / "partnership.yaml"
HOSTED: Final = ("brent", "ealing", "nwl-board")
LEAD, OTHER, BOARD = HOSTED
CLOCK: Final = SystemClock()
READY_SECONDS: Final = 120.0
ANSWER_SECONDS: Final = 40.0
"""Longer than gunicorn lets a worker work on one request (30 s), so that no answer at all is seen as such."""


def wait_until(question: Callable[[], object], what: str, seconds: float = 120.0) -> float:
    """Ask until the answer is true, and return how many seconds that took."""
    began = CLOCK.monotonic()
    while not question():
        assert CLOCK.monotonic() - began < seconds, f"waited {seconds:.0f} s for {what}"
        CLOCK.sleep(0.05)
    return CLOCK.monotonic() - began


def note(name: str, value: object) -> None:
    """Tell a figure that was measured; pytest shows it with `-rP`. Nothing is asserted about it."""
    print(f"MEASURED {name}: {value}")  # noqa: T201 - what a report is made of


@dataclass
class Process:
    """One part of one service as a process, and where it says how it is."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Return its base address."""
        return f"http://127.0.0.1:{self.port}"

    def status(self, path: str = "/readyz") -> int:
        """Return the status of a page without a token, 0 when nobody answers."""
        try:
            return httpx.get(self.url + path, timeout=ANSWER_SECONDS).status_code
        except httpx.TransportError:
            return 0

    def metric(self, name: str, **labels: str) -> float | None:
        """Return one figure of `/metrics`, None where it is not there."""
        try:
            text = httpx.get(self.url + "/metrics", timeout=ANSWER_SECONDS).text
        except httpx.TransportError:
            return None
        for line in text.splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
                return float(found[2])
        return None

    def threads(self) -> int:
        """Return how many threads it and its children have."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(len(list(Path(f"/proc/{pid}/task").glob("*"))) for pid in pids)

    def descriptors(self) -> int:
        """Return how many files and sockets it and its children have open."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(len(list(Path(f"/proc/{pid}/fd").glob("*"))) for pid in pids)

    def kill(self) -> None:
        """End it as a power cut would; gunicorn's workers go with it."""
        children = _children(self.process.pid)
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), f"the end of {self.name}", 20)

    def stop(self) -> None:
        """Ask it to end, and make sure that it does."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


class Stage:
    """A database, a broker, the lines to them, and whatever processes a test starts. Ends everything by itself."""

    def __init__(self, folder: Path, *, database_folder: Path | None = None, disk: Disk | None = None) -> None:
        self.folder = folder
        self.database: Server = database_server(database_folder or folder / "database")
        if disk is not None:
            disk.put(self.database).log = folder / "database.log"
        self.broker, self.to_broker = broker_behind(folder / "broker")
        self.to_database = Proxy(self.database.port)
        self.issuer = LocalIssuer(folder / "keys", "local", CLOCK, new_identifier)
        self.processes: list[Process] = []
        self._stack = contextlib.ExitStack()
        self._client: Client | None = None

    def __enter__(self) -> Stage:
        try:
            self._stack.enter_context(self.to_broker)
            self._stack.enter_context(self.to_database)
            self._stack.callback(self.broker.stop)
            self._stack.callback(self.database.stop)
            self.broker.start()
            self.database.start()
            self.issuer.prepare((*HOSTED, "goldsmiths"), "http://127.0.0.1:9")
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.to_broker.heal()
        self.to_database.heal()
        for process in reversed(self.processes):
            process.stop()
        if self._client is not None:
            self._client.close()
        self._stack.close()

    @property
    def kafka(self) -> str:
        """Return the broker's address, behind its line."""
        return f"127.0.0.1:{self.to_broker.port}"

    def uri(self, *, behind: Proxy | None = None) -> str:
        """Return the database's address, directly or behind a line."""
        port = behind.port if behind else self.database.port
        return database_uri(port)

    @property
    def client(self) -> Client:
        """Return a client of the test's own, past every line."""
        if self._client is None:
            self._client = connect(self.uri(), appname="test")
        return self._client

    def unit(self, service: str = "enrolment") -> UnitOfWork:
        """Return the transactions of a service for the test's own use."""
        return UnitOfWork(client=self.client, service=service, clock=CLOCK, new_identifier=new_identifier)

    def environment(self, **more: str) -> dict[str, str]:
        """Return what every process is told."""
        return {
            "PROFILE": "local",
            "PARTNERSHIP_FILE": str(PARTNERSHIP),
            "HOSTED_ORGANISATIONS": ",".join(HOSTED),
            "MONGODB_URI": self.uri(),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "TRUSTED_ISSUERS_FILE": str(self.issuer.trusted_issuers_file),
            "ORGANISATION_KEYS_DIR": str(self.issuer.keys_dir),
            "HEARTBEAT_SECONDS": "1",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **more,
        }

    def revive_database(self) -> None:
        """Start the database again if it does not answer, as whoever supervises it does."""
        if not database_answers(self.uri()):
            self.database.kill()
            self.database.start()

    def prepare(self, *services: str) -> None:
        """Let services make their databases ready."""
        for service in services:
            command = [sys.executable, "-m", f"services.{service}", "prepare"]
            subprocess.run(command, env=self.environment(), check=True, capture_output=True, cwd=self.folder)

    def start(self, service: str, part: str, *, disk: Disk | None = None, **environment: str) -> Process:
        """Start a part of a service, with its log on a small disk where there is one; return it when it is ready."""
        port = any_free()
        told = self.environment(**{"PORT" if part == "api" else "HEALTH_PORT": str(port)}, **environment)
        log = self.folder / f"{service}-{part}-{port}.log"
        command = [sys.executable, "-m", f"services.{service}", part]
        if disk is not None:
            command = disk.inside(["sh", "-c", f'exec "$@" >>{disk.folder}/log 2>&1', "sh", *command])
        with log.open("ab") as output:
            process = subprocess.Popen(command, env=told, stdout=output, stderr=output, cwd=self.folder)
        started = Process(f"{service} {part}", process, port, log)
        self.processes.append(started)
        wait_until(lambda: started.status() == 200 or process.poll() is not None, started.name, READY_SECONDS)
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        return started

    def api(self, **environment: str) -> Process:
        """Start enrolment's API behind the line to the database."""
        return self.start("enrolment", "api", MONGODB_URI=self.uri(behind=self.to_database), **environment)

    def headers(self, role: str, org: str = LEAD, service: str = "enrolment", key: str | None = None) -> dict[str, str]:
        """Return the headers of a request."""
        token = self.issuer.mint(org, [role], f"{role}-desk", service)
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": key or new_identifier()}

    def open_course(self, api: Process, capacity: int = 10_000) -> None:
        """Publish a course with one cohort."""
        for path, body in (("courses/SAR", SAFEGUARDING), ("courses/SAR/cohorts/2025-09", {"capacity": capacity})):
            answer = httpx.put(
                f"{api.url}/v1/organisations/{LEAD}/{path}", json=body, headers=self.headers("programme_lead")
            )
            assert answer.status_code < 300, answer.text

    def head(self, org: str = LEAD, service: str = "enrolment") -> int:
        """Return the last number of an owner's feed."""
        return Ledger(self.unit(service).reading(org), FeedName("org", org, service)).head().number

    def position(self, reader: str, taker: str, org: str = LEAD, service: str = "enrolment") -> int:
        """Return how far a service has taken a feed for an organisation."""
        topic = FeedName("org", org, service).topic
        found = self.unit(reader).database(taker)["positions"].find_one({"_id": topic})
        return 0 if found is None else int(found["number"])


@dataclass
class Nominations:
    """Clients that nominate people, each request under one key until its outcome is known; and what became of each."""

    stage: Stage
    api: Process
    org: str = LEAD
    history: History = field(default_factory=History)
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    _open: list[Operation] = field(default_factory=list)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def acknowledged(self) -> int:
        """Return how many nominations were acknowledged."""
        return self.history.counts()["ok"]

    def nominate(self) -> int:
        """Nominate somebody new, once, and return the answer's status, 0 for none."""
        with self._lock:
            self._count += 1
            ref = f"{10_000 + self._count}"
        operation = self.history.invoke(kind="nominate", label=ref, key=new_identifier())
        return self._send(operation)

    def settle(self) -> None:
        """Ask again for what is not known, under the same keys, until all of it is."""
        for _ in range(20):
            with self._lock:
                waiting, self._open = self._open, []
            for operation in waiting:
                self._send(operation)
            if not self._open:
                return
            CLOCK.sleep(0.5)
        raise AssertionError(f"{len(self._open)} requests never got an answer: {self.statuses[-5:]}")

    @contextlib.contextmanager
    def running(self, clients: int = 2, pause_seconds: float = 0.05) -> Iterator[Nominations]:
        """Nominate from several clients until the block ends."""
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                self.nominate()
                stop.wait(pause_seconds)

        threads = [threading.Thread(target=work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def check(self, *, with_board: bool = False) -> None:
        """Each acknowledged one stands exactly once in the rows, the feed and, once drained, the board's projection.

        Each unknown one at most once and the same everywhere; what was refused stands nowhere.
        """
        database = self.stage.unit().database(self.org)
        rows = {row["_id"]: row["employee_ref"] for row in database["enrolments"].find({})}
        requested = [
            json.loads(bytes(event["data"]))["enrolment_id"]
            for entry in database["org_entries"].find({}, sort=[("_id", 1)])
            for event in entry["events"]
            if event["type"] == "enrolment.requested.v1"
        ]
        places = [self._place("rows", rows, rows), self._place("feed", requested, rows)]
        if with_board:
            board = self.stage.unit("reporting").database(BOARD)
            seen = [row["_id"].partition("/")[2] for row in board["enrolments"].find({"bucket": {"$ne": None}})]
            places.append(self._place("board", seen, rows))
            assert sum(row.get("nominated", 0) for row in board["rollups"].find({})) == len(rows)
        Findings(check_effects(self.history.of("nominate"), places)).require_none()
        assert 500 not in self.statuses

    def _place(self, name: str, ids: Iterable[str], refs: Mapping[str, str]) -> Projection:
        effects: dict[str, list[str]] = defaultdict(list)
        for identifier in ids:
            effects[refs.get(identifier, identifier)].append(identifier)
        return Projection(name, effects, shows_ids=True)

    def _send(self, operation: Operation) -> int:
        operation.attempts += 1
        ref, began = operation.label, CLOCK.monotonic()
        try:
            answer = httpx.post(
                f"{self.api.url}/v1/organisations/{self.org}/enrolments",
                json=a_record(employee_ref=ref, swe_number=f"SW{ref}", email=f"p{ref}@brent.example"),
                headers=self.stage.headers("hr", self.org, key=operation.key),
                timeout=ANSWER_SECONDS,
            )
        except httpx.TransportError:
            status, body = 0, None
        else:
            status, body = answer.status_code, _json(answer)
            self.without_retry_after += status == 503 and "Retry-After" not in answer.headers
        with self._lock:
            self.statuses.append(status)
            self.seconds.append(CLOCK.monotonic() - began)
            if 200 <= status < 300:
                self.history.ended(operation, Outcome.OK, body["enrolment_id"])
            elif status in (0, 409) or status >= 500:
                self._open.append(operation)
            else:
                self.history.ended(operation, Outcome.FAILED)
        return status


def _json(answer: httpx.Response) -> Any:  # noqa: ANN401
    return answer.json() if "json" in answer.headers.get("content-type", "") else None


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]
