"""A reader or a relay in a process of its own, for what is said of processes: memory, scale-out, CPU alone.

`python -m tests.bench.apart` takes one errand as JSON from its first line of input, says `ready`, waits for a second
line, works, and answers with one line of JSON.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import IO

import msgspec

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import sending
from shared.events.feed import FeedName
from shared.local.platform import ROOT
from shared.process import lifeline
from shared.process.settling import settle
from shared.storage.mongo import connect
from shared.telemetry.logs import configure_logging
from tests.bench import machine
from tests.bench.feeds import Published
from tests.bench.following import Effects, following, recount, step_until
from tests.bench.sizes import TINY
from tests.bench.stage import Sink, Stage, send_all

READING, RELAYING = "read", "relay"


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do: read feeds of so many events from their beginning, or send what waits in them."""

    kind: str
    sink: str
    uri: str
    bootstrap_servers: str
    organisations: list[str]
    events_each: int
    prefix: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What it took. `most_in_flight` is in bytes, of a relay's producer."""

    events: int
    seconds: float
    cpu_seconds: float
    peak_mebibytes: float
    most_in_flight: int = 0


class _Process:
    """One process, and what it wrote where errors go."""

    def __init__(self, errand: Errand, errors: IO[str]) -> None:
        command = [sys.executable, "-m", "tests.bench.apart"]
        pipe = subprocess.PIPE
        self._errors = errors
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=errors, text=True)
        self.tell(msgspec.json.encode(errand).decode())

    def tell(self, line: str) -> None:
        """Give it a line of input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Return its next line.

        Raises:
            Unavailable: it has ended; its own words are in the message.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise Unavailable(f"a process of the benchmark failed: {self._errors.read()[-2000:]}")
        return line

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def carried_out(errands: Sequence[Errand]) -> list[Done]:
    """Return what several errands took, each in a process of its own, all of them begun together.

    Raises:
        Unavailable: a process failed; its own words are in the message.
    """
    with ExitStack() as stack:
        processes = []
        for errand in errands:
            processes.append(_Process(errand, stack.enter_context(tempfile.TemporaryFile("w+"))))
            stack.callback(processes[-1].end)
        for process in processes:
            process.answer()
        for process in processes:
            process.tell("go")
        return [msgspec.json.decode(process.answer(), type=Done) for process in processes]


def main() -> None:
    """Carry out the errand that the first line names."""
    configure_logging("bench", console=True, level="CRITICAL")
    lifeline.die_with_parent(9)
    errand = msgspec.json.decode(sys.stdin.readline(), type=Errand)
    clock, sink = SystemClock(), Sink(name=errand.sink, uri=errand.uri, client=connect(errand.uri, appname="bench"))
    stage = Stage(
        bootstrap_servers=errand.bootstrap_servers,
        kafka_config={},
        sinks={errand.sink: sink, "SEC": sink},
        pids={},
        clock=clock,
        sizes=TINY,
        partnership_file=Path(),
        directory=Path(),
    )
    work = {READING: _read, RELAYING: _relay}[errand.kind]
    done = work(stage, sink, errand)
    print(msgspec.json.encode(done).decode(), flush=True)  # noqa: T201 - its product


def _feeds(errand: Errand) -> list[FeedName]:
    return [FeedName("org", organisation, "enrolment") for organisation in errand.organisations]


def _read(stage: Stage, sink: Sink, errand: Errand) -> Done:
    effects, feeds = Effects(), _feeds(errand)
    with following(stage, sink, feeds, effects, errand.prefix) as (reader, unit):
        settle()
        print("ready", flush=True)  # noqa: T201 - its product
        sys.stdin.readline()
        before, cpu, begun = effects.done, machine.own_cpu_seconds(), stage.clock.monotonic()
        wanted = errand.events_each * len(feeds)
        step_until(stage, reader, lambda: effects.done >= wanted)
        seconds, cpu = stage.clock.monotonic() - begun, machine.own_cpu_seconds() - cpu
        peak = machine.peak_mebibytes()
        for feed in feeds:
            names = tuple(f"enrolment-{number:024d}" for number in range(errand.events_each))
            recount(sink, unit.database(feed.organisation), Published(feed=feed, enrolment_ids=names))
    return Done(events=wanted - before, seconds=seconds, cpu_seconds=cpu, peak_mebibytes=peak)


def _relay(stage: Stage, _: Sink, errand: Errand) -> Done:
    watched = _Watched.watch()
    with stage.relay(*_feeds(errand), stop=Event()) as relay:
        settle()
        print("ready", flush=True)  # noqa: T201 - its product
        sys.stdin.readline()
        cpu, begun = machine.own_cpu_seconds(), stage.clock.monotonic()
        send_all(relay)
        seconds, cpu = stage.clock.monotonic() - begun, machine.own_cpu_seconds() - cpu
        events = sum(gauges["published"] for gauges in relay.gauges().values())
        relay.close()
    return Done(
        events=events,
        seconds=seconds,
        cpu_seconds=cpu,
        peak_mebibytes=machine.peak_mebibytes(),
        most_in_flight=watched.most,
    )


class _Watched(sending._Budget):
    """The producer's budget of bytes, which remembers the most that was under way."""

    most = 0

    @classmethod
    def watch(cls) -> type[_Watched]:
        """Let every producer of this process have such a budget."""
        sending._Budget = cls  # type: ignore[misc]
        return cls

    def take(self, size: int) -> bool:
        """Take, and note how much is under way."""
        taken = super().take(size)
        _Watched.most = max(_Watched.most, self._most - self._left)
        return taken


if __name__ == "__main__":
    main()
