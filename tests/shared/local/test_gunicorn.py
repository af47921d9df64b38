"""gunicorn under the supervisor: a killed master leaves no worker behind that would hold the port."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import shared
from shared.clock import SystemClock
from shared.local.ports import preferred
from shared.local.programs import Program, answers_ready
from shared.local.supervisor import Supervisor
from shared.process.run import GUNICORN_CONFIGURATION

APPLICATION = """
def web_app():
    def answer(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    return answer
"""


def test_an_api_runs_again_when_its_gunicorn_master_is_killed(tmp_path):
    """The new master gets the port at once, although the old one's workers were orphaned."""
    (tmp_path / "application.py").write_text(APPLICATION)
    port = preferred(48_111)
    command = (sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONFIGURATION), "application:web_app()")
    root = Path(shared.__file__).parent.parent
    environment = {"PYTHONPATH": f"{root}:{tmp_path}", "PORT": str(port), "WEB_CONCURRENCY": "2"}
    program = Program(name="api", command=command, environment=environment, port=port, ready=answers_ready(port))
    clock, stop = SystemClock(), threading.Event()
    supervisor = Supervisor(tmp_path / "logs", clock, [].append)
    try:
        supervisor.start([program], stop)
        before = supervisor.pids()["api"]
        os.kill(before, signal.SIGKILL)
        until = clock.monotonic() + 20
        while supervisor.pids()["api"] == before or not program.ready():
            supervisor.look()
            clock.sleep(0.05)
            if clock.monotonic() > until:
                pytest.fail("the api did not come back")
    finally:
        supervisor.stop()
    assert not program.ready()
