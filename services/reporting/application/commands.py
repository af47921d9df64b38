"""What can be asked of reporting, and what it hears from others in its own words. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.reporting.application.ports import KnownCourse
from services.reporting.domain.facts import Fact


@dataclass(frozen=True, slots=True)
class ClosePublication:
    """The board's officer closes the tables as they stand."""

    title: str


@dataclass(frozen=True, slots=True)
class CourseHeard:
    """The programme lead published a course, or published it again."""

    course: KnownCourse


@dataclass(frozen=True, slots=True)
class NominationHeard:
    """An employer took a row and asked for a seat."""

    employer: str
    enrolment_id: str
    course: str
    route: str
    level: str
    requested_on: date


@dataclass(frozen=True, slots=True)
class FactHeard:
    """Something became true of an employer's enrolment."""

    employer: str
    enrolment_id: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class ConfirmedHeard:
    """An employer confirmed its enrolment, on a route."""

    employer: str
    enrolment_id: str
    route: str


@dataclass(frozen=True, slots=True)
class CreditHeard:
    """A university awarded credit for an employer's enrolment."""

    employer: str
    enrolment_id: str
    credit_id: str
    credits: int


@dataclass(frozen=True, slots=True)
class SelfAssessmentHeard:
    """Somebody rated themselves; who, only their employer knows."""

    employer: str
    evaluation_id: str
    course: str
    wave: str
    framework: str
    ratings: Mapping[str, int]
