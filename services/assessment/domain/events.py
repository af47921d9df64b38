"""What happened in practice assessment. Fields are exactly what the shared bus may know: no names, no scores' owner.

Self-assessment and supervision carry their own random pseudonyms, never an enrolment's or a practitioner's id:
the university may read this feed, for the practice outcome, and learns from these two only what counts need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PortfolioOpened:
    """A confirmed enrolment on a course with an evidence set opened a portfolio."""

    portfolio_id: str
    practitioner_id: str
    course: str
    intake: str
    route: str
    evidence_set: str


@dataclass(frozen=True, slots=True)
class EvidenceAdded:
    """A piece of evidence joined the portfolio."""

    portfolio_id: str
    evidence_id: str
    kind: str
    domains: tuple[str, ...]
    level: str
    made_on: date


@dataclass(frozen=True, slots=True)
class EvidenceInvalidated:
    """A piece stopped counting."""

    portfolio_id: str
    evidence_id: str
    reason: str
    invalidated_on: date


@dataclass(frozen=True, slots=True)
class SelfAssessmentRecorded:
    """Somebody rated themselves in every domain, before (T0) or after (T1)."""

    evaluation_id: str
    course: str
    intake: str
    wave: str
    held_on: date
    framework: str
    ratings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SupervisionHeld:
    """A supervision session took place."""

    supervisee_id: str
    held_on: date
    is_standard_met: bool
    pcf_discussed: bool


@dataclass(frozen=True, slots=True)
class PortfolioSubmitted:
    """The candidate handed the portfolio in; whether it was enough is another event's matter."""

    portfolio_id: str
    attempt: int
    course: str
    intake: str
    submitted_on: date


@dataclass(frozen=True, slots=True)
class PortfolioReturned:
    """The portfolio was not enough and went back, with everything missing named."""

    portfolio_id: str
    attempt: int
    returned_on: date
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PortfolioVerified:
    """The supervisor stands by the portfolio."""

    portfolio_id: str
    verified_on: date


@dataclass(frozen=True, slots=True)
class PracticeRecommended:
    """The assessor recommended an outcome; which one stays with the employer."""

    portfolio_id: str
    recommended_on: date


@dataclass(frozen=True, slots=True)
class PracticeConfirmed:
    """The employer confirmed the outcome of practice."""

    portfolio_id: str
    enrolment_id: str
    course: str
    intake: str
    route: str
    pcf_level: str
    outcome: str
    confirmed_on: date


@dataclass(frozen=True, slots=True)
class ErasureAcknowledged:
    """What assessment did after the employer erased a person: `erased`, or `nothing_held`."""

    practitioner_id: str
    employer: str
    outcome: str
    reason_code: str | None


PortfolioEvent = (
    PortfolioOpened
    | EvidenceAdded
    | EvidenceInvalidated
    | PortfolioSubmitted
    | PortfolioReturned
    | PortfolioVerified
    | PracticeRecommended
    | PracticeConfirmed
)
Event = PortfolioEvent | SelfAssessmentRecorded | SupervisionHeld | ErasureAcknowledged
