"""The seeded scheduler: processes of greenlets, virtual time, and the points at which anything may happen.

One greenlet runs at a time and only gives way at a switch point (`pause`, `reply`, `sleep`), so that a seed decides
the whole run. A process that ends unasked executes nothing more: each of its greenlets gets `Crashed` where it stands,
and whatever its `finally` tries at the store or the log meets `Crashed` again.
"""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from greenlet import getcurrent, greenlet

BEGINNING: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TRACE_LINES: Final = 400


class Crashed(BaseException):
    """The process ended here, unasked."""


class Stuck(Exception):
    """The run did too many steps, or nothing is left to run."""


class Process:
    """One life of one process. Its wall clock is its own; `frozen_until` is a SIGSTOP."""

    def __init__(self, scheduler: Scheduler, name: str, *, wall_seconds: float = 0.0) -> None:
        self.scheduler = scheduler
        self.name = name
        self.wall_seconds = wall_seconds
        self.alive = True
        self.mortal = True
        self.frozen_until = 0.0
        self.stopping = False
        self.on_end: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        """Return the process's own wall clock, in whole milliseconds."""
        return BEGINNING + timedelta(milliseconds=int((self.scheduler.now + self.wall_seconds) * 1000))

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self.scheduler.now

    def sleep(self, seconds: float) -> None:
        """Give way for virtual seconds."""
        self.scheduler.sleep(seconds)


class Thread:
    """One greenlet and the process that it is in just now."""

    def __init__(self, process: Process, name: str, run: Callable[[], None], hub: greenlet) -> None:
        self.process = process
        self.name = name
        self.wake_at = 0.0
        self.greenlet = greenlet(run, hub)


class Scheduler:
    """Decides by its random numbers who runs, who ends and which reply is lost."""

    def __init__(self, seed: int, *, switch_rate: float = 0.5, most_steps: int = 60_000) -> None:
        self.random = Random(seed)  # noqa: S311 - a game of chance that must come out the same each time
        self.now = 0.0
        self.steps = 0
        self.switch_rate = switch_rate
        self.crash_rate = 0.0
        self.counts: Counter[str] = Counter()
        self.trace: deque[str] = deque(maxlen=TRACE_LINES)
        self.fingerprint = 0
        self.threads: list[Thread] = []
        self.current: Thread | None = None
        self.on_bug: Callable[[str, Exception], None] = lambda *_: None
        self._most_steps = most_steps
        self._hub = getcurrent()

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self.now

    def note(self, what: str) -> None:
        """Write a line of the trace; it is part of the run's fingerprint."""
        name = self.current.name if self.current else "-"
        line = f"{self.now:10.3f} {name:<14} {what}"
        self.trace.append(line)
        self.fingerprint = zlib.crc32(line.encode(), self.fingerprint)

    def fault(self, kind: str, detail: str = "") -> None:
        """Count and note a fault that was injected."""
        self.counts[kind] += 1
        self.note(f"*** {kind} {detail}")

    def spawn(self, process: Process, name: str, run: Callable[[], None]) -> Thread:
        """Start a greenlet of a process."""

        def guarded() -> None:
            try:
                run()
            except Crashed:
                return
            except Exception as error:  # noqa: BLE001 - the run ends and says which seed it was
                self.on_bug(process.name, error)

        thread = Thread(process, name, guarded, self._hub)
        self.threads.append(thread)
        return thread

    def run(self, is_over: Callable[[], bool]) -> None:
        """Let greenlets run until `is_over`, asked between their turns.

        Raises:
            Stuck: It never is.
        """
        while not is_over():
            thread = self._next()
            self.current = thread
            thread.wake_at = 0.0
            thread.greenlet.switch()
            self.current = None
            if thread.greenlet.dead:
                self.threads.remove(thread)

    def _next(self) -> Thread:
        if self.steps > self._most_steps:
            message = f"not over after {self.steps} steps"
            raise Stuck(message)
        now = self.now
        ready = [t for t in self.threads if t.wake_at <= now and t.process.frozen_until <= now]
        if not ready:
            if not self.threads:
                message = "nothing is left to run"
                raise Stuck(message)
            self.now = min(max(t.wake_at, t.process.frozen_until) for t in self.threads)
            return self._next()
        return ready[0] if len(ready) == 1 else ready[int(self.random.random() * len(ready))]

    def pause(self, process: Process) -> None:
        """A switch point before an operation of `process`: others may run, the process may end."""
        if not process.alive:
            raise Crashed
        self.steps += 1
        draw = self.random.random()
        self.now += draw * 0.002
        if draw < self.switch_rate:
            self._give_way()
        if not process.alive:
            raise Crashed
        if self.crash_rate and process.mortal and self.random.random() < self.crash_rate:
            self.fault("crash at a step", process.name)
            self.end(process)
            raise Crashed

    def sleep(self, seconds: float) -> None:
        """Give way until virtual seconds have passed."""
        thread = self._thread()
        if not thread.process.alive:
            raise Crashed
        self.steps += 1
        thread.wake_at = self.now + max(0.0, seconds)
        self._give_way()

    def end(self, process: Process) -> None:
        """End a process now, with everything that it is doing."""
        if not process.alive:
            return
        process.alive = False
        process.frozen_until = 0.0
        for thread in self.threads:
            if thread.process is process:
                thread.wake_at = 0.0
        process.on_end()

    def close(self) -> None:
        """End every process, so that no greenlet is left half done."""
        for thread in list(self.threads):
            thread.process.alive = False
            thread.process.on_end = lambda: None
        for thread in list(self.threads):
            self.current = thread
            while not thread.greenlet.dead:
                with suppress(Crashed):
                    thread.greenlet.throw(Crashed)
        self.threads.clear()

    def _thread(self) -> Thread:
        if self.current is None:
            message = "only a greenlet of a process may give way"
            raise RuntimeError(message)
        return self.current

    def _give_way(self) -> None:
        thread = self._thread()
        self._hub.switch()
        if not thread.process.alive:
            raise Crashed
