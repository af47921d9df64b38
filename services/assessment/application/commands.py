"""What somebody asks assessment to do. References of people are only here, never stored, never shown in a repr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.assessment.domain.portfolio import Outcome


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks. `is_limited_to_self`: only allowed what concerns themselves (a practitioner)."""

    reference: str = field(repr=False)
    is_limited_to_self: bool


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """A piece of evidence as it is handed in."""

    ref: str
    kind: str
    domains: tuple[str, ...]
    author_role: str
    author_ref: str | None = field(repr=False)
    made_on: date
    level: str


@dataclass(frozen=True, slots=True)
class AddEvidence:
    """Add pieces, all or none."""

    portfolio_id: str
    actor: Actor
    items: tuple[EvidenceItem, ...]


@dataclass(frozen=True, slots=True)
class InvalidateEvidence:
    """A piece no longer counts from `on`."""

    portfolio_id: str
    actor: Actor
    ref: str
    reason: str
    on: date


@dataclass(frozen=True, slots=True)
class SelfAssessmentItem:
    """One wave of ratings."""

    wave: str
    held_on: date
    ratings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RecordSelfAssessments:
    """Record waves, all or none."""

    portfolio_id: str
    actor: Actor
    items: tuple[SelfAssessmentItem, ...]


@dataclass(frozen=True, slots=True)
class SubmitPortfolio:
    """Hand the portfolio in."""

    portfolio_id: str
    actor: Actor
    on: date


@dataclass(frozen=True, slots=True)
class DecidePortfolio:
    """Verify (no outcome), recommend or confirm."""

    portfolio_id: str
    actor: Actor
    on: date
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class SessionItem:
    """One supervision session as its supervisor tells it."""

    held_on: date
    minutes: int
    uninterrupted: bool
    pcf_discussed: bool


@dataclass(frozen=True, slots=True)
class RecordSupervision:
    """Record sessions with one person, all or none; the actor was the supervisor."""

    practitioner_ref: str = field(repr=False)
    actor: Actor
    items: tuple[SessionItem, ...]
