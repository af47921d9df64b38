"""`python -m tests.faults.simulation --seeds 10000` plays seeds in two processes; `--seed N` one, with its trace."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from shared.clock import SystemClock
from tests.faults.simulation.running import FAILED, Verdict, keep, lean, run_seed

LINES_SHOWN = 120


def main() -> int:
    """Play what the command line asks for and return 1 when a promise was broken."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults.simulation", description=__doc__)
    asked.add_argument("--seeds", type=int, default=10_000)
    asked.add_argument("--first", type=int, default=1)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--processes", type=int, default=2)
    options = asked.parse_args()
    if options.seed is not None:
        verdict = run_seed(options.seed)
        show(verdict)
        return int(bool(verdict.violations))
    return play(range(options.first, options.first + options.seeds), options.processes)


def show(verdict: Verdict) -> None:
    """Print one seed's end."""
    print("\n".join(verdict.trace[-LINES_SHOWN:]))  # noqa: T201 - a command speaks to whoever called it
    print(f"seed {verdict.seed}: {verdict.plan}")  # noqa: T201
    print(f"{verdict.steps} steps, {verdict.seconds:.0f} virtual seconds, {dict(verdict.faults)}")  # noqa: T201
    for violation in verdict.violations or ["no promise was broken"]:
        print(f"  {violation}")  # noqa: T201


def play(seeds: range, processes: int) -> int:
    """Play many seeds, say how it goes on, and return 1 when a promise was broken."""
    clock = SystemClock()
    began, steps, faults, broken = clock.monotonic(), 0, Counter[str](), []
    with ProcessPoolExecutor(processes, max_tasks_per_child=500) as pool:
        for done, verdict in enumerate(pool.map(lean, seeds, chunksize=10), start=1):
            steps += verdict.steps
            faults.update(verdict.faults)
            if verdict.violations:
                broken.append(verdict.seed)
                keep(verdict)
                print(f"make simulate SEED={verdict.seed}: {verdict.violations[0]}", flush=True)  # noqa: T201
            if done % 100 == 0 or done == len(seeds):
                seconds = clock.monotonic() - began
                print(  # noqa: T201
                    f"{done}/{len(seeds)} seeds, {steps} steps, {sum(faults.values())} faults, "
                    f"{len(broken)} broken, {seconds:.0f} s ({300 * seconds / done:.0f} s per 300)",
                    flush=True,
                )
    for kind, count in sorted(faults.items()):
        print(f"  {count:>8} {kind}")  # noqa: T201
    if broken:
        print(f"broken, and kept in {FAILED}: " + " ".join(str(seed) for seed in broken))  # noqa: T201
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
