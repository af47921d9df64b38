"""What courses, eligibility and advice need from outside, as protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from services.enrolment.domain.courses import ModuleDecision
from services.enrolment.domain.learning_needs import Background, LearningNeeds
from services.enrolment.domain.programmes import Programme


class Programmes(Protocol):
    """The programme lead's own programmes."""

    def find(self, code: str) -> Programme | None:
        """Return the programme, or None."""

    def page(self, after: str | None, limit: int) -> list[Programme]:
        """Return programmes in order of code."""

    def save(self, programme: Programme) -> Programme:
        """Keep the programme as its next version and return that."""


class ModuleDecisions(Protocol):
    """What universities decided about runs of their modules for this programme lead's courses."""

    def of(self, course: str) -> list[ModuleDecision]:
        """Return all about that course."""

    def put(self, decision: ModuleDecision) -> None:
        """Keep the latest decision about an instance."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Which courses a person completed, with the latest day of each, and which are asked for or under way."""

    completed: dict[str, date] = field(default_factory=dict)
    running: frozenset[str] = frozenset()


class Learning(Protocol):
    """What the employer keeps of its people's learning: needs, backgrounds, and what they took."""

    def needs(self, practitioner_id: str) -> LearningNeeds | None:
        """Return the latest self-audit, or None."""

    def save_needs(self, needs: LearningNeeds) -> LearningNeeds:
        """Keep the self-audit as its next version and return that."""

    def background(self, practitioner_id: str) -> Background | None:
        """Return what HR vouches for, or None."""

    def save_background(self, background: Background) -> Background:
        """Keep it as its next version and return that."""

    def many_needs(self, ids: Sequence[str]) -> dict[str, LearningNeeds]:
        """Return the self-audits of these people, by id."""

    def many_backgrounds(self, ids: Sequence[str]) -> dict[str, Background]:
        """Return what HR vouches for of these people, by id."""

    def taken(self, ids: Sequence[str]) -> dict[str, Taken]:
        """Return what each of these people took with this employer; those who took nothing are left out."""
