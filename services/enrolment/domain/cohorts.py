"""Cohorts and places as the cohorts' owner keeps them. The rule who gets a seat is in `seats`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.seats import Cohort


@dataclass(frozen=True, slots=True)
class KeptCohort:
    """A cohort with its counts and its days, and the version under which it is kept (0: not yet)."""

    course: str
    intake: str
    cohort: Cohort
    version: int = 0
    starts_on: date | None = None
    ends_on: date | None = None

    def __post_init__(self) -> None:
        if self.starts_on is not None and self.ends_on is not None and self.ends_on < self.starts_on:
            raise RuleSaysNo("a cohort ends after it has started", about="ends_on")


@dataclass(frozen=True, slots=True)
class Place:
    """One request as the cohort's owner keeps it: `number` is its arrival, `state` one of those in `seats`."""

    enrolment_id: str
    request_id: str
    employer: str
    course: str
    intake: str
    number: int
    state: str
    version: int = 1
