"""One run: three rounds, each sink on surroundings of its own in each, the platform before every peer (A-B-A-B)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from shared.clock import Clock, SystemClock
from shared.errors import Unavailable
from tests.bench import machine
from tests.bench.peers import report
from tests.bench.peers.catalogue import PEERS, Peer, chosen
from tests.bench.peers.figures import Pair, Row
from tests.bench.peers.running import NULL, SEC, DidNotRun, Place, run_peer, run_platform
from tests.bench.peers.surroundings import surroundings

EVENTS = {SEC: 12_000, NULL: 30_000}
TINY = {SEC: 2_000, NULL: 2_000}
"""Whole thousands: a batch that is not full waits for its time-out, which nobody wants to measure."""
ROUNDS = 3
SECONDS = 720.0
"""Nothing further is begun after this: who has had no turn by then did not run, and is named."""
OUTPUT = Path("bench-peers.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be measured."""

    peers: tuple[Peer, ...] = PEERS
    sizes: dict[str, int]
    rounds: int = ROUNDS
    seconds: float = SECONDS


def measured(asked: Asked, clock: Clock, console: Console) -> report.Report:
    """Measure everything.

    Raises:
        Unavailable: the local backbone or the C crc32c is not installed, or does not answer.
        DidNotRun: the platform's own side failed, or wrote something else than was published.
    """
    facts, at, begun = machine.machine(), clock.now(), clock.monotonic()
    rows = [Row(peer=peer, sink=sink) for sink in asked.sizes for peer in asked.peers]
    loads, until = [], begun + asked.seconds
    for number in range(1, asked.rounds + 1):
        for sink, events in asked.sizes.items():
            if clock.monotonic() >= until:
                break
            loads.append(machine.load_average())
            with surroundings(sink, events, clock) as place:
                run_platform(place)  # the first run on a fresh database pays for it: not measured
                for row in rows:
                    if row.sink == sink and not row.why_not and clock.monotonic() < until:
                        _add(row, place, console, number)
    for row in rows:
        if not row.pairs and not row.why_not:
            row.why_not = f"the {asked.seconds:.0f} s of a whole run were over before its turn"
    return report.Report(
        measured_at=at.isoformat(timespec="seconds"),
        seconds=clock.monotonic() - begun,
        machine=facts,
        versions=machine.versions(),
        rounds=asked.rounds,
        sizes=asked.sizes,
        most_load=max(loads),
        rows=tuple(rows),
    )


def _add(row: Row, place: Place, console: Console, number: int) -> None:
    """Add a pair to a row, or the reason why there is none."""
    own = run_platform(place)
    try:
        pair = Pair(platform=own, peer=run_peer(place, row.peer))
    except DidNotRun as reason:
        row.why_not = str(reason)
        console.print(f"{number} {row.sink:<4} {row.peer.title}: did not run: {reason}", highlight=False, markup=False)
        return
    row.pairs.append(pair)
    speeds = f"{pair.platform.per_second:,.0f} by {pair.peer.per_second:,.0f} events/s"
    console.print(f"{number} {row.sink:<4} {row.peer.title}: {speeds} = {pair.ratio:.2f}", highlight=False)


def show(found: report.Report, console: Console) -> None:
    """Print the tables and the notes."""
    for sink in report.sinks_of(found.rows):
        console.print(report.table(found, sink))
    for line in report.notes(found):
        console.print(f"- {line}", highlight=False, markup=False)
    facts = found.machine
    console.print(
        f"{facts.cores} cores, {facts.memory_mebibytes / 1024:.0f} GiB, {facts.system} {facts.processor}, "
        f"Python {facts.python}; C crc32c present; {found.seconds:.0f} s in all",
        highlight=False,
    )


def asked_for(arguments: Sequence[str]) -> Asked:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--only", default="", help="words of which one is in the peer's name")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--tiny", action="store_true", help="one round of a few events: its figures mean nothing")
    parsed = parser.parse_args(arguments)
    try:
        peers = chosen(parsed.only)
    except ValueError as error:
        parser.error(str(error))
    if parsed.tiny:
        return Asked(peers=peers, sizes=TINY, rounds=1)
    return Asked(peers=peers, sizes=EVENTS, rounds=max(1, parsed.rounds))


def main(arguments: Sequence[str]) -> int:
    """Measure, show, write `bench-peers.json`; 1 where a side did not run."""
    console = Console()
    try:
        found = measured(asked_for(arguments), SystemClock(), console)
    except (DidNotRun, Unavailable) as error:
        console.print(f"the platform's own side did not run: {error}", highlight=False, markup=False)
        return 1
    show(found, console)
    OUTPUT.write_bytes(report.document(found))
    console.print(f"written to {OUTPUT}")
    return exit_code(found)


def exit_code(found: report.Report) -> int:
    """Return 1 where a side did not run: it is named, and never passed over."""
    return 1 if any(row.why_not for row in found.rows) else 0
