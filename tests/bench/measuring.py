"""How one row is measured: in turns, with the bare side before and after, and once more where these two differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import machine
from tests.bench.figures import RATIO, Figure
from tests.bench.ratios import Block, Sample, interleaved, spread
from tests.bench.stage import Side, Sink, Stage

WARM_UP = 20
"""Each side first does this part of its size, unmeasured: connections, collections and caches are then there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a row may take: asked before each further round."""

    may_go_on: Callable[[], bool]
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the benchmark: `measure` is called once for each of its sinks. `weight` is its part of the time."""

    id: str
    measure: Callable[[Stage, Sink, Pace], list[Figure]]
    sinks: tuple[str, ...]
    weight: float = 1.0
    on_external: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The platform's own code and the bare calls beside it."""

    id: str
    part: str
    title: str
    bare_title: str
    size: int
    platform: Side
    bare: Side
    warm_up: int | None = None


def fought(stage: Stage, duel: Duel, pace: Pace) -> Figure:
    """Return the duel's figure; a block whose brackets differ is measured once more, and the steadier one counts."""
    load = machine.load_average()
    for side in (duel.platform, duel.bare):
        machine.measured(stage, side, max(1, duel.size // WARM_UP) if duel.warm_up is None else duel.warm_up)
    block, repeated = _block(stage, duel, pace), 0
    if not block.is_steady and stage.sizes.rounds > 1 and pace.may_go_on():
        block, repeated = min(block, _block(stage, duel, pace), key=lambda each: each.difference), 1
    return Figure(
        id=duel.id,
        part=duel.part,
        title=duel.title,
        bare_title=duel.bare_title,
        unit=RATIO,
        value=spread([each.ratio for each in block.rounds]),
        block=block,
        load_before=load,
        repeated=repeated,
    )


def _block(stage: Stage, duel: Duel, pace: Pace) -> Block:
    def one(side: Side, name: str) -> Sample:
        pace.say(f"{duel.id} {duel.part}: {name}")
        return machine.measured(stage, side, duel.size)

    return interleaved(
        stage.sizes.rounds,
        lambda: one(duel.platform, duel.title),
        lambda: one(duel.bare, duel.bare_title),
        pace.may_go_on,
    )
