"""Two reader processes of one service on Apache Kafka: one is killed, the broker is restarted, nothing stands still."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

import shared
from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.testing.backbone import Server, bootstrap
from shared.testing.kafka import kafka_server

ROOT = Path(shared.__file__).parent.parent
FILE = ROOT / "scenarios" / "marchland" / "partnership.yaml"
EMPLOYERS = ("marchland", "vale", "hazel-house")
HEARD = {
    "enrolment": ("enrolment.withdrawn.v1", "enrolment_id"),
    "assessment": ("assessment.portfolio-submitted.v1", "portfolio_id"),
}
CLOCK = SystemClock()

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(240)]


@pytest.fixture
def broker(tmp_path) -> Iterator[Server]:
    """A broker that this test may restart."""
    server = kafka_server(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


class Readers:
    """Processes of `reporting consume` that share the feeds of three employers, and the owners of these feeds."""

    def __init__(self, directory: Path, environment: dict[str, str], positions, owners) -> None:
        self.owners = owners
        self.processes: list[subprocess.Popen] = []
        self._directory = directory
        self._environment = environment
        self._positions = positions

    def start(self) -> subprocess.Popen:
        """Start one more."""
        with (self._directory / f"reader-{len(self.processes)}.log").open("ab") as log:
            command = [sys.executable, "-m", "services.reporting", "consume"]
            process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def send(self, count: int) -> None:
        """Let every owner send that many more events."""
        for owner in self.owners:
            heard, name = HEARD[owner.service]
            owner.send(*(owner.make(type=heard, **{name: new_identifier()}) for _ in range(count)))

    def sessions(self) -> set[bytes]:
        """Return who took the feeds last: each process has a session of its own."""
        return {found["session"] for found in self._positions.find() if found["_id"] in self._topics()}

    def are_through(self) -> bool:
        """Say whether every feed is read to its end."""
        numbers = {found["_id"]: found["number"] for found in self._positions.find()}
        return all(numbers.get(owner.topic) == owner.number for owner in self.owners)

    def _topics(self) -> set[str]:
        return {owner.topic for owner in self.owners}


@pytest.fixture
def readers(tmp_path, broker, new_organisation, new_owner, mongodb_uri, mongo_client) -> Iterator[Readers]:
    """No process yet; six feeds that are open."""
    kind = type(new_owner())
    producer = KafkaProducer(bootstrap_servers=bootstrap(broker))
    slugs = {name: new_organisation(name) for name in EMPLOYERS}
    owners = [kind(slug, bootstrap(broker), producer, service=service) for slug in slugs.values() for service in HEARD]
    for owner in owners:
        owner.open()
    text = re.sub(rf"\b({'|'.join(EMPLOYERS)})\b(?!-)", lambda found: slugs[found[0]], FILE.read_text(encoding="utf-8"))
    (tmp_path / "partnership.yaml").write_text(text, encoding="utf-8")
    board = new_organisation("x")
    environment = {
        **os.environ,  # noqa: TID251 - handed on, not read
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(tmp_path / "partnership.yaml"),
        "MONGODB_URI": mongodb_uri,
        "DATABASE_PREFIX": f"t{board.split('-')[1]}_"[-10:],
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap(broker),
        "TRUSTED_ISSUERS_FILE": str(tmp_path / "none.json"),
        "ORGANISATION_KEYS_DIR": str(tmp_path),
        "READER_MODE": "group",
        "PYTHONPATH": str(ROOT),
    }
    prepare = [sys.executable, "-m", "services.reporting", "prepare"]
    subprocess.run(prepare, env=environment, check=True, capture_output=True)
    positions = mongo_client[f"{environment['DATABASE_PREFIX']}reporting__marchland-board"]["positions"]
    made = Readers(tmp_path, environment, positions, owners)
    yield made
    for process in made.processes:
        process.terminate()
    for process in made.processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
    producer.close(timeout=2)


def wait_until(question, what: str, seconds: float = 60.0) -> None:
    """Return when the answer is yes; fail when it never is."""
    began = CLOCK.monotonic()
    while not question():
        assert CLOCK.monotonic() < began + seconds, what
        CLOCK.sleep(0.1)


def test_survivor_takes_all_feeds_of_a_reader_that_was_killed(readers):
    """The dead one's feeds are read on by the other, from where the dead one was, after one session time-out."""
    readers.send(20)
    killed = readers.start()
    wait_until(readers.are_through, "one reader does not read everything")
    readers.start()
    wait_until(lambda: len(readers.sessions()) == 2, "the second reader takes no feed")
    readers.send(20)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    readers.send(20)
    wait_until(readers.are_through, "the survivor does not take the dead one's feeds")
    wait_until(lambda: len(readers.sessions()) == 1, "not all feeds are the survivor's")


def test_readers_go_on_after_the_broker_was_restarted(readers, broker):
    """A broker that comes back with what it had: both readers join again and read on."""
    readers.start()
    readers.start()
    readers.send(20)
    wait_until(readers.are_through, "two readers do not read everything")
    broker.stop()
    broker.start()
    readers.send(20)
    wait_until(readers.are_through, "the readers do not come back", 90.0)
    assert [process.poll() for process in readers.processes] == [None, None]
