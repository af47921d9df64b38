"""What each table says, in a sentence, and its charts: from published figures only, so it says no more than they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from services.reporting.domain.publication import Cell, Kind, PublishedTable
from services.reporting.web.charts import Chart, Figure, Group, bar_chart
from services.reporting.web.wording import figure, named

Labels = Mapping[str, str]
Found = tuple[str, Sequence[Chart]]
Row = Mapping[str, Cell]

NOTHING_YET: Final = "There is nothing to count yet"


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
    steps = (("nominated", "nominated"), ("confirmed", "with a seat"), ("submitted", "submitted"), ("passed", "passed"))
    groups = [
        Group(
            named(str(row["course"]), labels),
            tuple(
                Figure(_number(row[name]), f"{_said(row[name])} {words}", 2 if name == "passed" else 1)
                for name, words in steps
                if row[name] is not None
            ),
        )
        for row in rows
    ]
    return finding, (bar_chart("funnel", "People by how far they came, each course", groups),)


def nominations(table: PublishedTable, labels: Labels) -> Found:
    """Say how many employers nominated, and draw each course's nominations and seats by employer."""
    rows = rows_of(table)
    if not rows:
        return NOTHING_YET, ()
    employers = dict.fromkeys(str(row["organisation"]) for row in rows)
    nominating = {str(row["organisation"]) for row in rows if _number(row["nominated"])}
    seated = {str(row["organisation"]) for row in rows if _number(row["confirmed"])}
    finding = f"{len(nominating)} of {len(employers)} employers show nominations; {len(seated)} of them have people with a seat"
    charts = []
    for place, course in enumerate(dict.fromkeys(str(row["course"]) for row in rows)):
        groups = [
            Group(
                named(str(row["organisation"]), labels),
                (
                    Figure(_number(row["nominated"]), f"{_said(row['nominated'])} nominated"),
                    Figure(_number(row["confirmed"]), f"{_said(row['confirmed'])} with a seat", 2),
                ),
            )
            for row in rows
            if row["course"] == course
        ]
        charts.append(bar_chart(f"nominations-{place}", f"{named(course, labels)}, by employer", groups))
    return finding, charts


def self_assessment_change(table: PublishedTable, labels: Labels) -> Found:
    """Say where people's own ratings rose most, and draw the change in each domain."""
    domains = [column for column in table.columns if column.kind is Kind.MEAN]
    said: list[str] = []
    charts: list[Chart] = []
    for place, row in enumerate(rows_of(table)):
        course = named(str(row["course"]), labels)
        known = [(column.title, cell) for column in domains if isinstance(cell := row[column.name], Decimal)]
        if known:
            most = max(cell for _, cell in known)
            where = " and ".join(title.lower() for title, cell in known if cell == most)
            said.append(f"{course}: people's own ratings changed most in {where} ({figure(most, Kind.MEAN)})")
        else:
            said.append(f"{course}: too few people answered twice to show a change")
        groups = [
            Group(column.title, (Figure(_mean(row[column.name]), _mean_said(row[column.name])),))
            for column in domains
            if row[column.name] is not None
        ]
        charts.append(bar_chart(f"change-{place}", f"{course}: average change in own rating", groups))
    return "; ".join(said) or NOTHING_YET, charts


def route_comparison(table: PublishedTable, labels: Labels) -> Found:
    """Say how many people are on each route, and draw people and passes of each."""
    rows = rows_of(table)
    if not rows:
        return "No course offers the academic route", ()
    courses: dict[str, list[Row]] = {}
    for row in rows:
        courses.setdefault(str(row["course"]), []).append(row)
    said = [
        f"{named(course, labels)}: "
        + ", ".join(f"{_said(row['people'])} people on {named(str(row['route']), labels).lower()}" for row in routes)
        for course, routes in courses.items()
    ]
    groups = [
        Group(
            f"{row['course']}: {named(str(row['route']), labels).lower()}",
            (
                Figure(_number(row["people"]), f"{_said(row['people'])} with a seat"),
                Figure(_number(row["passed"]), f"{_said(row['passed'])} passed", 2),
            ),
        )
        for row in rows
    ]
    return "; ".join(said), (bar_chart("routes", "People with a seat and people who passed, each route", groups),)


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
    groups = [
        Group(named(str(row["course"]), labels), (Figure(_number(row["people"]), f"{_said(row['people'])} people"),))
        for row in rows
    ]
    return "; ".join(said), (bar_chart("credits", "People awarded credit, each course", groups),)


FOR: Final[Mapping[str, Callable[[PublishedTable, Labels], Found]]] = {
    "funnel": funnel,
    "nominations": nominations,
    "self_assessment_change": self_assessment_change,
    "route_comparison": route_comparison,
    "credits": credit,
}


def _number(cell: Cell) -> float:
    return float(cell) if isinstance(cell, int) else 0.0


def _said(cell: Cell) -> str:
    return figure(cell, Kind.PEOPLE)


def _mean(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, Decimal) else None


def _mean_said(cell: Cell) -> str:
    return figure(cell, Kind.MEAN) if isinstance(cell, Decimal) else "not shown: 7 people or fewer"
