"""Starts programs, keeps them running, and ends them all.

A program that dies is started again on its port, at most five times a minute; one more, and everything stops with a
message. One that was ready and then says nothing for too long is killed, which is a death like any other.
Every program leads its own process group, so that what it started ends with it, and ends with the supervisor, even
when that is killed. What programs write goes to a file each; the screen shows what happens to them.
No word of a service and no setting of one lives here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.clock import Clock
from shared.errors import Unavailable
from shared.local.ports import is_free
from shared.local.programs import Program
from shared.process import lifeline

Say = Callable[[str], None]

MOST_RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0
READY_WITHIN_SECONDS = 90.0
STOP_WITHIN_SECONDS = 10.0
PORT_FREE_WITHIN_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.1
ASK_EVERY_SECONDS = 2.0
TAIL_BYTES = 2000


class GaveUp(Unavailable):
    """A program does not stay up, or does not get ready."""

    slug = "gave-up"


@dataclass(slots=True)
class Running:
    """A program and the process that runs it now."""

    program: Program
    process: subprocess.Popen[bytes]
    log: Path
    deaths: deque[float] = field(default_factory=deque)


class Supervisor:
    """Keeps programs running until told to stop. Used from one thread, except `memory_bytes` and `pids`."""

    def __init__(self, logs: Path, clock: Clock, say: Say) -> None:
        self._logs = logs
        self._clock = clock
        self._say = say
        self._stages: list[list[Running]] = []
        self._ending = threading.Event()
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, programs: Sequence[Program], stop: threading.Event) -> None:
        """Start `programs` together and return when all of them are ready.

        Raises:
            KeyboardInterrupt: `stop` was set before.
            GaveUp: one of them dies again and again, or is not ready in time.
        """
        started = [self._launch(program) for program in programs]
        self._stages.append(started)
        waiting = started
        until = self._clock.monotonic() + READY_WITHIN_SECONDS
        while waiting:
            if stop.wait(LOOK_EVERY_SECONDS):
                raise KeyboardInterrupt
            self.look()
            waiting = [running for running in waiting if not running.program.ready()]
            if waiting and self._clock.monotonic() > until:
                raise GaveUp(_explain(waiting[0], f"is not ready after {READY_WITHIN_SECONDS:.0f} seconds"))
        for running in started:
            if running.program.most_silent_seconds is not None:
                threading.Thread(target=self._watch, args=(running,), name="watch", daemon=True).start()

    def finish(self, programs: Sequence[Program]) -> dict[str, str]:
        """Run `programs` together to their end and return what each wrote to its standard output, by name.

        Raises:
            GaveUp: one of them failed; the message holds the end of its log.
        """
        started = [(self._launch(program, output=subprocess.PIPE)) for program in programs]
        written = {}
        for running in started:
            output, _ = running.process.communicate()
            written[running.program.name] = output.decode()
        for running in started:
            if running.process.returncode != 0:
                raise GaveUp(_explain(running, "failed"))
        return written

    def supervise(self, stop: threading.Event) -> None:
        """Start what dies again, until `stop` is set.

        Raises:
            GaveUp: one died too often.
        """
        while not stop.wait(LOOK_EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Start again what has died since the last look.

        Raises:
            GaveUp: one died too often.
        """
        for stage in self._stages:
            for running in stage:
                status = running.process.poll()
                if status is not None:
                    self._again(running, status)

    def stop(self) -> None:
        """End everything: what was started last ends first, so that services can still say goodbye to the backbone."""
        self._ending.set()
        while self._stages:
            self._end(self._stages.pop())

    def pids(self) -> dict[str, int]:
        """Return the process numbers by program name."""
        return {running.program.name: running.process.pid for stage in list(self._stages) for running in stage}

    def _watch(self, running: Running) -> None:
        """Kill a program whenever it was ready and then is not for too long; `look` starts it again."""
        last: float | None = self._clock.monotonic()
        while not self._ending.wait(min(ASK_EVERY_SECONDS, (running.program.most_silent_seconds or 0) / 2)):
            process = running.process
            if running.program.ready():
                last = self._clock.monotonic()
            elif last is not None and self._clock.monotonic() - last > (running.program.most_silent_seconds or 0):
                self._say(f"{running.program.name} does not answer any more, ending it")
                _signal(process.pid, signal.SIGKILL, group=True)
                last = None

    def _end(self, stage: list[Running]) -> None:
        """End the programs of one stage together: politely, then after ten seconds by force."""
        for running in stage:
            _signal(running.process.pid, signal.SIGTERM, group=False)
        until = self._clock.monotonic() + STOP_WITHIN_SECONDS
        for running in stage:
            try:
                running.process.wait(max(0.1, until - self._clock.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{running.program.name} did not stop by itself")
            _signal(running.process.pid, signal.SIGKILL, group=True)
            running.process.wait()

    def _launch(self, program: Program, output: int | None = None) -> Running:
        log = self._logs / f"{program.name}.log"
        environment = {
            **os.environ,  # noqa: TID251 - handed on, not read
            **program.environment,
            lifeline.PARENT_VARIABLE: str(os.getpid()),
        }
        with log.open("ab") as writing:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=output if output is not None else writing,
                stderr=writing,
                env=environment,
                start_new_session=True,
                preexec_fn=lifeline.die_with_parent,
            )
        return Running(program, process, log)

    def _again(self, running: Running, status: int) -> None:
        now = self._clock.monotonic()
        running.deaths.append(now)
        while running.deaths[0] < now - RESTART_WINDOW_SECONDS:
            running.deaths.popleft()
        _signal(running.process.pid, signal.SIGKILL, group=True)  # what a killed gunicorn leaves holds its port
        if len(running.deaths) > MOST_RESTARTS:
            raise GaveUp(_explain(running, f"died more than {MOST_RESTARTS} times within a minute"))
        self._say(f"{running.program.name} ended ({_how(status)}), starting it again")
        until = now + PORT_FREE_WITHIN_SECONDS
        while running.program.port and not is_free(running.program.port) and self._clock.monotonic() < until:
            self._clock.sleep(LOOK_EVERY_SECONDS)
        running.process = self._launch(running.program).process


def _signal(pid: int, number: signal.Signals, *, group: bool) -> None:
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit code {status}"


def _explain(running: Running, what: str) -> str:
    written = running.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
    return f"{running.program.name} {what}. The end of {running.log}:\n{written}"
