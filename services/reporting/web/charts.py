"""Bar charts as geometry: where each bar and label of an SVG stands. Drawn by `templates/_chart.html`.

Labels stand above and beside their bars, each bar names its own series, so that nothing is told by colour alone and
the drawing stays readable at the width of a phone. No wording and no figure of a table is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 360
_BAR_ROOM: Final = 210
_BAR_HEIGHT: Final = 20
_BAR_STEP: Final = 24
_LABEL_HEIGHT: Final = 20
_GROUP_GAP: Final = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """What one bar shows: a number (None: not to be shown), its words, and which of the series it is (1 or 2)."""

    value: float | None
    words: str
    series: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that belong together, under one label."""

    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One drawn bar and the words at its end."""

    x: float
    y: float
    width: float
    height: float
    series: int
    words: str
    words_x: float
    words_y: float


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    """A label and its bars."""

    label: str
    label_y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready to be drawn. `alternative` says in words what it shows; `zero_x` is where the bars start."""

    chart_id: str
    title: str
    alternative: str
    width: int
    height: float
    zero_x: float
    groups: tuple[DrawnGroup, ...]


def bar_chart(chart_id: str, title: str, groups: Sequence[Group]) -> Chart:
    """Return the drawing of `groups`, top to bottom in their order; all bars share one scale."""
    values = [figure.value for group in groups for figure in group.figures if figure.value is not None]
    lowest, highest = min([0.0, *values]), max([0.0, *values])
    scale = _BAR_ROOM / (highest - lowest) if highest > lowest else 0.0
    zero = -lowest * scale
    drawn: list[DrawnGroup] = []
    y = 0.0
    for group in groups:
        drawn.append(_drawn(group, y, scale, zero))
        y += _LABEL_HEIGHT + _BAR_STEP * len(group.figures) + _GROUP_GAP
    return Chart(chart_id, title, _in_words(title, groups), WIDTH, max(y - _GROUP_GAP, 1.0), zero, tuple(drawn))


def _drawn(group: Group, top: float, scale: float, zero: float) -> DrawnGroup:
    bars: list[Bar] = []
    for place, figure in enumerate(group.figures):
        y = top + _LABEL_HEIGHT + _BAR_STEP * place
        length = (figure.value or 0.0) * scale
        x = zero + min(length, 0.0)
        width = abs(length)
        bars.append(
            Bar(
                x=round(x, 1),
                y=round(y, 1),
                width=round(max(width, 1.0), 1),
                height=_BAR_HEIGHT,
                series=figure.series,
                words=figure.words,
                words_x=round(max(x + width, zero) + 6, 1),
                words_y=round(y + _BAR_HEIGHT / 2 + 5, 1),
            )
        )
    return DrawnGroup(group.label, round(top + 14, 1), tuple(bars))


def _in_words(title: str, groups: Sequence[Group]) -> str:
    said = "; ".join(f"{group.label}: {', '.join(figure.words for figure in group.figures)}" for group in groups)
    return f"Bar chart. {title}. {said}."
