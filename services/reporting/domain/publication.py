"""What the board sees: the five tables without their raw figures, frozen under a date.

A raw figure cannot get past this file: published tables are built from named published fields only.
Source: BR-29; promise 7 (people see closed publications of fixed tables, each saying as of which feed positions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.reporting.domain.rounding import Suppressed
from services.reporting.domain.tables import FiveTables, FunnelRow

Cell = str | int | Decimal | None
"""A published cell: a name, a rounded count, a percentage or mean, `..`, or None where there is no such figure."""


class Kind(StrEnum):
    """What a column holds."""

    NAME = "name"
    PEOPLE = "people"
    PERCENT = "percent"
    MEAN = "mean"
    CREDITS = "credits"


class Note(StrEnum):
    """What a reader has to know to read a table. The code travels on the bus, the sentence stands on the page."""

    HESA_PEOPLE = "hesa_people"
    HESA_PERCENTAGES = "hesa_percentages"
    HESA_MEANS = "hesa_means"
    TOTALS = "totals"
    CREDITS = "credits"
    NO_SUBMISSIONS = "no_submissions"
    PAIRED = "paired"
    ROUTES = "routes"


SENTENCES: Mapping[Note, str] = {
    Note.HESA_PEOPLE: "Rounded by the HESA method: each count of people is to the nearest 5; 0, 1 and 2 show as 0.",
    Note.HESA_PERCENTAGES: "Percentages come from figures before rounding, as whole numbers; '..' stands where the "
    "group has fewer than 22.5 people (HESA method).",
    Note.HESA_MEANS: "Averages come from figures before rounding, to one decimal; '..' stands where 7 people or fewer "
    "answered (HESA method).",
    Note.TOTALS: "Each figure is rounded by itself, so rows may not add up to totals.",
    Note.CREDITS: "Credits are the rounded number of people times the credits of one award.",
    Note.NO_SUBMISSIONS: "A course without a portfolio has no submissions: its cell is empty.",
    Note.PAIRED: "Only people who rated themselves both at the start and at the end are counted. People often rate "
    "themselves lower once they know more, so a small change is not a lack of learning.",
    Note.ROUTES: "People choose their route themselves: a difference between routes is not shown to be caused by them.",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its stable name, its heading for people, what it holds."""

    name: str
    title: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One fixed table as the board sees it. Each row has one cell per column."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The partnership's totals, rounded after summing raw figures; credits are the sum of the published ones."""

    nominated: int
    confirmed: int
    waiting: int
    withdrawn: int
    passed: int
    passed_percent: int | Suppressed
    credits: int


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """How far a feed had been read: its last number and, where known, the hash of that entry."""

    feed: str
    number: int
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """The fixed tables as they stood at one moment. Never changed, never deleted.

    `labels` are the titles of courses and names of organisations as they were then.
    """

    publication_id: str
    title: str
    closed_at: datetime
    headline: Headline
    tables: tuple[PublishedTable, ...]
    feeds: tuple[FeedPosition, ...]
    labels: Mapping[str, str]

    def table(self, name: str) -> PublishedTable | None:
        """Return the table of that name, None when there is none."""
        return next((table for table in self.tables if table.name == name), None)


_COURSE = Column("course", "Course", Kind.NAME)
_ORGANISATION = Column("organisation", "Employer", Kind.NAME)
_NOMINATED = Column("nominated", "Nominated", Kind.PEOPLE)
_CONFIRMED = Column("confirmed", "With a seat", Kind.PEOPLE)
_PASSED = Column("passed", "Passed", Kind.PEOPLE)
_PASSED_PERCENT = Column("passed_percent", "Passed, % of people with a seat", Kind.PERCENT)

TITLES: Mapping[str, str] = {
    "funnel": "From nomination to pass, by course",
    "nominations": "Nominations and seats, by employer and course",
    "self_assessment_change": "Change in people's own ratings, by course",
    "route_comparison": "Practice-only and academic routes side by side",
    "credits": "University credit awarded, by course",
}
"""The catalogue, in order."""


def published_tables(tables: FiveTables) -> tuple[PublishedTable, ...]:
    """Return the five tables as the board may see them, in the catalogue's order."""
    return (_funnel(tables), _nominations(tables), _change(tables), _routes(tables), _credits(tables))


def headline(everybody: FunnelRow, tables: FiveTables) -> Headline:
    """Return the totals for the top of the page."""
    published = everybody.published
    return Headline(
        nominated=published.nominated,
        confirmed=published.confirmed,
        waiting=published.waiting,
        withdrawn=published.withdrawn,
        passed=published.passed,
        passed_percent=everybody.passed_percent,
        credits=sum(row.credits for row in tables.credits),
    )


def _funnel(tables: FiveTables) -> PublishedTable:
    columns = (
        _COURSE,
        _NOMINATED,
        _CONFIRMED,
        Column("waiting", "Waiting", Kind.PEOPLE),
        Column("withdrawn", "Withdrawn", Kind.PEOPLE),
        Column("submitted", "Submitted a portfolio", Kind.PEOPLE),
        _PASSED,
        _PASSED_PERCENT,
    )
    rows: list[tuple[Cell, ...]] = []
    for row in tables.funnel:
        seen = row.published
        figures = (seen.nominated, seen.confirmed, seen.waiting, seen.withdrawn, seen.submitted, seen.passed)
        rows.append((row.course, *figures, row.passed_percent))
    notes = (Note.HESA_PEOPLE, Note.HESA_PERCENTAGES, Note.TOTALS, Note.NO_SUBMISSIONS)
    return PublishedTable("funnel", TITLES["funnel"], columns, tuple(rows), notes)


def _nominations(tables: FiveTables) -> PublishedTable:
    rows = tuple((row.organisation, row.course, row.nominated, row.confirmed) for row in tables.nominations)
    columns = (_ORGANISATION, _COURSE, _NOMINATED, _CONFIRMED)
    return PublishedTable("nominations", TITLES["nominations"], columns, rows, (Note.HESA_PEOPLE, Note.TOTALS))


def _change(tables: FiveTables) -> PublishedTable:
    domains = list(dict.fromkeys(domain for row in tables.self_assessment_change for domain in row.mean_change))
    columns = (
        _COURSE,
        Column("paired", "Rated themselves twice", Kind.PEOPLE),
        Column("response_percent", "Response, % of people with a seat", Kind.PERCENT),
        *(Column(f"mean_change_{domain}", domain.replace("_", " ").capitalize(), Kind.MEAN) for domain in domains),
    )
    rows = tuple(
        (row.course, row.paired, row.response_percent, *(row.mean_change.get(domain) for domain in domains))
        for row in tables.self_assessment_change
    )
    notes = (Note.HESA_PEOPLE, Note.HESA_PERCENTAGES, Note.HESA_MEANS, Note.PAIRED)
    return PublishedTable("self_assessment_change", TITLES["self_assessment_change"], columns, rows, notes)


def _routes(tables: FiveTables) -> PublishedTable:
    columns = (
        _COURSE,
        Column("route", "Route", Kind.NAME),
        Column("people", "With a seat", Kind.PEOPLE),
        _PASSED,
        _PASSED_PERCENT,
    )
    rows = tuple((row.course, row.route, row.people, row.passed, row.passed_percent) for row in tables.route_comparison)
    notes = (Note.HESA_PEOPLE, Note.HESA_PERCENTAGES, Note.ROUTES)
    return PublishedTable("route_comparison", TITLES["route_comparison"], columns, rows, notes)


def _credits(tables: FiveTables) -> PublishedTable:
    columns = (
        _COURSE,
        Column("people", "People awarded credit", Kind.PEOPLE),
        Column("credits", "Credits", Kind.CREDITS),
    )
    rows = tuple((row.course, row.people, row.credits) for row in tables.credits)
    return PublishedTable("credits", TITLES["credits"], columns, rows, (Note.HESA_PEOPLE, Note.CREDITS))
