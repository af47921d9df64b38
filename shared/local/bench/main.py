"""One run of the benchmark: starts its own backbone, measures every row in turns, ends everything."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.status import Status

from shared.clock import Clock
from shared.local import backbone as backbones
from shared.local.bench import board, machine, reading, relaying, report, writing
from shared.local.bench.ratios import Round, Sample, interleaved
from shared.local.bench.sizes import Sizes
from shared.local.bench.stage import Duel, Side, Stage
from shared.local.bench.through import through
from shared.local.memory import memory_bytes
from shared.local.ports import any_free
from shared.local.supervisor import Supervisor
from shared.storage.mongo import connect

WARM_UP = 10
"""Each side first does this part of its size, unmeasured: connections, collections and caches are then there."""


def bench(partnership_file: Path, output: Path, sizes: Sizes, clock: Clock, console: Console) -> report.Report:
    """Measure, show the table, write `output` and return the figures.

    Raises:
        Malformed: the partnership file has faults.
        Unavailable: the local backbone or the C crc32c is not installed, or does not answer.
    """
    facts, begun, at = machine.machine(), clock.monotonic(), clock.now()
    children, own = machine.children_cpu_seconds(), machine.own_cpu_seconds()
    with _backbone(clock, console) as (started, supervisor):
        client = connect(started.mongodb_uri, appname="bench")
        stage = Stage(
            mongodb_uri=started.mongodb_uri,
            bootstrap_servers=started.kafka_bootstrap_servers,
            client=client,
            clock=clock,
            sizes=sizes,
            partnership_file=partnership_file,
        )
        try:
            rows = _rows(stage, console, begun + sizes.seconds)
            with console.status("D1: from commit to effect"):
                passed = through(stage)
        finally:
            client.close()
        backbone_memory = memory_bytes(set(supervisor.pids().values())) / machine.MEBIBYTE
    found = report.Report(
        measured_at=at.isoformat(),
        seconds=clock.monotonic() - begun,
        sizes=sizes,
        machine=facts,
        rows=rows,
        through=passed,
        peak_mebibytes=machine.peak_mebibytes(),
        backbone_mebibytes=backbone_memory,
        own_cpu_seconds=machine.own_cpu_seconds() - own,
        backbone_cpu_seconds=machine.children_cpu_seconds() - children,
    )
    report.write(found, output)
    console.print(report.table(found))
    console.print(report.footer(found))
    console.print(f"written to {output}")
    return found


@contextmanager
def _backbone(clock: Clock, console: Console) -> Iterator[tuple[backbones.Backbone, Supervisor]]:
    """Yield a fresh local backbone on free ports, which leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        chosen = backbones.local(directory, any_free(), any_free())
        supervisor = Supervisor(directory / "logs", clock, console.print)
        try:
            console.print(f"backbone: {chosen.description}")
            supervisor.start(chosen.programs, Event())
            yield chosen, supervisor
        finally:
            supervisor.stop()


def _rows(stage: Stage, console: Console, until: float) -> tuple[report.Row, ...]:
    """Measure every row; each has an equal share of what is left until `until`, and one round whatever happens."""
    duels = [duel for room in (writing, relaying, reading, board) for duel in room.duels(stage)]
    rows = []
    for done, duel in enumerate(duels):
        now = stage.clock.monotonic()
        share = now + (until - now) / (len(duels) - done)
        rows.append(_row(stage, duel, console, lambda share=share: stage.clock.monotonic() < share))  # type: ignore[misc]
    return tuple(rows)


def _row(stage: Stage, duel: Duel, console: Console, may_go_on: Callable[[], bool]) -> report.Row:
    load = machine.load_average()
    with console.status(f"{duel.id}: {duel.title}") as status:
        rounds = _rounds(stage, duel, status, may_go_on)
    row = report.Row(id=duel.id, title=duel.title, bare_title=duel.bare_title, load_before=load, rounds=rounds)
    console.print(f"{row.id:<4} {row.verdict:<26} {row.title}")
    return row


def _rounds(stage: Stage, duel: Duel, status: Status, may_go_on: Callable[[], bool]) -> tuple[Round, ...]:
    for side in (duel.platform, duel.bare):
        machine.measured(stage.clock, side, max(1, duel.size // WARM_UP))

    def one(side: Side, name: str) -> Sample:
        status.update(f"{duel.id}: {name}")
        return machine.measured(stage.clock, side, duel.size)

    return interleaved(
        stage.sizes.rounds,
        lambda: one(duel.platform, duel.title),
        lambda: one(duel.bare, duel.bare_title),
        may_go_on,
    )
