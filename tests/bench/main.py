"""One run of the benchmark: every row on surroundings of its own, within its time; the table, the file, the chart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from shared.clock import Clock
from shared.local.backbone import EXTERNAL
from tests.bench import board, bounds, machine, reading, relaying, report, scaling, starting, through, writing
from tests.bench.chart import drawn
from tests.bench.figures import Figure
from tests.bench.measuring import Pace, Row
from tests.bench.sizes import Sizes
from tests.bench.surroundings import surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run is to do: which rows (none: all), how much, on which backbone, and where the figures go."""

    sizes: Sizes
    rows: Collection[str] = ()
    backbone: str | None = None
    output: Path | None = None
    chart: Path | None = None
    shares: bool = False
    """Whether all rows share one backbone: quicker, for a run whose figures mean nothing."""


def all_rows() -> tuple[Row, ...]:
    """Return every row, in the table's order."""
    rooms = (writing, relaying, reading, board, through, starting, scaling, bounds)
    return tuple(row for room in rooms for row in room.rows())


def bench(asked: Asked, clock: Clock, console: Console) -> report.Report:
    """Measure, show the table, write what is to be written and return the figures.

    Raises:
        Miscounted: what a reader wrote is not what was published.
        Unavailable: the local backbone or the C crc32c is not installed, or does not answer.
    """
    facts, begun, at = machine.machine(), clock.monotonic(), clock.now()
    chosen = _chosen(asked)
    for line in report.opening(facts, machine.versions(), asked.backbone, asked.sizes):
        console.print(line)
    figures = _figures(asked, chosen, clock, console, begun + asked.sizes.seconds)
    found = report.Report(
        measured_at=at.isoformat(timespec="seconds"),
        seconds=clock.monotonic() - begun,
        machine=facts,
        versions=machine.versions(),
        rounds=asked.sizes.rounds,
        backbone=asked.backbone or "local",
        figures=tuple(figures),
    )
    console.print(report.table(found))
    console.print(report.targets_table(found))
    console.print(report.footer(found))
    if asked.output is not None:
        report.write(found, asked.output)
        console.print(f"written to {asked.output}")
    if asked.chart is not None:
        asked.chart.write_text(drawn(found), encoding="utf-8")
        console.print(f"drawn to {asked.chart}")
    return found


def _chosen(asked: Asked) -> Sequence[Row]:
    rows = [row for row in all_rows() if not asked.rows or row.id in asked.rows]
    return [row for row in rows if row.on_external or asked.backbone != EXTERNAL]


def _figures(asked: Asked, rows: Sequence[Row], clock: Clock, console: Console, until: float) -> list[Figure]:
    """Measure the rows; each has its weight's share of what is left, and one round whatever happens."""
    found: list[Figure] = []
    left = sum(row.weight for row in rows)
    with ExitStack() as whole, console.status("") as status:
        shared = whole.enter_context(surroundings(asked.backbone, asked.sizes, clock)) if asked.shares else None
        for row in rows:
            if found and clock.monotonic() > until:
                console.print(f"{row.id} is not measured: the time is over")
                continue
            with ExitStack() as own:
                stage = shared or own.enter_context(surroundings(asked.backbone, asked.sizes, clock))
                for name in row.sinks:
                    begun, weight = clock.monotonic(), row.weight / len(row.sinks)
                    end = begun + max(0.0, until - begun) * weight / left
                    left -= weight
                    pace = Pace(may_go_on=lambda end=end: clock.monotonic() < end, say=status.update)  # type: ignore[misc]
                    for figure in row.measure(stage, stage.sinks[name], pace):
                        console.print(f"{report.shown(figure)}   [dim]{clock.monotonic() - begun:.0f} s[/dim]")
                        found.append(figure)
    return found
