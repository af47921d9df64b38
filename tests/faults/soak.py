"""A soak: clients write at a steady rate, something is killed every two minutes, and in the end all is held to account.

    python -m tests.faults.soak --minutes 30 --rate 50

Nine of ten writes are pieces of evidence that go into people's portfolios, as in a term; the tenth nominates somebody,
or withdraws them. `--pieces-each 0` leaves the nominations, each of which sets every service to work.

Stops by itself. Prints a table and writes JSON: what was asked and answered, how long each fault took to be over
(everything accepted until then had reached every reader again), lost, doubled and stale effects, and the memory of
each program over time. Growth compares the steady state, the second quarter of the run, with its last quarter; the
database and the broker, which hold the data, are shown and not counted. Returns 1 when anything is lost, doubled or
stale.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles

from shared.local.memory import memory_bytes
from shared.testing.history import Findings, History, Outcome
from tests.faults.processes.collecting import EVIDENCE
from tests.faults.processes.dying import ACKNOWLEDGED, COMMIT, COMMITTED, KILL_ALL, STOP, Order
from tests.faults.processes.load import NOMINATE, WITHDRAW, Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import CLOCK, SERVICES, Stage, a_stage, heads_and_readers, until

SAMPLE_SECONDS = 5.0
SETTLE_SECONDS = 900.0
FAULT_PATIENCE_SECONDS = 300.0
MEBIBYTE = 2**20
HOLD_DATA = ("mongodb", "kafka", "sign-in")
PEOPLE_AT_FIRST = 100
KINDS = (NOMINATE, WITHDRAW, EVIDENCE)

Fault = Callable[[Stage], None]


def _kill(program: str, number: signal.Signals = signal.SIGKILL) -> Fault:
    def fault(stage: Stage) -> None:
        was = stage.kill(program, number)
        if program.split("-")[0] in SERVICES:
            stage.restarted(program, was, FAULT_PATIENCE_SECONDS)
        else:
            until(lambda: stage.platform.pid(program) != was, f"{program} again", FAULT_PATIENCE_SECONDS)

    return fault


def _lose_cluster(stage: Stage) -> None:
    was = stage.lose_cluster()
    until(lambda: stage.platform.pid("kafka") != was, "kafka again", FAULT_PATIENCE_SECONDS)


def _die(program: str, what: Order) -> Fault:
    def fault(stage: Stage) -> None:
        was = stage.platform.pid(program)
        stage.dies(program, what, FAULT_PATIENCE_SECONDS)
        if what.do == KILL_ALL or not program.endswith("-api"):
            stage.restarted(program, was, FAULT_PATIENCE_SECONDS)

    return fault


def _stand_still(program: str, seconds: float) -> Fault:
    def fault(stage: Stage) -> None:
        with stage.stopped(program):
            CLOCK.sleep(seconds)

    return fault


def _zombie(stage: Stage) -> None:
    """A reader stands still in its transaction, another takes over, the first wakes."""
    was = stage.platform.pid("reporting-consume")
    stage.dies("reporting-consume", Order(COMMIT, STOP, touches="/positions"))
    try:
        with stage.another("reporting", "consume") as second:
            CLOCK.sleep(3.0)
            stage.wake(was)
            stage.restarted("reporting-consume", was, FAULT_PATIENCE_SECONDS)
            until(lambda: second.process.poll() is not None, "the other reader to be fenced")
    finally:
        with contextlib.suppress(ProcessLookupError):
            stage.wake(was)


FAULTS: tuple[tuple[str, Fault], ...] = (
    ("P1 API worker killed after its commit", _die("enrolment-api", Order(COMMITTED, touches="/enrolments"))),
    ("P3 relay killed after acknowledgement", _die("enrolment-relay", Order(ACKNOWLEDGED))),
    ("P5 reader killed in its transaction", _die("enrolment-consume", Order(COMMIT, touches="/positions"))),
    ("P1 assessment's API killed after its commit", _die("assessment-api", Order(COMMITTED, touches="/portfolios"))),
    ("P20 API ended by SIGTERM", _kill("enrolment-api", signal.SIGTERM)),
    ("P10 cluster replaced by an empty one", _lose_cluster),
    ("P6 reader wakes as a zombie", _zombie),
    ("P5 reader killed after its transaction", _die("reporting-consume", Order(COMMITTED, touches="/positions"))),
    ("P4 relay stands still for 15 s", _stand_still("enrolment-relay", 15.0)),
    ("database killed", _kill("mongodb")),
    ("P1 whole API killed", _kill("enrolment-api")),
    ("P5 assessment's reader killed", _kill("assessment-consume")),
    ("P3 assessment's relay killed", _kill("assessment-relay")),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a soak is to do. `rate`: writes a second; `fault_every`: seconds."""

    minutes: float
    rate: float
    fault_every: float
    web_concurrency: int
    pieces_each: int


@dataclass
class Account:
    """What a soak came to."""

    asked: dict[str, object]
    faults: list[dict[str, object]] = field(default_factory=list)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    load: dict[str, object] = field(default_factory=dict)
    settled_seconds: float = 0.0
    findings: Findings = field(default_factory=Findings)

    def growth(self) -> dict[str, dict[str, float]]:
        """Return MiB in the second and the last quarter and the growth in percent: by program, and `services`."""
        found: dict[str, dict[str, float]] = {}
        for name, samples in sorted(self.memory.items()):
            end = samples[-1][0]
            early = [size for at, size in samples if end / 4 <= at < end / 2]
            late = [size for at, size in samples if at >= end * 3 / 4]
            if early and late:
                found[name] = _grown(median(early), median(late))
        counted = [sizes for name, sizes in found.items() if name not in HOLD_DATA]
        found["services"] = _grown(sum(one["early"] for one in counted), sum(one["late"] for one in counted))
        return found

    def as_json(self) -> dict[str, object]:
        """Return everything that is kept of it."""
        return {
            "asked": self.asked,
            "load": self.load,
            "faults": self.faults,
            "settled_seconds": self.settled_seconds,
            "lost": self.findings.lost,
            "doubled": self.findings.doubled,
            "stale": self.findings.stale,
            "violations": [str(violation) for violation in self.findings.violations[:200]],
            "growth": self.growth(),
            "memory_mebibytes": self.memory,
        }


def _grown(early: float, late: float) -> dict[str, float]:
    percent = 100 * (late - early) / early if early else 0.0
    return {"early": round(early, 1), "late": round(late, 1), "percent": round(percent, 1)}


def soak(asked: Asked, folder: Path) -> Account:
    """Run it and return the account."""
    account = Account(asdict(asked))
    with a_stage(folder, environment={"WEB_CONCURRENCY": str(asked.web_concurrency)}) as stage:
        open_cohorts(stage)
        history, over = History(), threading.Event()
        sampler = threading.Thread(target=_sample, args=(stage, account, over), daemon=True)
        sampler.start()
        load = Load(stage, history, per_second=asked.rate, gives_up_every=47, workers=24, pieces_each=asked.pieces_each)
        if asked.pieces_each:
            load.open_portfolios(PEOPLE_AT_FIRST)
        before = load.acknowledged()
        began = CLOCK.monotonic()
        load.start()
        try:
            _disturb(stage, account, began, asked.minutes * 60, asked.fault_every)
        finally:
            load.stop()
        lasted = CLOCK.monotonic() - began
        over.set()
        sampler.join()
        account.settled_seconds = round(stage.quiet(SETTLE_SECONDS), 1)
        account.load = _told(load, lasted, before)
        account.findings = findings(stage, history)
    return account


def _disturb(stage: Stage, account: Account, began: float, seconds: float, every: float) -> None:
    """Do one fault after the other, in turn, until the time is over; the last one still has time to heal."""
    for number in range(10_000):
        due = began + (number + 1) * every
        if due > began + seconds - min(every, 30.0) / 2:
            break
        CLOCK.sleep(max(0.0, due - CLOCK.monotonic()))
        name, fault = FAULTS[number % len(FAULTS)]
        at = CLOCK.monotonic()
        survived = True
        try:
            before = heads_and_readers(stage)[0]
            fault(stage)
            until(lambda before=before: _caught_up(stage, before), "all to catch up", FAULT_PATIENCE_SECONDS, 0.3)
        except AssertionError as error:
            survived = False
            print(f"  {name}: {error}", flush=True)  # noqa: T201 - its product
        took = round(CLOCK.monotonic() - at, 1)
        account.faults.append({"fault": name, "at": round(at - began, 1), "over_after": took, "survived": survived})
        print(f"  {at - began:6.0f} s  {name}: over after {took} s", flush=True)  # noqa: T201
    CLOCK.sleep(max(0.0, began + seconds - CLOCK.monotonic()))


def _caught_up(stage: Stage, before: dict[str, int]) -> bool:
    """Return whether everything that was numbered `before` is sent and read by every reader."""
    with contextlib.suppress(Exception):
        published, readers = heads_and_readers(stage)[1:]
        sent = all(published.get(feed, 0) >= number for feed, number in before.items())
        return sent and all(
            number >= before.get(feed, 0) for numbers in readers.values() for feed, number in numbers.items()
        )
    return False


def _sample(stage: Stage, account: Account, over: threading.Event) -> None:
    began = CLOCK.monotonic()
    while not over.wait(SAMPLE_SECONDS):
        for name, pid in stage.platform.supervisor.pids().items():
            size = memory_bytes({pid}) / MEBIBYTE
            if size:
                account.memory.setdefault(name, []).append((round(CLOCK.monotonic() - began, 1), round(size, 1)))


def _told(load: Load, lasted: float, before: int) -> dict[str, object]:
    counts = load.history.counts()
    cuts = quantiles(load.seconds, n=100) if len(load.seconds) > 2 else [0.0] * 99
    return {
        **counts,
        "by_kind": {kind: sum(1 for one in load.history.of(kind) if one.outcome is Outcome.OK) for kind in KINDS},
        "per_second": round((counts["ok"] - before) / lasted, 1),
        "seconds": round(lasted, 1),
        "answers": dict(load.answers),
        "turned_away": load.turned_away,
        "refused": [*load.refused, *load.contradicted],
        "most_waiting": load.late,
        "p50_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
    }


def _show(account: Account) -> None:
    told, found = account.load, account.findings
    lines = [
        f"writes          {told['ok']} ok, {told['unknown']} unknown ({told['per_second']}/s)",
        f"refused         {told['failed']}, of which {told['turned_away']} for what nobody offers",
        f"of which ok     {told['by_kind']}",
        f"answers         p50 {told['p50_ms']} ms, p99 {told['p99_ms']} ms, at most {told['most_waiting']} waited",
        f"faults          {len(account.faults)} run, {sum(1 for one in account.faults if one['survived'])} survived",
        f"settled         {account.settled_seconds} s after the last write",
        f"checker         {found.lost} lost, {found.doubled} doubled, {found.stale} stale",
        "memory, MiB     second quarter   last quarter   growth",
    ]
    for name, one in account.growth().items():
        lines.append(f"  {name:<24} {one['early']:>8} {one['late']:>14} {one['percent']:>8} %")
    lines += [f"  {refused}" for refused in told["refused"][:20]]
    lines += [f"  {violation}" for violation in account.findings.violations[:20]]
    print("\n".join(lines), flush=True)  # noqa: T201


def main() -> int:
    """Read the options, run, show and write down; 0 where nothing was lost, doubled or stale and every fault ended."""
    parser = argparse.ArgumentParser(description="write, disturb, and hold everything to account")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=50.0, help="writes per second")
    parser.add_argument("--fault-every", type=float, default=120.0, help="seconds between two faults")
    parser.add_argument("--web-concurrency", type=int, default=1, help="workers of each API")
    parser.add_argument("--pieces-each", type=int, default=9, help="pieces of evidence after each nomination")
    parser.add_argument("--output", type=Path, default=Path(".local/soak.json"))
    given = parser.parse_args()
    asked = Asked(given.minutes, given.rate, given.fault_every, given.web_concurrency, given.pieces_each)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        account = soak(asked, Path(folder))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(account.as_json(), indent=1), encoding="utf-8")
    _show(account)
    survived = all(one["survived"] for one in account.faults)
    healthy = survived and not account.findings.violations and not account.load["refused"]
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
