"""How the figures are shown: a table on the screen, and `bench.json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
from rich.table import Table

from shared.local.bench.machine import Machine
from shared.local.bench.ratios import Round, spread
from shared.local.bench.sizes import Sizes
from shared.local.bench.through import Through

BUSY = 1.5
"""Processes that want a core, per core, from which the bounds say more about the machine than about the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as measured, with at least one round."""

    id: str
    title: str
    bare_title: str
    load_before: float
    rounds: tuple[Round, ...]

    @property
    def verdict(self) -> str:
        """Return the ratio, median with least and most."""
        return str(spread([each.ratio for each in self.rounds]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    measured_at: str
    seconds: float
    sizes: Sizes
    machine: Machine
    rows: tuple[Row, ...]
    through: Through
    peak_mebibytes: float
    backbone_mebibytes: float
    own_cpu_seconds: float
    backbone_cpu_seconds: float

    @property
    def is_complete(self) -> bool:
        """Say whether every row has all its rounds and every event arrived."""
        return not self.through.missing and all(len(row.rounds) == self.sizes.rounds for row in self.rows)

    @property
    def is_busy(self) -> bool:
        """Say whether other work had the cores."""
        return max(row.load_before for row in self.rows) > BUSY * self.machine.cores


def table(report: Report) -> Table:
    """Return what the screen shows."""
    shown = Table(title="The platform's code beside bare driver calls (ratio 1.00: as fast; 0.50: takes twice as long)")
    shown.add_column("row", no_wrap=True)
    shown.add_column("platform\n[dim]bare[/dim]")
    shown.add_column("ratio\n(least..most)", justify="right", no_wrap=True)
    for heading in ("rounds", "events/s", "CPU us\nper event"):
        shown.add_column(heading, justify="right")
    for row in report.rows:
        what = f"{row.title}\n[dim]{row.bare_title}[/dim]"
        shown.add_row(row.id, what, row.verdict, str(len(row.rounds)), *_figures(row))
    shown.add_section()
    shown.add_row("D1", *_through(report.through))
    return shown


def footer(report: Report) -> str:
    """Return the lines below the table."""
    machine = report.machine
    cores = f"{machine.cores} cores, {machine.memory_mebibytes / 1024:.0f} GiB, {machine.system} {machine.processor}"
    used = f"peak memory {report.peak_mebibytes:.0f} MiB (backbone {report.backbone_mebibytes:.0f} MiB)"
    cpu = f"CPU {report.own_cpu_seconds:.0f} s (backbone {report.backbone_cpu_seconds:.0f} s)"
    busy = "\nThe machine was busy with other work: trust the CPU column, not the bounds." if report.is_busy else ""
    return f"{cores}, Python {machine.python}; {used}; {cpu}; C crc32c present; {report.seconds:.0f} s in all{busy}"


def document(report: Report) -> bytes:
    """Return `bench.json`: all that was measured, and the ratios beside it."""
    fields = msgspec.to_builtins(report)
    for row, shown in zip(report.rows, fields["rows"], strict=True):
        shown["ratio"] = msgspec.to_builtins(spread([each.ratio for each in row.rounds]))
    fields |= {"is_complete": report.is_complete, "is_busy": report.is_busy}
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def write(report: Report, path: Path) -> None:
    """Write `bench.json`."""
    path.write_bytes(document(report))


def _figures(row: Row) -> tuple[str, str]:
    """Return speeds and costs, the platform's above the bare ones."""
    sides = [each.platform for each in row.rounds], [each.bare for each in row.rounds]
    speeds = [f"{median(sample.per_second for sample in side):,.0f}" for side in sides]
    costs = [f"{median(sample.cpu_microseconds for sample in side):,.0f}" for side in sides]
    return "{}\n[dim]{}[/dim]".format(*speeds), "{}\n[dim]{}[/dim]".format(*costs)


def _through(found: Through) -> tuple[str, ...]:
    times = f"p50 {found.p50_seconds:.3f} s\np99 {found.p99_seconds:.3f} s"
    lost = f"\n{found.missing} MISSING" if found.missing else ""
    title = "from a commit's answer to its effect at the reader\n[dim]seconds, not a ratio[/dim]"
    return title, times + lost, "1", f"{found.per_second:.0f}", "-"
