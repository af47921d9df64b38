"""The chart of a run, as SVG: every ratio with its bounds, and where its targets stand. Pure text, no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.bench.figures import RATIO, Figure
from tests.bench.report import Report
from tests.bench.targets import TARGETS

WIDTH, LEFT, RIGHT, TOP, LINE, BAR = 760, 150, 70, 74, 30, 14
STEPS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def drawn(report: Report) -> str:
    """Return the chart of a run's ratios."""
    figures = [figure for figure in report.figures if figure.unit == RATIO]
    most = max([1.2, *(max(figure.value.most, _must(figure)) for figure in figures)])
    height = TOP + LINE * len(figures) + 40
    machine = report.machine
    where = f"{machine.cores} cores, {machine.system}, Python {machine.python}, {report.backbone} backbone"
    title = "The platform's speed as a part of the bare driver calls' speed"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="Arial, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="24" font-size="16" font-weight="bold" fill="#0b0c0c">{escape(title)}</text>',
        f'<text x="16" y="44" fill="#505a5f">{escape(f"{report.measured_at[:10]}, {where}")}</text>',
        '<text x="16" y="61" fill="#505a5f">bar: median; thin line: least to most; triangle: must; '
        "diamond: ambitious</text>",
        *_grid(most, height),
        *(line for number, figure in enumerate(figures) for line in _bar(figure, most, TOP + LINE * number)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _x(value: float, most: float) -> float:
    return LEFT + min(value, most) / most * (WIDTH - LEFT - RIGHT)


def _must(figure: Figure) -> float:
    return TARGETS[figure.key].ambitious if figure.key in TARGETS else 0.0


def _grid(most: float, height: int) -> Sequence[str]:
    found = []
    for step in (0.0, *(step for step in STEPS if step <= most)):
        x, heavy = _x(step, most), step == 1.0
        colour = "#0b0c0c" if heavy else "#d0d4d6"
        found.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 28}" stroke="{colour}"/>')
        found.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle" fill="#505a5f">{step:g}</text>')
    return found


def _bar(figure: Figure, most: float, y: int) -> Sequence[str]:
    value, target = figure.value, TARGETS.get(figure.key)
    middle = y + BAR / 2
    colour = "#1d70b8" if target is None or target.is_met(value.middle) else "#d4351c"
    found = [
        f'<text x="{LEFT - 10}" y="{middle + 5:.1f}" text-anchor="end" fill="#0b0c0c">{escape(figure.key)}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{_x(value.middle, most) - LEFT:.1f}" height="{BAR}" fill="{colour}">'
        f"<title>{escape(f'{figure.key}: {value}; {figure.title}')}</title></rect>",
        f'<line x1="{_x(value.least, most):.1f}" y1="{middle}" x2="{_x(value.most, most):.1f}" y2="{middle}" '
        'stroke="#0b0c0c" stroke-width="2"/>',
        f'<text x="{WIDTH - RIGHT + 10}" y="{middle + 5:.1f}" fill="#0b0c0c">{value.middle:.2f}</text>',
    ]
    if target is not None:
        must, wish = _x(target.must, most), _x(target.ambitious, most)
        top = y + BAR
        found.append(f'<path d="M{must:.1f} {top} l-5 8 h10 z" fill="#0b0c0c"/>')
        found.append(f'<path d="M{wish:.1f} {top} l-5 5 l5 5 l5 -5 z" fill="#00703c"/>')
    return found
