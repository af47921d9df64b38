"""What only a MongoDB replica set can show: step-downs under load, a lost majority, a roll-back (P11, P12, P13).

Three members in containers on the host's own network, so that they and the test know each other by the same addresses.
Runs in `make test-containers`; without an engine each test says NOT RUN.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.identifiers import new_identifier
from shared.local.containers import MONGO_IMAGE
from shared.local.ports import any_free
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork
from tests.shared.storage.test_kill import Writer

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]
PATIENCE = stop_after_delay(90)
CLOCK = SystemClock()


@dataclass
class ReplicaSet:
    """Three members by their ports; what is done to one is done to its container."""

    members: dict[int, Any]

    @property
    def uri(self) -> str:
        """Return the connection string of the whole set."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.members)
        return f"mongodb://{hosts}/?replicaSet=rs0&retryWrites=false"

    @retry(retry=retry_if_exception_type((PyMongoError, LookupError)), stop=PATIENCE, wait=wait_fixed(1), reraise=True)
    def primary(self) -> int:
        """Return the port of the primary, waiting for an election."""
        for port in self.members:
            try:
                with direct(port) as client:
                    if client.admin.command("hello").get("isWritablePrimary"):
                        return port
            except PyMongoError:
                continue
        raise LookupError("no primary yet")

    def step_down(self) -> None:
        """Have the primary step down; the connection is closed by it."""
        with direct(self.primary()) as client:
            try:
                client.admin.command("replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)
            except AutoReconnect:
                return

    def secondaries(self) -> list[int]:
        """Return the ports of the others."""
        primary = self.primary()
        return [port for port in self.members if port != primary]

    def pause(self, *ports: int) -> None:
        """Freeze members."""
        for port in ports:
            self.members[port].get_wrapped_container().pause()

    def go_on(self, *ports: int) -> None:
        """Let frozen members go on."""
        for port in ports:
            self.members[port].get_wrapped_container().unpause()

    def kill(self, port: int) -> None:
        """Kill a member as a power cut would."""
        self.members[port].get_wrapped_container().kill()

    def start(self, port: int) -> None:
        """Start a member that was killed, with what it holds."""
        self.members[port].get_wrapped_container().start()


def direct(port: int) -> MongoClient[dict[str, Any]]:
    """Return a client of one member only."""
    return MongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true", serverSelectionTimeoutMS=2000)


@pytest.fixture
def replica_set() -> Iterator[ReplicaSet]:
    """A replica set of three that ends with the test; NOT RUN where no engine can start it."""
    docker_errors = pytest.importorskip("docker.errors")
    containers = pytest.importorskip("testcontainers.core.container")
    started: dict[int, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # a client that finds no engine leaves its socket open
            try:
                for port in (any_free(), any_free(), any_free()):
                    command = f"--replSet rs0 --port {port} --bind_ip 127.0.0.1"
                    container = containers.DockerContainer(MONGO_IMAGE).with_kwargs(network_mode="host")
                    started[port] = container.with_command(command).start()
            except (docker_errors.DockerException, OSError) as error:
                gc.collect()
                pytest.skip(f"NOT RUN: no replica set of containers ({type(error).__name__})")
        _initiate(list(started))
        made = ReplicaSet(started)
        made.primary()
        yield made
    finally:
        for container in started.values():
            container.stop()


@retry(retry=retry_if_exception_type(PyMongoError), stop=PATIENCE, wait=wait_fixed(1), reraise=True)
def _initiate(ports: list[int]) -> None:
    with direct(ports[0]) as client:
        if not client.admin.command("hello").get("setName"):
            members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(ports)]
            settings = {"electionTimeoutMillis": 2000}
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})


@pytest.fixture
def unit(replica_set) -> Iterator[UnitOfWork]:
    """A unit of work on the set."""
    client = connect(replica_set.uri, appname="replica-set")
    yield UnitOfWork(client=client, service="enrolment", clock=CLOCK, new_identifier=new_identifier)
    client.close()


def _held(unit: UnitOfWork) -> tuple[set[str], list[str]]:
    """Return the rows, and the subjects of all events."""
    database = unit.database("brent")
    rows = {found["_id"] for found in database["things"].find({})}
    subjects = [event["subject"] for entry in database["org_entries"].find({}) for event in entry["events"]]
    return rows, subjects


def _write(unit: UnitOfWork, key: str) -> None:
    writer = Writer(unit, "x", Event())
    unit.run("brent", lambda work: writer.write(work, key))


def test_p11_step_downs_under_load_lose_and_double_nothing(replica_set, unit):
    """Every acknowledged row stands with exactly one event after five elections."""
    stop = Event()
    writers = [Writer(unit, name, stop) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for _ in range(5):
        CLOCK.sleep(3)
        replica_set.step_down()
    replica_set.primary()
    CLOCK.sleep(3)
    stop.set()
    for writer in writers:
        writer.join()
    acknowledged = {key for writer in writers for key in writer.acknowledged}
    rows, subjects = _held(unit)
    assert len(acknowledged) > 50
    assert acknowledged <= rows
    assert sorted(subjects) == sorted(rows)


def test_p12_without_a_majority_nothing_is_acknowledged_and_nothing_is_lost_afterwards(replica_set, unit):
    """Writes are `Unavailable`; there is no weaker write to fall back to."""
    _write(unit, "before")
    gone = replica_set.secondaries()
    replica_set.pause(*gone)
    try:
        with pytest.raises(Unavailable):
            _write(unit, "during")
    finally:
        replica_set.go_on(*gone)
    replica_set.primary()
    _write(unit, "after")
    rows, subjects = _held(unit)
    assert {"before", "after"} <= rows
    assert sorted(subjects) == sorted(rows)


def test_p13_a_primary_that_rolls_back_had_acknowledged_nothing_of_it(replica_set, unit):
    """What the old primary alone had taken is undone when it comes back, row and event together."""
    _write(unit, "before")
    old, others = replica_set.primary(), replica_set.secondaries()
    replica_set.pause(*others)
    with pytest.raises(Unavailable):
        _write(unit, "alone")
    replica_set.kill(old)
    replica_set.go_on(*others)
    replica_set.primary()
    _write(unit, "under-the-new-one")
    replica_set.start(old)
    with direct(old) as client:
        _until_secondary(client)
    rows, subjects = _held(unit)
    assert rows == {"before", "under-the-new-one"}
    assert sorted(subjects) == sorted(rows)


@retry(retry=retry_if_exception_type((PyMongoError, LookupError)), stop=PATIENCE, wait=wait_fixed(1), reraise=True)
def _until_secondary(client: MongoClient[dict[str, Any]]) -> None:
    if not client.admin.command("hello").get("secondary"):
        raise LookupError("not yet back")
