"""How much memory processes use, for the figures that the demo prints."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

PROC = Path("/proc")


def memory_bytes(sessions: Collection[int]) -> int:
    """Return the memory of all processes whose session is one of `sessions`; 0 where the machine has no /proc.

    A page shared by several processes counts once (proportional set size) where it may be read, else in each.
    """
    return sum(_of(process) for process in PROC.glob("[0-9]*") if _session(process) in sessions)


def _session(process: Path) -> int:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return int(fields[3])


def _of(process: Path) -> int:
    return _kilobytes(process / "smaps_rollup", "Pss") or _kilobytes(process / "status", "VmRSS")


def _kilobytes(path: Path, name: str) -> int:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(), flags=re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
