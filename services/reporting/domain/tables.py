"""The five tables, as pure functions of the roll-ups. Each row holds the raw figures beside the published ones.

Only `services.reporting.domain.publication` says what of a row the board sees; raw fields are for the operator's
projection and for tests. Field names are those of a scenario's expected reports.
Source: partnership data rules, "How reports are counted"; BR-27, BR-28, BR-29.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.reporting.domain.rollups import Course, RollUps, total
from services.reporting.domain.rounding import Suppressed, mean, percentage, rounded_people

ACADEMIC_ROUTE = "practice_and_academic"
ROUTES = ("practice_only", ACADEMIC_ROUTE)
"""The order of the route comparison."""


@dataclass(frozen=True, slots=True)
class FunnelCounts:
    """From nomination to pass. `submitted` is None for a course without an evidence set."""

    nominated: int
    confirmed: int
    waiting: int
    withdrawn: int
    submitted: int | None
    passed: int

    def rounded(self) -> FunnelCounts:
        """Return the same counts as the board may see them."""
        return FunnelCounts(
            nominated=rounded_people(self.nominated),
            confirmed=rounded_people(self.confirmed),
            waiting=rounded_people(self.waiting),
            withdrawn=rounded_people(self.withdrawn),
            submitted=None if self.submitted is None else rounded_people(self.submitted),
            passed=rounded_people(self.passed),
        )


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """A course's people by how far they came."""

    course: str
    raw: FunnelCounts
    published: FunnelCounts
    passed_percent: int | Suppressed


@dataclass(frozen=True, slots=True)
class NominationsRow:
    """One employer's nominations for one course."""

    organisation: str
    course: str
    nominated_raw: int
    nominated: int
    confirmed_raw: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class SelfAssessmentChangeRow:
    """How people on a course rated themselves after it, less how they did before."""

    course: str
    paired_raw: int
    paired: int
    response_percent: int | Suppressed
    mean_change: Mapping[str, Decimal | Suppressed]


@dataclass(frozen=True, slots=True)
class RouteComparisonRow:
    """People with a seat on one route of a course, and those who passed practice."""

    course: str
    route: str
    people_raw: int
    people: int
    passed_raw: int
    passed: int
    passed_percent: int | Suppressed


@dataclass(frozen=True, slots=True)
class CreditsRow:
    """People awarded a course's credit."""

    course: str
    people_raw: int
    people: int
    credits_raw: int
    credits: int


@dataclass(frozen=True, slots=True)
class FiveTables:
    """The fixed tables. There is no other cut, and no filter: overlapping cuts would disclose people."""

    funnel: tuple[FunnelRow, ...]
    nominations: tuple[NominationsRow, ...]
    self_assessment_change: tuple[SelfAssessmentChangeRow, ...]
    route_comparison: tuple[RouteComparisonRow, ...]
    credits: tuple[CreditsRow, ...]


def five_tables(rollups: RollUps) -> FiveTables:
    """Return all five tables, rows in the order of courses and employers."""
    return FiveTables(
        funnel=tuple(_funnel(rollups, course) for course in rollups.courses),
        nominations=tuple(
            _nominations(rollups, organisation, course)
            for organisation in rollups.employers
            for course in rollups.courses
        ),
        self_assessment_change=tuple(
            _change(rollups, course, course.domains) for course in rollups.courses if course.domains is not None
        ),
        route_comparison=tuple(
            _route(rollups, course, route)
            for course in rollups.courses
            if ACADEMIC_ROUTE in course.routes
            for route in ROUTES
            if route in course.routes
        ),
        credits=tuple(_credits(rollups, course) for course in rollups.courses if course.credits_per_award > 0),
    )


def everybody(rollups: RollUps) -> FunnelRow:
    """Return the funnel of all courses together; the total is of raw figures and rounded last, as HESA does."""
    found = total(rollups.counts.values())
    raw = FunnelCounts(found.nominated, found.confirmed, found.waiting, found.withdrawn, found.submitted, found.passed)
    return FunnelRow("", raw, raw.rounded(), percentage(raw.passed, raw.confirmed))


def _funnel(rollups: RollUps, course: Course) -> FunnelRow:
    found = rollups.counted(course.code)
    raw = FunnelCounts(
        nominated=found.nominated,
        confirmed=found.confirmed,
        waiting=found.waiting,
        withdrawn=found.withdrawn,
        submitted=None if course.domains is None else found.submitted,
        passed=found.passed,
    )
    return FunnelRow(course.code, raw, raw.rounded(), percentage(raw.passed, raw.confirmed))


def _nominations(rollups: RollUps, organisation: str, course: Course) -> NominationsRow:
    found = rollups.counted(course.code, organisation=organisation)
    return NominationsRow(
        organisation=organisation,
        course=course.code,
        nominated_raw=found.nominated,
        nominated=rounded_people(found.nominated),
        confirmed_raw=found.confirmed,
        confirmed=rounded_people(found.confirmed),
    )


def _change(rollups: RollUps, course: Course, domains: tuple[str, ...]) -> SelfAssessmentChangeRow:
    changed = rollups.changed(course.code)
    return SelfAssessmentChangeRow(
        course=course.code,
        paired_raw=changed.paired,
        paired=rounded_people(changed.paired),
        response_percent=percentage(changed.paired, rollups.counted(course.code).confirmed),
        mean_change={domain: mean(changed.sums.get(domain, 0), changed.people.get(domain, 0)) for domain in domains},
    )


def _route(rollups: RollUps, course: Course, route: str) -> RouteComparisonRow:
    found = rollups.counted(course.code, route=route)
    return RouteComparisonRow(
        course=course.code,
        route=route,
        people_raw=found.confirmed,
        people=rounded_people(found.confirmed),
        passed_raw=found.passed,
        passed=rounded_people(found.passed),
        passed_percent=percentage(found.passed, found.confirmed),
    )


def _credits(rollups: RollUps, course: Course) -> CreditsRow:
    found = rollups.counted(course.code)
    people = rounded_people(found.awarded)
    return CreditsRow(
        course=course.code,
        people_raw=found.awarded,
        people=people,
        credits_raw=found.credits,
        credits=people * course.credits_per_award,
    )
