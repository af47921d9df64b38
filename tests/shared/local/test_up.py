"""`partnership up` with the real backbone and four stand-in services: it starts, heals, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pymongo import MongoClient

import shared
from shared.clock import SystemClock
from shared.local.ports import accepts
from shared.partnership.model import SERVICES
from shared.testing.backbone import free_port_base

ROOT = Path(shared.__file__).parent.parent
CLOCK = SystemClock()
STAND_IN = """
import sys
from shared.process.run import Parts, common_settings, main

class Waiting:
    def __init__(self, settings):
        pass
    def run(self, stop):
        stop.wait()
    def ready(self):
        return True

def prepare(settings):
    pass

def web_app():
    def answer(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    return answer

if __name__ == "__main__":
    parts = Parts(settings=common_settings, web_app="services.NAME.__main__:web_app", prepare=prepare,
                  relay=Waiting, consume=Waiting, worker=Waiting if "NAME" == "enrolment" else None)
    sys.exit(main("NAME", parts))
"""


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A folder whose services are stand-ins."""
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "__init__.py").touch()
    for service in SERVICES:
        room = tmp_path / "services" / service
        room.mkdir()
        (room / "__init__.py").touch()
        (room / "__main__.py").write_text(STAND_IN.replace("NAME", service))
    return tmp_path


class Up:
    """A running `partnership up`."""

    def __init__(self, checkout: Path, base: int) -> None:
        self.checkout = checkout
        self.base = base
        command = [sys.executable, "-m", "shared.local.cli", "up", "--backbone", "local"]
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PORT_BASE": str(base)}
        self.process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait_until_it_runs(self) -> list[str]:
        """Return what it said until it runs."""
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "Ctrl-C stops it" in line:
                return said
        pytest.fail("".join(said))

    def told(self) -> dict:
        """Return what it tells other commands."""
        return json.loads((self.checkout / ".local" / "running.json").read_text())

    def end(self, number: signal.Signals = signal.SIGINT) -> str:
        """Send a signal, wait, and return what it said meanwhile."""
        self.process.send_signal(number)
        said, _ = self.process.communicate(timeout=60)
        return said


@pytest.fixture
def up(checkout):
    """A starter of the platform; whatever still runs afterwards is ended."""
    started = []

    def start(base: int) -> Up:
        started.append(Up(checkout, base))
        return started[-1]

    yield start
    for one in started:
        with one.process:
            one.process.kill()


def eventually(promise, seconds: float = 30.0) -> bool:
    """Return whether `promise` came true in time."""
    until = CLOCK.monotonic() + seconds
    while CLOCK.monotonic() < until:
        if promise():
            return True
        CLOCK.sleep(0.1)
    return False


def alive(pid: int) -> bool:
    """Return whether a process of that number still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_up_starts_heals_and_ends(up, checkout):
    """From the start to Ctrl-C: ports, a killed process, what is left of it all."""
    base = free_port_base()
    platform = up(base)
    said = "".join(platform.wait_until_it_runs())
    assert "backbone: local (SecantusDB on port" in said
    assert "starting 13 processes of 4 services" in said
    assert all(accepts(base + number) for number in (1, 2, 3, 4))
    told = platform.told()
    os.kill(told["programs"]["enrolment-api"], signal.SIGKILL)
    os.kill(told["programs"]["reporting-relay"], signal.SIGKILL)
    assert eventually(lambda: accepts(base + 1) and not alive(told["programs"]["enrolment-api"]))
    said = platform.end()
    assert platform.process.returncode == 0
    assert "enrolment-api ended (signal 9), starting it again" in said
    assert "reporting-relay ended (signal 9), starting it again" in said
    assert not any(accepts(base + number) for number in (1, 2, 3, 4))
    assert not any(alive(pid) for pid in told["programs"].values())
    assert not (checkout / ".local" / "running.json").exists()
    assert (checkout / ".local" / "logs" / "assessment-consume.log").exists()


def test_up_again_finds_what_was_kept(up):
    """The database holds today what it held yesterday, although the end was a kill -9 of everything."""
    base = free_port_base()
    first = up(base)
    first.wait_until_it_runs()
    uri = first.told()["environment"]["MONGODB_URI"]
    with MongoClient(uri, w="majority") as client:
        client["enrolment__brent"]["courses"].insert_one({"_id": "SAR"})
    pids = first.told()["programs"].values()
    first.end(signal.SIGKILL)
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    second = up(base)
    second.wait_until_it_runs()
    with MongoClient(second.told()["environment"]["MONGODB_URI"]) as client:
        assert client["enrolment__brent"]["courses"].find_one() == {"_id": "SAR"}
    second.end(signal.SIGTERM)
    assert second.process.returncode == 0
