"""A reader in a process of its own, for tests that kill one: takes JSON {mongodb, bootstrap, group, organisations}.

What it does with an event is `when_noted` of this folder's conftest, and it reads until it is told to stop, or killed.
With {seconds, batch_events, max_poll_interval_ms} each event takes so long, so many make a batch, and the group waits
so long for one.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import signal
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

from shared.clock import SystemClock
from shared.events.subscriptions import SubscriptionBook
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


def slow_book(made: ModuleType, seconds: float) -> SubscriptionBook | None:
    """Return a table whose reaction takes so long for each event; None where it takes no time."""
    if not seconds:
        return None

    def slowly(work, event) -> None:
        SystemClock().sleep(seconds)
        made.when_noted(work, event)

    return SubscriptionBook((replace(made.NOTED, reaction=slowly),), frozenset())


def main() -> None:
    """Read until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    told, stop = json.loads(sys.argv[1]), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    made = parts()
    book = slow_book(made, told.get("seconds", 0.0))
    events = told.get("batch_events", 200)
    rules = made.ReadingRules(batch_events=events, most_batch_events=events)
    if "max_poll_interval_ms" in told:
        made.KafkaOptions = partial(made.KafkaOptions, max_poll_interval_ms=told["max_poll_interval_ms"])
    unit = UnitOfWork(
        client=connect(told["mongodb"], appname="a-reader"),
        service="enrolment",
        clock=SystemClock(),
        new_identifier=new_identifier,
    )
    owners = [made.Owner(slug, told["bootstrap"], None) for slug in told["organisations"]]
    made.Desk(unit, told["bootstrap"]).reader(*owners, book=book, rules=rules, group=told["group"]).run(stop)


if __name__ == "__main__":
    main()
