"""Runs the benchmark: `python -m tests.bench`. Exit codes: 0 measured, 1 failed or miscounted, 2 wrong usage."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from shared.clock import SystemClock
from shared.errors import PlatformError
from shared.local.backbone import CHOICES
from shared.telemetry.logs import configure_logging
from tests.bench.main import Asked, all_rows, bench
from tests.bench.sizes import DEEP, FULL, SMOKE, SMOKE_ROWS, TINY, of_owners
from tests.bench.stage import Miscounted


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options, measure, and return the exit code."""
    given = _parser().parse_args(arguments)
    configure_logging("bench", console=True, level="CRITICAL")
    logging.getLogger("kafka").setLevel("CRITICAL")  # its advice on slow machines
    sizes, rows = FULL, tuple(given.rows.split(",")) if given.rows else ()
    if given.smoke:
        sizes, rows = SMOKE, rows or SMOKE_ROWS
    if given.tiny:
        sizes = TINY
    if given.deep:
        sizes = DEEP
    if given.owners:
        sizes, rows = of_owners(given.owners), rows or ("S2",)
    asked = Asked(
        sizes=sizes,
        rows=rows,
        backbone=given.backbone,
        output=given.output,
        chart=given.chart,
        shares=given.tiny,
    )
    try:
        bench(asked, SystemClock(), Console(width=None if sys.stdout.isatty() else 120))
    except PlatformError as error:
        print(f"bench: {error.detail}", file=sys.stderr)  # noqa: T201
        return 1
    except Miscounted as error:
        print(f"bench: the figures are worth nothing: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="partnership bench", description="Measure the platform beside bare calls.")
    known = ", ".join(row.id for row in all_rows())
    parser.add_argument("--smoke", action="store_true", help="the rows that say most, in under two minutes")
    parser.add_argument("--tiny", action="store_true", help="a few events: shows that it works, no more")
    parser.add_argument("--deep", action="store_true", help="with histories and feeds of a million events: an hour")
    parser.add_argument("--owners", type=int, help="how as many owners' feeds scale, such as 153: row S2 alone")
    parser.add_argument("--rows", help=f"only these, such as B1,A3 ({known})")
    parser.add_argument("--backbone", choices=CHOICES, help="external: KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="where the figures are written")
    parser.add_argument("--chart", type=Path, help="where the chart is drawn (SVG)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
