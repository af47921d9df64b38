"""One part of a service as a process: wrong usage, faults in settings, a polite end, a word on its health."""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

import shared
from shared.clock import SystemClock
from shared.errors import Malformed, Unavailable
from shared.local.ports import preferred
from shared.process import run

ROOT = Path(shared.__file__).parent.parent
SERVICE = """
import sys
from shared.process.run import Parts, common_settings, main

class Waiting:
    def __init__(self, settings):
        self.settings = settings
    def run(self, stop):
        print("running", flush=True)
        stop.wait()
        print("tidied", flush=True)
    def ready(self):
        return True

def prepare(settings):
    pass

parts = Parts(settings=common_settings, web_app="none:none", prepare=prepare, relay=Waiting, consume=Waiting)
sys.exit(main("example", parts))
"""


@pytest.fixture
def command(tmp_path):
    """The command line of a small service."""
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    return [sys.executable, str(script)]


def environment(**more: str) -> dict[str, str]:
    """Return what the small service needs."""
    partnership = ROOT / "scenarios" / "north-west-london" / "partnership.yaml"
    return {
        "PYTHONPATH": str(ROOT),
        "PARTNERSHIP_FILE": str(partnership),
        "MONGODB_URI": "mongodb://127.0.0.1:1",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "TRUSTED_ISSUERS_FILE": "issuers.json",
        "ORGANISATION_KEYS_DIR": "keys",
        **more,
    }


@pytest.mark.parametrize("arguments", [[], ["dance"], ["relay", "consume"], ["worker"]])
def test_wrong_usage_is_exit_code_2(command, arguments):
    """A part that the service does not have, none, or two: the usage line says what there is."""
    done = subprocess.run([*command, *arguments], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "usage: python -m services.example api | relay | consume | prepare\n"


def test_faults_in_settings_are_exit_code_1(command):
    """All of them in one message, no traceback."""
    done = subprocess.run(
        [*command, "relay"], env=environment(PORT="x", READER_MODE="y"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert "READER_MODE" in done.stderr
    assert "Traceback" not in done.stderr


def test_prepare_tells_which_parts_there_are(command):
    """The last line is JSON that a supervisor can read."""
    done = subprocess.run([*command, "prepare"], env=environment(), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"service": "example", "parts": ["api", "relay", "consume"]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_part_ends_tidily_when_asked(command, number):
    """The signal sets the stop event, the part returns, the exit code is 0."""
    with subprocess.Popen([*command, "relay"], env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "running\n"
        process.send_signal(number)
        assert process.stdout.read() == "tidied\n"
    assert process.returncode == 0


def test_what_a_part_keeps_for_good_is_looked_through_for_garbage_no_more(tmp_path):
    """The modules alone are thousands of objects; the part that was built is among them. Threads take short turns."""
    script = tmp_path / "counting.py"
    counted = "import gc; print(gc.get_freeze_count(), any(one is self for one in gc.get_objects()), "
    counted += "sys.getswitchinterval(), flush=True)"
    script.write_text(SERVICE.replace('print("running", flush=True)', counted))
    command = [sys.executable, str(script), "relay"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        kept, is_looked_at, turn = process.stdout.readline().split()
        process.terminate()
    assert int(kept) > 10_000
    assert (is_looked_at, float(turn)) == ("False", pytest.approx(0.0005))


def test_a_part_says_how_it_is(command):
    """`/readyz` and `/metrics` on the health port."""
    port = preferred(48_121)
    variables = environment(HEALTH_PORT=str(port))
    with subprocess.Popen([*command, "consume"], env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "running\n"
        for path in ("livez", "readyz", "metrics"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
                assert answer.status == 200
        process.terminate()


def test_a_part_ends_when_its_supervisor_is_gone(command):
    """A part whose parent is not the supervisor that it was told of ends by itself."""
    clock = SystemClock()
    started = clock.monotonic()
    done = subprocess.run(
        [*command, "relay"],
        env=environment(SUPERVISOR_PID="1"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == "running\ntidied\n"
    assert clock.monotonic() - started < 20


def test_a_part_waits_while_nobody_can_know_and_refuses_once_somebody_does(monkeypatch):
    """`Unavailable` is asked again, a fault passes through, and the stop event ends the waiting."""
    monkeypatch.setattr(run, "ASK_AGAIN_SECONDS", 0.01)
    answers = iter([Unavailable("not yet"), Unavailable("not yet"), None, Unavailable("not yet"), Malformed("weak")])

    def check() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    stop = threading.Event()
    assert run.passes(check, stop)
    with pytest.raises(Malformed, match="weak"):
        run.passes(check, stop)
    stop.set()
    assert not run.passes(check, stop)
