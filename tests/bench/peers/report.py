"""How the figures are shown: a table for each sink, a note for each peer, and `bench-peers.json`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from shared.local.platform import ROOT
from tests.bench.machine import BUSY, Machine
from tests.bench.peers.catalogue import PLATFORM_NOTE, PLATFORM_TITLE, Peer
from tests.bench.peers.figures import Row, cpu, peak, per_second
from tests.bench.peers.running import Run
from tests.bench.ratios import Spread

LOCKS = ROOT / "requirements" / "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    measured_at: str
    seconds: float
    machine: Machine
    versions: dict[str, str]
    rounds: int
    sizes: dict[str, int]
    most_load: float
    rows: tuple[Row, ...]

    @property
    def is_complete(self) -> bool:
        """Say whether every peer ran, in every round."""
        return all(not row.why_not and len(row.pairs) == self.rounds for row in self.rows)

    @property
    def is_busy(self) -> bool:
        """Say whether other work had the cores."""
        return self.most_load > BUSY * self.machine.cores


def table(report: Report, sink: str) -> Table:
    """Return one sink's table."""
    title = f"{sink} sink, {report.sizes[sink]:,} events, {report.rounds} rounds in turns: median (least..most)"
    shown = Table(title=title)
    shown.add_column("side")
    for heading in ("events/s", "platform:\ntimes as fast", "must →\nambitious", "met", "own CPU\nus/event", "MiB"):
        shown.add_column(heading, justify="right", no_wrap=True)
    rows = [row for row in report.rows if row.sink == sink]
    own = [pair.platform for row in rows for pair in row.pairs]
    if own:
        shown.add_row(PLATFORM_TITLE, _whole(per_second(own)), "", "", "", _whole(cpu(own)), f"{peak(own):.0f}")
        shown.add_section()
    for row in rows:
        shown.add_row(row.peer.title, *_cells(row))
    return shown


def _cells(row: Row) -> tuple[str, ...]:
    target = f"{row.target.must:.1f} → {row.target.ambitious:.1f}"
    if row.ratio is None:
        return "did not run", "see below", target, "-", "-", "-"
    runs = [pair.peer for pair in row.pairs]
    ratio = f"{row.ratio.middle:.2f}\n[dim]{row.ratio.least:.2f}..{row.ratio.most:.2f}[/dim]"
    return _whole(per_second(runs)), ratio, target, met(row), _whole(cpu(runs)), f"{peak(runs):.0f}"


def met(row: Row) -> str:
    """Return how far a target was reached, in a word."""
    if row.ratio is None:
        return "-"
    if row.target.is_surpassed(row.ratio.middle):
        return "ambitious"
    return "yes" if row.target.is_met(row.ratio.middle) else "NO"


def notes(report: Report) -> list[str]:
    """Return what has to be said besides: what did not run and why, and what each side does less or more."""
    said = [f"{row.peer.title} on {row.sink} did not run: {row.why_not}" for row in report.rows if row.why_not]
    fewer = [row for row in report.rows if not row.why_not and len(row.pairs) < report.rounds]
    said += [
        f"{row.peer.title} on {row.sink}: {len(row.pairs)} of {report.rounds} rounds, time was up" for row in fewer
    ]
    said.append(f"{PLATFORM_TITLE}: {PLATFORM_NOTE}")
    peers = dict.fromkeys(row.peer for row in report.rows)
    said += [f"{peer.title}: {peer.note}" for peer in peers]
    if report.is_busy:
        said.append("The machine was busy with other work: trust the CPU column, not the speeds.")
    return said


def document(report: Report) -> bytes:
    """Return `bench-peers.json`."""
    targets = {row.key: msgspec.to_builtins(row.verdict) for row in report.rows if row.verdict is not None}
    fields = {
        "measured_at": report.measured_at,
        "seconds": report.seconds,
        "machine": asdict(report.machine),
        "versions": report.versions,
        "rounds": report.rounds,
        "sizes": report.sizes,
        "is_complete": report.is_complete,
        "is_busy": report.is_busy,
        "results": [_result(row) for row in report.rows],
        "targets": targets,
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def _result(row: Row) -> dict[str, Any]:
    ratio = None if row.ratio is None else asdict(row.ratio)
    return {
        "key": row.key,
        "peer": row.peer.id,
        "sink": row.sink,
        "versions": versions_of(row.peer),
        "note": row.peer.note,
        "did_not_run": row.why_not or None,
        "ratio": ratio,
        "rounds": [{"platform": _run(pair.platform), "peer": _run(pair.peer)} for pair in row.pairs],
    }


def _run(run: Run) -> dict[str, Any]:
    return asdict(run) | {"per_second": run.per_second, "cpu_microseconds": run.cpu_microseconds}


def versions_of(peer: Peer, locks: Path = LOCKS) -> dict[str, str]:
    """Return the versions of what a peer is made of, as its requirements pin them."""
    pins = pinned((locks / f"{peer.environment}.txt").read_text(encoding="utf-8"))
    return {name: pins[name] for name in peer.packages}


def pinned(text: str) -> dict[str, str]:
    """Return name -> version of a requirements file."""
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, flags=re.MULTILINE))


def _whole(found: Spread) -> str:
    return f"{found.middle:,.0f}\n[dim]{found.least:,.0f}..{found.most:,.0f}[/dim]"


def sinks_of(rows: Sequence[Row]) -> list[str]:
    """Return the sinks that were measured, in order."""
    return list(dict.fromkeys(row.sink for row in rows))
