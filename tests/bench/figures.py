"""A measured figure, whatever it is of: the one shape that the table, `bench.json`, the targets and the chart read."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.bench.ratios import Block, Spread, spread

RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the results. `details` are further figures beside it, by name."""

    id: str
    part: str
    """The sink, or which of the row's figures this is: with the id it is the figure's key."""
    title: str
    bare_title: str
    unit: str
    value: Spread
    block: Block | None = None
    load_before: float = 0.0
    repeated: int = 0
    details: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what the targets call it."""
        return f"{self.id} {self.part}".strip()


def one(value: float) -> Spread:
    """Return the spread of a figure that was taken once."""
    return spread([value])
