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

NOT_MEASURED = "not measured: out of time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as measured. No rounds: there was no time for it."""

    id: str
    title: str
    bare_title: str
    load_before: float
    rounds: tuple[Round, ...]

    @property
    def verdict(self) -> str:
        """Return the ratio, median with least and most."""
        return str(spread([each.ratio for each in self.rounds])) if self.rounds else NOT_MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    measured_at: str
    seconds: float
    sizes: Sizes
    machine: Machine
    rows: tuple[Row, ...]
    through: Through | None
    peak_mebibytes: float
    backbone_mebibytes: float
    own_cpu_seconds: float
    backbone_cpu_seconds: float

    @property
    def is_complete(self) -> bool:
        """Say whether every row was measured and every event arrived."""
        return self.through is not None and not self.through.missing and all(row.rounds for row in self.rows)


def table(report: Report) -> Table:
    """Return what the screen shows."""
    shown = Table(title="The platform's code beside bare driver calls (ratio 1.00: as fast; 0.50: takes twice as long)")
    shown.add_column("row")
    shown.add_column("platform / bare")
    for heading in ("ratio, median (least..most)", "events/s", "bare", "CPU us/event", "bare"):
        shown.add_column(heading, justify="right")
    for row in report.rows:
        shown.add_row(row.id, f"{row.title}\n[dim]{row.bare_title}[/dim]", row.verdict, *_figures(row))
    shown.add_section()
    shown.add_row("D1", *_through(report.through))
    return shown


def footer(report: Report) -> str:
    """Return the line below the table."""
    machine = report.machine
    cores = f"{machine.cores} cores, {machine.memory_mebibytes / 1024:.0f} GiB, {machine.system} {machine.processor}"
    used = f"peak memory {report.peak_mebibytes:.0f} MiB (backbone {report.backbone_mebibytes:.0f} MiB)"
    cpu = f"CPU {report.own_cpu_seconds:.0f} s (backbone {report.backbone_cpu_seconds:.0f} s)"
    return f"{cores}, Python {machine.python}; {used}; {cpu}; C crc32c present; {report.seconds:.0f} s in all"


def document(report: Report) -> bytes:
    """Return `bench.json`: all that was measured, and the ratios beside it."""
    fields = msgspec.to_builtins(report)
    for row, shown in zip(report.rows, fields["rows"], strict=True):
        ratios = [each.ratio for each in row.rounds]
        shown["ratio"] = msgspec.to_builtins(spread(ratios)) if ratios else None
    fields["is_complete"] = report.is_complete
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def write(report: Report, path: Path) -> None:
    """Write `bench.json`."""
    path.write_bytes(document(report))


def _figures(row: Row) -> tuple[str, ...]:
    if not row.rounds:
        return ("-",) * 4
    samples = [each.platform for each in row.rounds], [each.bare for each in row.rounds]
    speeds = (f"{median(sample.per_second for sample in side):,.0f}" for side in samples)
    costs = (f"{median(sample.cpu_microseconds for sample in side):,.0f}" for side in samples)
    return (*speeds, *costs)


def _through(found: Through | None) -> tuple[str, ...]:
    title = "commit's answer to its effect at the reader"
    if found is None:
        return (title, NOT_MEASURED)
    times = f"p50 {found.p50_seconds:.3f} s, p99 {found.p99_seconds:.3f} s"
    lost = f", {found.missing} MISSING" if found.missing else ""
    return (f"{title}\n[dim]seconds, no ratio[/dim]", times + lost, f"{found.per_second:.0f}", "-", "-", "-")
