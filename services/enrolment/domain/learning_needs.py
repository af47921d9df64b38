"""What a person and their employer write down so that advice and eligibility can be given: needs, roles, prior courses.

Needs are the person's own self-audit against a framework; roles and prior courses are what HR vouches for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.domain.courses import PCF
from services.enrolment.domain.eligibility import PCF_DOMAINS, ROLE_CODES
from services.enrolment.domain.errors import RuleSaysNo

LEAST_RATING = 1
MOST_RATING = 5


@dataclass(frozen=True, slots=True)
class Need:
    """How a person rates themselves in one domain of a framework: 1 needs most, 5 needs nothing."""

    framework: str
    domain: int
    rating: int


@dataclass(frozen=True, slots=True)
class LearningNeeds:
    """A person's latest self-audit."""

    practitioner_id: str
    audited_on: date
    needs: tuple[Need, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        if len({(need.framework, need.domain) for need in self.needs}) != len(self.needs):
            raise RuleSaysNo("each domain of a framework is rated once")
        if any(not LEAST_RATING <= need.rating <= MOST_RATING for need in self.needs):
            raise RuleSaysNo("a rating is 1 to 5")
        if any(need.framework == PCF and not 1 <= need.domain <= PCF_DOMAINS for need in self.needs):
            raise RuleSaysNo("the PCF has nine domains")

    @property
    def rated(self) -> frozenset[int]:
        """Return the domains of the PCF that were rated."""
        return frozenset(need.domain for need in self.needs if need.framework == PCF)


@dataclass(frozen=True, slots=True)
class PriorCourse:
    """A course completed before or outside the platform, for which HR vouches."""

    course: str
    completed_on: date


@dataclass(frozen=True, slots=True)
class Background:
    """What HR vouches for: the person's roles, those they plan for included, and courses completed elsewhere."""

    practitioner_id: str
    roles: tuple[str, ...] = ()
    prior_courses: tuple[PriorCourse, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        if set(self.roles) - set(ROLE_CODES) or len(set(self.roles)) != len(self.roles):
            raise RuleSaysNo("each role is one of the known ones, once")
        if len({prior.course for prior in self.prior_courses}) != len(self.prior_courses):
            raise RuleSaysNo("a prior course is named once")


def together(one: Background, other: Background) -> Background:
    """Return what is vouched for of one person in two records that turned out to be the same person's."""
    days = {prior.course: prior.completed_on for prior in one.prior_courses}
    for prior in other.prior_courses:
        days[prior.course] = max(prior.completed_on, days.get(prior.course, prior.completed_on))
    return replace(
        one,
        roles=tuple(dict.fromkeys([*one.roles, *other.roles])),
        prior_courses=tuple(PriorCourse(course, day) for course, day in sorted(days.items())),
    )
