"""The whole platform, started as `make up` starts it, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local import backbone as backbones
from shared.local.platform import Place, RunningPlatform, running
from shared.testing.backbone import free_port_base

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"


@contextlib.contextmanager
def kept_running(place: Place, stores: backbones.Backbone) -> Iterator[RunningPlatform]:
    """Run the platform on the stores until the block ends; what dies is started again meanwhile."""
    stop = threading.Event()
    with running(
        place, stores, stop, clock=SystemClock(), new_identifier=new_identifier, say=lambda _: None
    ) as platform:
        keeper = threading.Thread(target=platform.supervisor.supervise, args=(stop,), daemon=True)
        keeper.start()
        try:
            yield platform
        finally:
            stop.set()
            keeper.join(timeout=30)


def a_platform(directory: Path, partnership_file: Path) -> contextlib.AbstractContextManager[RunningPlatform]:
    """Run the platform for a partnership file on stores of its own until the block ends."""
    base = free_port_base()
    place = Place(directory=directory, partnership_file=partnership_file, port_base=base)
    return kept_running(place, backbones.local(directory / "data", base + 17, base + 92))


@pytest.fixture
def start_platform(tmp_path: Path) -> Callable[[Path], contextlib.AbstractContextManager[RunningPlatform]]:
    """Return a way to start the platform for a partnership file."""
    return lambda partnership_file: a_platform(tmp_path / "state", partnership_file)


@pytest.fixture
def free_ports() -> int:
    """Return a base with a hundred free ports above it."""
    return free_port_base()
