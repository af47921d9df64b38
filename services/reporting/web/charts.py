"""Bar charts as geometry: where each bar and label of an SVG stands. Drawn by `templates/_chart.html`.

Labels stand above and beside their bars, each bar names its own series, so that nothing is told by colour alone and
the drawing stays readable at the width of a phone. No wording and no figure of a table is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """Bars that belong together, under one label; an empty label takes no room."""

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
    """A label and its bars, which stand between `top` and `bottom`."""

    label: str
    label_y: float
    top: float
    bottom: float
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


@dataclass(frozen=True, slots=True)
class Scale:
    """From numbers to places, the same for every chart that is compared with another. Always holds zero."""

    lowest: float
    highest: float

    def length(self, value: float) -> float:
        """Return how long a bar of `value` is; below zero for a number below zero."""
        span = self.highest - self.lowest
        return value * _BAR_ROOM / span if span else 0.0

    @property
    def zero(self) -> float:
        """Return where bars start."""
        return -self.length(self.lowest)


def scale_of(groups: Iterable[Group]) -> Scale:
    """Return the scale on which all bars of `groups` have room."""
    values = [figure.value for group in groups for figure in group.figures if figure.value is not None]
    return Scale(min([0.0, *values]), max([0.0, *values]))


def bar_chart(chart_id: str, title: str, groups: Sequence[Group], scale: Scale | None = None) -> Chart:
    """Return the drawing of `groups`, top to bottom in their order, on `scale` or on one of their own."""
    on = scale or scale_of(groups)
    drawn: list[DrawnGroup] = []
    y = 0.0
    for group in groups:
        drawn.append(_drawn(group, y, on))
        y = drawn[-1].bottom + _GROUP_GAP
    return Chart(
        chart_id, title, _in_words(title, groups), WIDTH, max(y - _GROUP_GAP, 1.0), round(on.zero, 1), tuple(drawn)
    )


def _drawn(group: Group, start: float, scale: Scale) -> DrawnGroup:
    top = start + (_LABEL_HEIGHT if group.label else 0)
    bars = tuple(_bar(figure, top + _BAR_STEP * place, scale) for place, figure in enumerate(group.figures))
    bottom = top + _BAR_STEP * len(bars)
    return DrawnGroup(group.label, round(start + 14, 1), round(top, 1), round(bottom, 1), bars)


def _bar(figure: Figure, y: float, scale: Scale) -> Bar:
    length = scale.length(figure.value or 0.0)
    end = scale.zero + max(length, 0.0)
    return Bar(
        x=round(scale.zero + min(length, 0.0), 1),
        y=round(y, 1),
        width=round(abs(length), 1),
        height=_BAR_HEIGHT,
        series=figure.series,
        words=figure.words,
        words_x=round(end + 6, 1),
        words_y=round(y + _BAR_HEIGHT / 2 + 5, 1),
    )


def _in_words(title: str, groups: Sequence[Group]) -> str:
    said = "; ".join(
        f"{group.label}: {_list(group)}" if group.label else _list(group) for group in groups if group.figures
    )
    return f"Bar chart. {title}. {said}."


def _list(group: Group) -> str:
    return ", ".join(figure.words for figure in group.figures)
