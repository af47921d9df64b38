"""Who may take a course: what a course asks for, what is known of a person, and what is missing between the two.

A course that asks for nothing here costs nothing and refuses nobody. How a whole row is decided does not live here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from services.enrolment.domain import records
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.records import LEVELS, Record, RowFault

AFTER_ASYE = "asye"
ASYE_LEVEL = "ASYE"
ROLE_CODES = (
    "professional_educator",
    "expert_practitioner",
    "manager",
    "aspiring_manager",
    "leader",
    "supervisor",
)
PCF_DOMAINS = 9
MONTHS_IN_YEAR = 12


@dataclass(frozen=True, slots=True)
class CourseFirst:
    """A course that must have been completed first, on which routes, and how long that counts (None: for ever)."""

    course: str
    routes: tuple[str, ...]
    within_months: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a course asks of who takes it; nothing unless it says so.

    `after` holds course codes or "asye"; an in-house prerequisite counts for `in_house_within_months` (None: for
    ever) before the nomination was approved; one role of `roles` is enough; `open_to` are kinds of organisations whose
    staff may take the whole course, all when empty; `elements` are the courses that anybody else may take alone;
    `rated_domains` are the domains of the PCF that a person rates before they are nominated.
    """

    after: tuple[str, ...] = ()
    courses_first: tuple[CourseFirst, ...] = ()
    in_house_within_months: int | None = None
    roles: tuple[str, ...] = ()
    open_to: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    rated_domains: tuple[int, ...] = ()

    @property
    def needs_standing(self) -> bool:
        """Return whether anything must be known of the person beyond the nomination itself."""
        return bool(self.after or self.courses_first or self.roles or self.open_to or self.rated_domains)


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Standing:
    """What an employer knows of one person: its own kind, their roles, what they completed, which domains they rated.

    `completed` is course -> the latest day of completion; `running` are courses asked for or under way.
    """

    employer_kind: str = ""
    roles: frozenset[str] = frozenset()
    completed: Mapping[str, date] = field(default_factory=dict)
    running: frozenset[str] = frozenset()
    rated_domains: frozenset[int] = frozenset()


def check(asked: Asked) -> None:
    """Refuse what no course can ask; for owners, as what others say is taken as it is.

    Raises:
        RuleSaysNo: Something is named twice, elements are for nobody, or there is no such domain.
    """
    first = [(each.course, route) for each in asked.courses_first for route in each.routes]
    if len(set(first)) != len(first):
        raise RuleSaysNo("a course that comes first is named once for each route")
    if asked.elements and not asked.open_to:
        raise RuleSaysNo("elements are for those to whom the whole course is not open: say to whom it is")
    if set(asked.rated_domains) - set(range(1, PCF_DOMAINS + 1)):
        raise RuleSaysNo("the PCF has nine domains")


def faults(record: Record, asked: Asked, standing: Standing) -> list[RowFault]:
    """Return what keeps the person of `record` from the course, each with what to do about it."""
    return [
        *_in_house_faults(record, asked),
        *_prerequisite_faults(record, asked, standing),
        *_sequence_faults(record.pcf_level, asked, standing),
        *_role_faults(asked, standing),
        *_employer_faults(asked, standing),
        *_rating_faults(asked, standing),
    ]


def route_faults(record: Record, asked: Asked, standing: Standing) -> list[RowFault]:
    """Return what keeps somebody who is on the course from another route: what came first there, and not in time."""
    return [*_in_house_faults(record, asked), *_prerequisite_faults(record, asked, standing)]


def transfer_faults(level: str | None, asked: Asked, standing: Standing) -> list[RowFault]:
    """Return what keeps a person from being taken on with a place of this course.

    What the person had to do before they were nominated (prerequisites of the route, self-ratings) counts as done at
    the employer that nominated them.
    """
    return [
        *_sequence_faults(level, asked, standing),
        *_role_faults(asked, standing),
        *_employer_faults(asked, standing),
    ]


def stages_missing(level: str | None, asked: Asked, standing: Standing) -> tuple[str, ...]:
    """Return what the course comes after and is not done yet. An unknown level is nobody's fault here."""
    return tuple(stage for stage in asked.after if not _is_done(stage, level, standing))


def courses_missing(route: str | None, on: date | None, asked: Asked, standing: Standing) -> tuple[CourseFirst, ...]:
    """Return the courses that must be completed first and are not, or were too long before `on`.

    Without a route those of every route are returned.
    """
    return tuple(
        first
        for first in asked.courses_first
        if (route is None or route in first.routes) and not _counts(standing.completed.get(first.course), on, first)
    )


def has_role(asked: Asked, standing: Standing) -> bool:
    """Return whether the course is for everybody, or for one of the person's roles."""
    return not asked.roles or not standing.roles.isdisjoint(asked.roles)


def is_open_to(asked: Asked, standing: Standing) -> bool:
    """Return whether the whole course is open to staff of this kind of organisation."""
    return not asked.open_to or standing.employer_kind in asked.open_to


def domains_unrated(asked: Asked, standing: Standing) -> tuple[int, ...]:
    """Return the domains that the course wants rated first and that the person has not."""
    return tuple(domain for domain in asked.rated_domains if domain not in standing.rated_domains)


def months_before(day: date, months: int) -> date:
    """Return the same day `months` earlier; the last of the month where there is no such day."""
    index = day.year * MONTHS_IN_YEAR + day.month - 1 - months
    year, month = index // MONTHS_IN_YEAR, index % MONTHS_IN_YEAR + 1
    if year < date.min.year:
        return date.min
    for last in range(day.day, 27, -1):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    return date(year, month, day.day)


def _is_done(stage: str, level: str | None, standing: Standing) -> bool:
    if stage in standing.completed:
        return True
    if stage != AFTER_ASYE:
        return False
    return level not in LEVELS or LEVELS.index(level) > LEVELS.index(ASYE_LEVEL)


def _counts(completed_on: date | None, on: date | None, first: CourseFirst) -> bool:
    if completed_on is None:
        return False
    if first.within_months is None or on is None:
        return True
    return completed_on >= months_before(on, first.within_months)


def _prerequisite_faults(record: Record, asked: Asked, standing: Standing) -> Iterator[RowFault]:
    if record.route not in records.ROUTES:
        return
    for first in courses_missing(record.route, record.manager_approved_on, asked, standing):
        limit = f" within {first.within_months} months before the approval" if first.within_months else ""
        yield RowFault(
            records.PREREQUISITE_MISSING, "course", f"course {first.course} must have been completed first{limit}"
        )


def _in_house_faults(record: Record, asked: Asked) -> Iterator[RowFault]:
    months, met, approved = asked.in_house_within_months, record.prerequisite_on, record.manager_approved_on
    if months is None or met is None or approved is None:
        return
    if met < months_before(approved, months):
        yield RowFault(
            records.PREREQUISITE_MISSING,
            "prerequisite_on",
            f"the prerequisite was met more than {months} months before the approval",
        )


def _sequence_faults(level: str | None, asked: Asked, standing: Standing) -> Iterator[RowFault]:
    for stage in stages_missing(level, asked, standing):
        name = "the ASYE" if stage == AFTER_ASYE else f"course {stage}"
        yield RowFault(records.SEQUENCE_NOT_MET, "course", f"this course comes after {name}")


def _role_faults(asked: Asked, standing: Standing) -> Iterator[RowFault]:
    if not has_role(asked, standing):
        wanted = ", ".join(asked.roles)
        yield RowFault(
            records.ROLE_NOT_ELIGIBLE, "course", f"this course is for people with one of these roles: {wanted}"
        )


def _employer_faults(asked: Asked, standing: Standing) -> Iterator[RowFault]:
    if not is_open_to(asked, standing):
        elements = f"; these may be taken alone: {', '.join(asked.elements)}" if asked.elements else ""
        yield RowFault(
            records.NOT_OPEN_TO_EMPLOYER, "course", f"the whole course is not open to this employer's staff{elements}"
        )


def _rating_faults(asked: Asked, standing: Standing) -> Iterator[RowFault]:
    unrated = domains_unrated(asked, standing)
    if unrated:
        wanted = ", ".join(str(domain) for domain in unrated)
        yield RowFault(records.PCF_RATING_MISSING, "course", f"the person rates these PCF domains first: {wanted}")
