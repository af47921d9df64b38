"""The supervisor on real processes: it starts again what dies, and leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import shared
from shared.clock import SystemClock
from shared.local.ports import accepts, preferred
from shared.local.programs import Program, listens
from shared.local.supervisor import GaveUp, Supervisor

ROOT = Path(shared.__file__).parent.parent
CLOCK = SystemClock()


def a_server(port: int, name: str = "server") -> Program:
    """Return a program that listens on `port`."""
    command = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    return Program(name=name, command=command, port=port, ready=listens(port))


def eventually(promise, seconds: float = 15.0) -> bool:
    """Return whether `promise` came true in time."""
    until = CLOCK.monotonic() + seconds
    while CLOCK.monotonic() < until:
        if promise():
            return True
        CLOCK.sleep(0.05)
    return False


@contextlib.contextmanager
def supervised(tmp_path, programs, said):
    """Run `programs` for the length of the block."""
    supervisor = Supervisor(tmp_path / "logs", CLOCK, said.append)
    try:
        supervisor.start(programs, threading.Event())
        yield supervisor
    finally:
        supervisor.stop()


def test_a_killed_program_is_started_again_on_its_port(tmp_path):
    """A program that somebody kills runs again, as another process, where it listened before."""
    port, said = preferred(48_101), []
    with supervised(tmp_path, [a_server(port)], said) as supervisor:
        before = supervisor.pids()["server"]
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda: not accepts(port))
        supervisor.look()
        assert eventually(lambda: accepts(port))
        assert supervisor.pids()["server"] != before
    assert said == ["server ended (signal 9), starting it again"]
    assert not accepts(port)


def test_a_program_that_is_stuck_is_ended_and_started_again(tmp_path):
    """It runs and listens, and answers nobody: stopped in the middle, as a deadlock would."""
    port, said = preferred(48_111), []
    stuck = threading.Event()
    program = replace(a_server(port), ready=lambda: accepts(port) and not stuck.is_set(), most_silent_seconds=0.5)
    with supervised(tmp_path, [program], said) as supervisor:
        before = supervisor.pids()["server"]
        stuck.set()
        assert eventually(lambda: supervisor.look() or supervisor.pids()["server"] != before)
        stuck.clear()
        assert eventually(lambda: accepts(port))
    assert said[:2] == ["server does not answer any more, ending it", "server ended (signal 9), starting it again"]


def test_a_program_that_keeps_dying_stops_everything_with_its_last_words(tmp_path):
    """The sixth death within a minute is the last one, and the message shows what the program wrote."""
    dying = Program(
        name="dying", command=(sys.executable, "-c", "raise SystemExit('no such door')"), ready=lambda: False
    )
    supervisor = Supervisor(tmp_path / "logs", CLOCK, [].append)
    with pytest.raises(GaveUp, match=r"(?s)dying died more than 5 times within a minute.*no such door"):
        supervisor.start([dying], threading.Event())
    supervisor.stop()


def test_a_failed_preparation_is_reported_with_its_log(tmp_path):
    """What must end well and does not is an error that holds the end of its log."""
    supervisor = Supervisor(tmp_path / "logs", CLOCK, [].append)
    failing = Program(name="prepare", command=(sys.executable, "-c", "raise SystemExit('index refused')"))
    with pytest.raises(GaveUp, match=r"(?s)prepare failed.*index refused"):
        supervisor.finish([failing])


def test_a_preparation_hands_over_what_it_wrote(tmp_path):
    """The standard output of a program that ends well is returned by its name."""
    supervisor = Supervisor(tmp_path / "logs", CLOCK, [].append)
    good = Program(name="prepare", command=(sys.executable, "-c", "print('ready')"))
    assert supervisor.finish([good]) == {"prepare": "ready\n"}


def test_start_is_given_up_when_asked_to_stop(tmp_path):
    """Ctrl-C during the start ends the start."""
    stop = threading.Event()
    stop.set()
    supervisor = Supervisor(tmp_path / "logs", CLOCK, [].append)
    sleeping = Program(name="sleeping", command=("sleep", "60"), ready=lambda: False)
    with pytest.raises(KeyboardInterrupt):
        supervisor.start([sleeping], stop)
    supervisor.stop()


SUPERVISE = """
import sys, threading
from pathlib import Path
from shared.clock import SystemClock
from shared.local.programs import Program, listens
from shared.local.supervisor import Supervisor
port = int(sys.argv[1])
command = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
supervisor = Supervisor(Path(sys.argv[2]), SystemClock(), print)
supervisor.start([Program(name="server", command=command, port=port, ready=listens(port))], threading.Event())
print("ready", flush=True)
supervisor.supervise(threading.Event())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a child of its parent's end on Linux only")
def test_programs_end_when_the_supervisor_is_killed(tmp_path):
    """A supervisor that is killed by kill -9 leaves nothing running."""
    port = preferred(48_102)
    command = [sys.executable, "-c", SUPERVISE, str(port), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.stdout.readline() == b"ready\n"
        assert accepts(port)
        supervisor.kill()
    assert eventually(lambda: not accepts(port))
