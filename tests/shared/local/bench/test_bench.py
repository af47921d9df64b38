"""The benchmark once through, with a few events per row, on the backbone that it starts itself."""

import json
from pathlib import Path

from rich.console import Console

import shared
from shared.clock import SystemClock
from shared.local.bench.main import bench
from shared.local.bench.sizes import TINY

PARTNERSHIP = Path(shared.__file__).parent.parent / "scenarios" / "north-west-london" / "partnership.yaml"


def test_bench_measures_every_row_and_stops_by_itself(tmp_path):
    """Every row has a ratio, nothing goes missing, and the figures are written."""
    output = tmp_path / "bench.json"

    report = bench(PARTNERSHIP, output, TINY, SystemClock(), Console(width=160))

    assert report.is_complete
    written = json.loads(output.read_bytes())
    assert [row["id"] for row in written["rows"]] == ["A1", "A2", "A3", "B1", "B1s", "B3", "C1"]
    assert all(row["ratio"]["middle"] > 0 for row in written["rows"])
    assert written["through"]["events"] == 10
    assert written["peak_mebibytes"] > 0
