"""How published figures are said to people: names, numbers. Nothing here computes a figure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from services.reporting.domain.publication import Cell, Kind
from services.reporting.domain.rounding import SUPPRESSED

WORDS: Final[Mapping[str, str]] = {
    "practice_only": "Practice only",
    "practice_and_academic": "Practice and academic",
}
DEFINITIONS: Final[tuple[tuple[str, str], ...]] = (
    ("Nominated", "A person whom an employer put forward for a course and whose nomination was accepted."),
    ("With a seat", "A nominated person who has a place on the course after all withdrawals."),
    ("Waiting", "A nominated person in the queue for a place, after all withdrawals."),
    ("Withdrawn", "A nominated person who gave up a seat, or a place in the queue."),
    ("Submitted a portfolio", "A person who handed in a portfolio at least once, returned ones included."),
    (
        "Passed",
        "A person with a seat whose employer confirmed that they passed practice or, on a course without a "
        "portfolio, who completed the course. University marks play no part in it.",
    ),
    (
        "Rated themselves twice",
        "A person who rated their own capabilities at the start and at the end, in the same framework. The change is "
        "the later rating less the earlier one.",
    ),
    ("Credits", "University credit awarded by an exam board: the rounded number of people times the credits of one."),
    ("..", "A figure that is not shown because too few people are behind it."),
)


def named(value: str, labels: Mapping[str, str]) -> str:
    """Return what people call a course, an employer or a route."""
    if value in WORDS:
        return WORDS[value]
    label = labels.get(value)
    if label is None:
        return value
    return f"{label} ({value})" if value.isupper() else label


def figure(cell: Cell, kind: Kind) -> str:
    """Return a published figure as text: `1,250`, `87%`, `+1.2`, `..`; an en dash where there is no such figure."""
    if cell is None:
        return "–"
    if isinstance(cell, Decimal):
        return f"{cell:+.1f}".replace("-", "−") if cell else "0.0"
    if isinstance(cell, str):
        return cell
    return f"{cell}%" if kind is Kind.PERCENT else f"{cell:,}"


def is_hidden(cell: Cell) -> bool:
    """Tell whether a cell holds no number: suppressed, or there is no such figure."""
    return cell is None or cell == SUPPRESSED


def change(now: Cell, before: Cell, kind: Kind, *, since: str) -> str:
    """Return how a published figure moved since an earlier publication."""
    points = " percentage points" if kind is Kind.PERCENT else ""
    if not isinstance(now, int) or not isinstance(before, int):
        return f"Not comparable with ‘{since}’"
    if now == before:
        return f"Unchanged since ‘{since}’"
    return f"{'Up' if now > before else 'Down'} {abs(now - before):,}{points} since ‘{since}’"
