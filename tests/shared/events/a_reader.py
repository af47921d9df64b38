"""A reader in a process of its own, for tests that kill one: takes JSON {mongodb, bootstrap, group, organisations}.

What it does with an event is `when_noted` of this folder's conftest, and it reads until it is told to stop, or killed.
"""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType

from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork


def parts() -> ModuleType:
    """Return the conftest, which pytest does not load here."""
    name = "parts_of_readers"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Read until SIGTERM."""
    told, stop = json.loads(sys.argv[1]), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    made = parts()
    unit = UnitOfWork(
        client=connect(told["mongodb"], appname="a-reader"),
        service="enrolment",
        clock=SystemClock(),
        new_identifier=new_identifier,
    )
    owners = [made.Owner(slug, told["bootstrap"], None) for slug in told["organisations"]]
    made.Desk(unit, told["bootstrap"]).reader(*owners, group=told["group"]).run(stop)


if __name__ == "__main__":
    main()
