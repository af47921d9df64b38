"""Courses as their owner, the programme lead, keeps them: terms, what they ask for, how they are described.

Their accreditation follows the awarding university once it has decided; until then it is what the owner says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.domain import eligibility
from services.enrolment.domain.eligibility import NOTHING_ASKED, Asked
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.records import ACADEMIC, LEVELS, ROUTES

COURSE_LEVELS = ("ALL", *LEVELS)
NO_CREDIT = "none"
PENDING = "pending"
APPROVED = "approved"
ACCREDITATIONS = (NO_CREDIT, PENDING, APPROVED)

COURSE = "course"
KINDS = (
    COURSE,
    "online_course",
    "webinar",
    "self_study",
    "workshop",
    "conference",
    "shadowing",
    "reading",
    "peer_group",
    "team_activity",
    "coaching",
    "career_counselling",
    "in_house_training",
)
WITHOUT_INTAKE = frozenset({"online_course", "webinar", "self_study", "shadowing", "reading", "team_activity"})
"""Kinds that can be taken at any time, whether or not they have a cohort."""
BITE_SIZE_MINUTES = 60
MOST_CREDITS = 180
MOST_MINUTES = 100_000
CODE_FORM = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
VERSION_FORM = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}"
LINK_FORM = r"https://[A-Za-z0-9._~:/?#@!$&()*+,;=%-]{1,500}"
PCF = "pcf"


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """What a course asks for first, in its owner's words, and on which routes it binds."""

    text: str
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handbook:
    """One version of a course's handbook, in force from a day until the next one."""

    version: str
    link: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Developed:
    """A domain of a framework that a course develops; a course may develop several, of several frameworks."""

    framework: str
    domain: int


@dataclass(frozen=True, slots=True)
class Activity:
    """One part of a course that is a piece of CPD of its own; `with_peers`: it has peer reflection in it."""

    kind: str
    minutes: int
    with_peers: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """What a course is in the catalogue. `minutes` are for what carries no credit; `parts` for what has several.

    Source: an activity of two parts, online and in the team, is two pieces of CPD.
    """

    kind: str = COURSE
    minutes: int | None = None
    parts: tuple[Activity, ...] = ()
    micro_credential_by: str | None = None
    develops: tuple[Developed, ...] = ()
    handbooks: tuple[Handbook, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS or any(part.kind not in KINDS for part in self.parts):
            raise RuleSaysNo("the catalogue has no such kind of learning")
        if self.minutes is not None and self.parts:
            raise RuleSaysNo("a course with parts has its minutes in the parts")
        versions = {handbook.version for handbook in self.handbooks}
        days = {handbook.valid_from for handbook in self.handbooks}
        if min(len(versions), len(days)) != len(self.handbooks):
            raise RuleSaysNo("each version of a handbook has a name and a first day of its own")
        if len(set(self.develops)) != len(self.develops):
            raise RuleSaysNo("a domain of a framework is named once")

    @property
    def length(self) -> int | None:
        """Return how many minutes it takes in all; None when nobody says."""
        return sum(part.minutes for part in self.parts) if self.parts else self.minutes

    @property
    def bite_size(self) -> bool:
        """Return whether it is short enough to be taken in between."""
        return self.length is not None and self.length <= BITE_SIZE_MINUTES

    @property
    def cpd_pieces(self) -> int:
        """Return how many pieces of CPD it comes to."""
        return max(1, len(self.parts))

    @property
    def cpd_pieces_with_peers(self) -> int:
        """Return how many of those have peer reflection in them."""
        return sum(part.with_peers for part in self.parts)


PLAIN = Description()


@dataclass(frozen=True, slots=True)
class Course:
    """One course. `evidence_set` None: it ends by completion, without a portfolio.

    `prerequisites` are further ones in the owner's words, besides `prerequisite`. `accredited_from` is the day that
    the awarding university stated; None: it has not, or not for this course.
    """

    code: str
    title: str
    level: str
    routes: tuple[str, ...]
    credits: int = 0
    accreditation: str = NO_CREDIT
    awarding_hei: str | None = None
    module: str | None = None
    prerequisite: Prerequisite | None = None
    evidence_set: str | None = None
    prerequisites: tuple[Prerequisite, ...] = ()
    eligibility: Asked = NOTHING_ASKED
    description: Description = PLAIN
    accredited_from: date | None = None
    version: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.routes) - set(ROUTES)
        if unknown or not self.routes or len(set(self.routes)) != len(self.routes):
            raise RuleSaysNo("a course has one or both routes, each once", about="routes")
        if self.awarding_hei is not None and ACADEMIC not in self.routes:
            raise RuleSaysNo("only a course with the academic route has an awarding university", about="awarding_hei")
        if self.credits and self.description.length is not None:
            raise RuleSaysNo("a course has credits or minutes, not both", about="credits")
        eligibility.check(self.eligibility)
        named = {*self.eligibility.after, *(first.course for first in self.eligibility.courses_first)}
        if self.code in named or self.code in self.eligibility.elements:
            raise RuleSaysNo("a course neither comes after itself nor is an element of itself")

    @property
    def prerequisite_routes(self) -> tuple[str, ...]:
        """Return the routes on which something must have been met in-house first, in the order of the routes."""
        asked = [self.prerequisite] if self.prerequisite else []
        bound = {route for each in (*asked, *self.prerequisites) for route in each.routes}
        return tuple(route for route in ROUTES if route in bound)


@dataclass(frozen=True, slots=True)
class ModuleDecision:
    """What a university decided about a run of its module for a course; `approved_on` None: it refused."""

    hei: str
    instance_id: str
    module: str
    course: str
    intake: str
    approved_on: date | None


def accredited(course: Course, decisions: Sequence[ModuleDecision]) -> Course:
    """Return the course with the accreditation that its awarding university has decided, if it has.

    Only the course's own awarding university counts, and only its module where the course names one. One approval is
    enough, from the earliest day; refusals alone make it none. The order in which they are heard does not matter.
    """
    own = [
        decision
        for decision in decisions
        if decision.course == course.code
        and decision.hei == course.awarding_hei
        and course.module in (None, decision.module)
    ]
    if not own:
        return replace(course, accredited_from=None)
    days = [decision.approved_on for decision in own if decision.approved_on is not None]
    if not days:
        return replace(course, accreditation=NO_CREDIT, accredited_from=None)
    return replace(course, accreditation=APPROVED, accredited_from=min(days))


def credit_possible(accreditation: str, accredited_from: date | None, on: date) -> bool:
    """Return whether credit can be worked for on that day: approved, and not before the day that was stated."""
    return accreditation == APPROVED and (accredited_from is None or accredited_from <= on)


def handbook_on(handbooks: Sequence[Handbook], day: date) -> Handbook | None:
    """Return the version in force on `day`; None before the first."""
    in_force = [handbook for handbook in handbooks if handbook.valid_from <= day]
    return max(in_force, key=lambda handbook: handbook.valid_from) if in_force else None
