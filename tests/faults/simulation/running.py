"""One seed, from its plan to its verdict. The same seed gives the same run, byte for byte."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from tests.faults.simulation.actors import machines, people
from tests.faults.simulation.chaos import Chaos
from tests.faults.simulation.checker import Checker, in_a_greenlet, unquiet
from tests.faults.simulation.plan import Plan, plan_for
from tests.faults.simulation.scheduler import Stuck
from tests.faults.simulation.world import World

PLAY_SECONDS = 100.0
HEAL_SECONDS = 400.0
STEPS_BETWEEN_LOOKS = 150
FAILED = Path(".local/failed-seeds.txt")
"""Seeds that broke a promise on this machine, newest last; one that is mended goes on in `regressions.txt`."""
Change = Callable[[World], None]


@dataclass
class Verdict:
    """What came of a seed."""

    seed: int
    plan: Plan
    violations: list[str]
    steps: int
    seconds: float
    faults: Counter[str]
    fingerprint: int
    trace: list[str] = field(default_factory=list)


@contextmanager
def logs_to(note: Callable[[str], None]) -> Iterator[None]:
    """Let what the production code logs be lines of the trace."""
    before = structlog.get_config()
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)

    def write(_: object, __: str, event: dict[str, object]) -> dict[str, object]:
        note(" ".join(f"{name}={value}" for name, value in sorted(event.items())))
        raise structlog.DropEvent

    structlog.configure(processors=[write], wrapper_class=structlog.BoundLogger, cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.disable(level)


def run_seed(seed: int, change: Change = lambda _: None, *, plan: Plan | None = None) -> Verdict:
    """Play one seed and return what came of it; `change` breaks a world for the checker's own test."""
    plan = plan or plan_for(seed)
    world = World(plan)
    change(world)
    with logs_to(world.scheduler.note):
        try:
            _play(world)
        except Stuck as stuck:
            world.history.violate(f"stuck: {stuck}; {'; '.join(unquiet(world))}")
        finally:
            world.scheduler.close()
    scheduler = world.scheduler
    return Verdict(
        seed=seed,
        plan=plan,
        violations=list(world.history.violations),
        steps=scheduler.steps,
        seconds=scheduler.now,
        faults=scheduler.counts,
        fingerprint=scheduler.fingerprint,
        trace=list(scheduler.trace),
    )


def _play(world: World) -> None:
    chaos = Chaos(world)
    machines(world)
    people(world)
    chaos.begin()
    scheduler, history = world.scheduler, world.history
    done = len(world.plan.clients)
    scheduler.run(lambda: bool(history.violations) or (scheduler.now >= PLAY_SECONDS and history.clients_done == done))
    if history.violations:
        return
    chaos.heal()
    until = scheduler.now + HEAL_SECONDS
    next_look = 0

    def is_over() -> bool:
        nonlocal next_look
        if history.violations:
            return True
        if scheduler.steps < next_look:
            return False
        next_look = scheduler.steps + STEPS_BETWEEN_LOOKS
        return scheduler.now > until or next(unquiet(world), None) is None

    scheduler.run(is_over)
    if not history.violations:
        in_a_greenlet(world, Checker(world).check)


def lean(seed: int) -> Verdict:
    """Play one seed in a process of its own; its trace is not sent back."""
    verdict = run_seed(seed)
    verdict.trace = []
    return verdict


def keep(verdict: Verdict, file: Path = FAILED) -> None:
    """Write a broken seed down, so that no screen has to be read again for it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as kept:
        kept.write(f"{verdict.seed}  {'; '.join(verdict.violations)}\n")
