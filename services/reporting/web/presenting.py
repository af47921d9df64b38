"""A publication as a page shows it: big numbers, sections with finding, chart and table. Published figures only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.reporting.domain.publication import (
    SENTENCES,
    Cell,
    Kind,
    Publication,
    PublishedTable,
)
from services.reporting.web import findings
from services.reporting.web.charts import Chart
from services.reporting.web.wording import change, figure, named

TRANSPOSED: Final = frozenset({"self_assessment_change"})
"""Tables with more columns than a page is wide: shown with a column per course."""


@dataclass(frozen=True, slots=True)
class BigNumber:
    """One of the numbers at the top: what it is, a sentence, how it moved."""

    value: str
    label: str
    sentence: str
    change: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as text: headings, then rows that begin with their own heading cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_headings: int


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a publication with everything around it."""

    name: str
    title: str
    finding: str
    charts: tuple[Chart, ...]
    table: Shown
    is_stacked: bool
    notes: tuple[str, ...]


def big_numbers(publication: Publication, before: Publication | None) -> tuple[BigNumber, ...]:
    """Return the six numbers of the top; `before` is the publication that they are compared with."""
    now = publication.headline
    then = before.headline if before else None
    since = before.title if before else ""

    def number(name: str, label: str, sentence: str, kind: Kind = Kind.PEOPLE) -> BigNumber:
        value: Cell = getattr(now, name)
        moved = (
            change(value, getattr(then, name), kind, since=since) if then else "No earlier publication to compare with"
        )
        return BigNumber(figure(value, kind), label, sentence, moved)

    return (
        number("nominated", "people nominated", "Employers put them forward and their nominations were accepted."),
        number("confirmed", "people with a seat", "They have a place on a course, after all withdrawals."),
        number("waiting", "people waiting", "They are in the queue for a place, after all withdrawals."),
        number("withdrawn", "people withdrew", "They gave up a seat or a place in the queue."),
        number(
            "passed_percent",
            "of people with a seat passed",
            "Their employers confirmed it, or they completed a course without a portfolio.",
            Kind.PERCENT,
        ),
        number("credits", "university credits awarded", "Awarded once per person and module, by an exam board."),
    )


def section(publication: Publication, table: PublishedTable) -> Section:
    """Return one table as a page shows it."""
    labels = publication.labels
    found: Callable[[PublishedTable, Mapping[str, str]], tuple[str, Sequence[Chart]]] = findings.FOR[table.name]
    finding, charts = found(table, labels)
    shown = _shown(table, labels)
    return Section(
        name=table.name,
        title=table.title,
        finding=finding,
        charts=tuple(charts),
        table=_transposed(shown) if table.name in TRANSPOSED else shown,
        is_stacked=len(charts) > 1,
        notes=tuple(SENTENCES[note] for note in table.notes),
    )


def _shown(table: PublishedTable, labels: Mapping[str, str]) -> Shown:
    names = sum(1 for column in table.columns if column.kind is Kind.NAME)
    rows = tuple(
        tuple(
            named(str(cell), labels) if column.kind is Kind.NAME else figure(cell, column.kind)
            for column, cell in zip(table.columns, row, strict=True)
        )
        for row in table.rows
    )
    return Shown(tuple(column.title for column in table.columns), rows, names)


def _transposed(shown: Shown) -> Shown:
    columns = list(zip(shown.headings, *shown.rows, strict=True))
    return Shown(("Measure", *columns[0][1:]), tuple(tuple(column) for column in columns[1:]), 1)
