"""How the figures are shown: tables on the screen, and `bench.json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from rich.table import Table

from tests.bench.figures import Figure
from tests.bench.machine import BUSY, Machine, peak_mebibytes
from tests.bench.ratios import Sample
from tests.bench.sizes import Sizes
from tests.bench.targets import TARGETS, Verdict, verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    measured_at: str
    seconds: float
    machine: Machine
    versions: dict[str, str]
    rounds: int
    backbone: str
    figures: tuple[Figure, ...]

    @property
    def is_busy(self) -> bool:
        """Say whether other work had the cores."""
        return max((figure.load_before for figure in self.figures), default=0.0) > BUSY * self.machine.cores

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Return what became of the targets of the rows that were measured."""
        return verdicts({figure.key: figure.value.middle for figure in self.figures})


def opening(machine: Machine, versions: dict[str, str], backbone: str | None, sizes: Sizes) -> Iterator[str]:
    """Yield what is said before anything is measured."""
    memory = f"{machine.memory_mebibytes / 1024:.0f} GiB"
    yield f"{machine.cores} cores, {memory}, {machine.system} {machine.processor}, Python {machine.python}, C crc32c"
    yield ", ".join(f"{name} {number}" for name, number in versions.items())
    sec = (
        "the database of MONGODB_URI" if backbone == "external" else "SecantusDB --sync-on-commit, majority, journalled"
    )
    yield f"sinks: NULL acknowledges and counts; SEC is {sec}. {sizes.rounds} rounds, made-up events by number, no seed"


def shown(figure: Figure) -> str:
    """Return one figure in a line."""
    unit = "" if figure.unit == "ratio" else f" {figure.unit}"
    return f"{figure.key:<14} {figure.value!s}{unit}"


def table(report: Report) -> Table:
    """Return what the screen shows of every figure."""
    found = Table(title="The platform's code beside bare driver calls (ratio 1.00: as fast; 0.50: takes twice as long)")
    found.add_column("figure", no_wrap=True)
    found.add_column("platform\n[dim]bare[/dim]")
    found.add_column("median\n(least..most)", justify="right")
    for heading in ("events/s", "CPU us\nper event", "database,\nbroker share"):
        found.add_column(heading, justify="right")
    for figure in report.figures:
        what = f"{figure.title}\n[dim]{figure.bare_title}[/dim]"
        unit = "" if figure.unit == "ratio" else f" {figure.unit}"
        found.add_row(figure.key, what, f"{figure.value}{unit}", *_columns(figure))
    return found


def targets_table(report: Report) -> Table:
    """Return what the screen shows of the targets."""
    found = Table(title="Targets")
    for heading in ("figure", "value", "must", "ambitious", ""):
        found.add_column(heading, justify="left" if heading in ("figure", "") else "right")
    for key, verdict in report.verdicts.items():
        sign = "at most" if TARGETS[key].wants_less else "at least"
        word = "not met" if not verdict.met else "met"
        if TARGETS[key].is_surpassed(verdict.value):
            word = "ambitious"
        colour = {"not met": "red", "met": "green", "ambitious": "bold green"}[word]
        row = (f"{verdict.value:.2f}", f"{sign} {verdict.must:g}", f"{verdict.ambitious:g}")
        found.add_row(key, *row, f"[{colour}]{word}[/{colour}]")
    return found


def footer(report: Report) -> str:
    """Return the lines below the tables."""
    busy = "\nThe machine was busy with other work: trust the CPU column, not the bounds." if report.is_busy else ""
    unsteady = [figure.key for figure in report.figures if figure.block is not None and not figure.block.is_steady]
    restless = (
        f"\nThe bare side differed by more than 15 % before and after: {', '.join(unsteady)}." if unsteady else ""
    )
    return f"{report.seconds:.0f} s in all, this process at most {peak_mebibytes():.0f} MiB{busy}{restless}"


def document(report: Report) -> bytes:
    """Return `bench.json`."""
    machine = msgspec.to_builtins(report.machine)
    fields = {
        "machine": {**machine, "measured_at": report.measured_at, "backbone": report.backbone, "busy": report.is_busy},
        "versions": report.versions,
        "rounds": report.rounds,
        "results": [_result(figure) for figure in report.figures],
        "targets": msgspec.to_builtins(report.verdicts),
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def write(report: Report, path: Path) -> None:
    """Write `bench.json`."""
    path.write_bytes(document(report))


def _result(figure: Figure) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": figure.id,
        "part": figure.part,
        "title": figure.title,
        "bare": figure.bare_title,
        "unit": figure.unit,
        "median": figure.value.middle,
        "least": figure.value.least,
        "most": figure.value.most,
        "load_before": figure.load_before,
        "details": figure.details,
    }
    if figure.block is None:
        return fields
    rounds = [
        {"ratio": each.ratio, "platform": _side(each.platform), "bare": _side(each.bare)}
        for each in figure.block.rounds
    ]
    brackets = {"before": _side(figure.block.before), "difference": figure.block.difference}
    return {**fields, "rounds": rounds, "brackets": brackets, "repeated": figure.repeated}


def _side(sample: Sample) -> dict[str, Any]:
    database, broker = sample.shares
    return {
        "events": sample.events,
        "seconds": sample.seconds,
        "events_per_second": sample.per_second,
        "client_cpu_microseconds_per_event": sample.cpu_microseconds,
        "database_share": database,
        "broker_share": broker,
    }


def _columns(figure: Figure) -> tuple[str, str, str]:
    """Return speeds, costs and shares, the platform's above the bare ones."""
    if figure.block is None:
        return "", "", ""
    sides = [each.platform for each in figure.block.rounds], [each.bare for each in figure.block.rounds]
    speeds = [f"{median(sample.per_second for sample in side):,.0f}" for side in sides]
    costs = [f"{median(sample.cpu_microseconds for sample in side):,.0f}" for side in sides]
    shares = [
        ", ".join(f"{median(sample.shares[part] for sample in side) * 100:.0f} %" for part in (0, 1)) for side in sides
    ]
    both = "{}\n[dim]{}[/dim]"
    return both.format(*speeds), both.format(*costs), both.format(*shares)
