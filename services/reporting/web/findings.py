"""What each table says, in a sentence, and its charts: from published figures only, so it says no more than they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from services.reporting.domain.publication import Cell, Column, Kind, PublishedTable
from services.reporting.web.charts import Chart, Figure, Group, bar_chart, scale_of
from services.reporting.web.wording import figure, named

Labels = Mapping[str, str]
Found = tuple[str, Sequence[Chart]]
Row = Mapping[str, Cell]

NOTHING_YET: Final = "There is nothing to count yet"
_STEPS: Final = (
    ("nominated", "nominated"),
    ("confirmed", "with a seat"),
    ("submitted", "submitted"),
    ("passed", "passed"),
)


def rows_of(table: PublishedTable) -> list[Row]:
    """Return the rows by column name."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def funnel(table: PublishedTable, labels: Labels) -> Found:
    """Say which course most people were nominated for, and draw each course's way from nomination to pass."""
    rows = rows_of(table)
    if not rows:
        return NOTHING_YET, ()
    top = max(rows, key=lambda row: _number(row["nominated"]))
    finding = (
        f"Most nominations were for {named(str(top['course']), labels)}: "
        f"{_said(top['nominated'])} people nominated, {_said(top['confirmed'])} with a seat, "
        f"{_said(top['waiting'])} waiting"
    )
    return finding, _charts("funnel", "", {named(str(row["course"]), labels): [_steps(row)] for row in rows})


def nominations(table: PublishedTable, labels: Labels) -> Found:
    """Say how many employers nominated, and draw each course's nominations and seats by employer."""
    rows = rows_of(table)
    if not rows:
        return NOTHING_YET, ()
    employers = {row["organisation"] for row in rows}
    nominating = {row["organisation"] for row in rows if _number(row["nominated"])}
    seated = {row["organisation"] for row in rows if _number(row["confirmed"])}
    finding = f"{len(nominating)} of {len(employers)} employers show nominations, {len(seated)} have people with a seat"
    groups: dict[str, list[Group]] = {}
    for row in rows:
        label = named(str(row["organisation"]), labels)
        bars = (_people(row, "nominated", "nominated"), _people(row, "confirmed", "with a seat", 2))
        groups.setdefault(named(str(row["course"]), labels), []).append(Group(label, bars))
    return finding, _charts("nominations", ", by employer", groups)


def self_assessment_change(table: PublishedTable, labels: Labels) -> Found:
    """Say where people's own ratings rose most, and draw the change in each domain."""
    domains = [column for column in table.columns if column.kind is Kind.MEAN]
    said: list[str] = []
    groups: dict[str, list[Group]] = {}
    for row in rows_of(table):
        course = named(str(row["course"]), labels)
        said.append(f"{course}: {_most(row, domains)}")
        if any(isinstance(row[column.name], Decimal) for column in domains):
            groups[course] = [
                Group(column.title, (_change(row[column.name]),)) for column in domains if row[column.name] is not None
            ]
    return "; ".join(said) or NOTHING_YET, _charts("change", ": average change in own rating", groups)


def route_comparison(table: PublishedTable, labels: Labels) -> Found:
    """Say how many people are on each route, and draw people and passes of each."""
    rows = rows_of(table)
    if not rows:
        return "No course offers the academic route", ()
    said: dict[str, list[str]] = {}
    groups: dict[str, list[Group]] = {}
    for row in rows:
        course, route = named(str(row["course"]), labels), named(str(row["route"]), labels)
        said.setdefault(course, []).append(f"{_said(row['people'])} people on the route ‘{route.lower()}’")
        bars = (_people(row, "people", "with a seat"), _people(row, "passed", "passed", 2))
        groups.setdefault(course, []).append(Group(route, bars))
    finding = "; ".join(f"{course}: {' and '.join(routes)}" for course, routes in said.items())
    return finding, _charts("routes", ", by route", groups)


def credit(table: PublishedTable, labels: Labels) -> Found:
    """Say what was awarded, and draw it."""
    rows = rows_of(table)
    if not rows:
        return "No course carries university credit", ()
    said = [
        f"{_said(row['people'])} people were awarded {_said(row['credits'])} credits in "
        f"{named(str(row['course']), labels)}"
        for row in rows
    ]
    groups = [Group(str(row["course"]), (_people(row, "people", "people awarded credit"),)) for row in rows]
    return "; ".join(said), (bar_chart("credits", "People awarded credit, by course", groups),)


FOR: Final[Mapping[str, Callable[[PublishedTable, Labels], Found]]] = {
    "funnel": funnel,
    "nominations": nominations,
    "self_assessment_change": self_assessment_change,
    "route_comparison": route_comparison,
    "credits": credit,
}


def _charts(stem: str, ending: str, groups: Mapping[str, Sequence[Group]]) -> list[Chart]:
    """Return a chart per course, all on one scale, so that a bar means the same in each."""
    scale = scale_of(group for several in groups.values() for group in several)
    return [
        bar_chart(f"{stem}-{place}", f"{course}{ending}", several, scale)
        for place, (course, several) in enumerate(groups.items())
    ]


def _steps(row: Row) -> Group:
    shown = [_people(row, name, words, 2 if name == "passed" else 1) for name, words in _STEPS if row[name] is not None]
    return Group("", tuple(shown))


def _most(row: Row, domains: Sequence[Column]) -> str:
    known = [(column.title, cell) for column in domains if isinstance(cell := row[column.name], Decimal)]
    if not known:
        return "too few people answered twice to show a change"
    most = max(cell for _, cell in known)
    verb = "rose" if most > 0 else "moved"
    where = " and ".join(title.lower() for title, cell in known if cell == most)
    return f"people’s own ratings {verb} most in {where} ({figure(most, Kind.MEAN)})"


def _change(cell: Cell) -> Figure:
    if isinstance(cell, Decimal):
        return Figure(float(cell), figure(cell, Kind.MEAN))
    return Figure(None, "not shown: 7 people or fewer")


def _people(row: Row, name: str, words: str, series: int = 1) -> Figure:
    return Figure(_number(row[name]), f"{_said(row[name])} {words}", series)


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int) else 0.0


def _said(cell: Cell) -> str:
    return figure(cell, Kind.PEOPLE)
