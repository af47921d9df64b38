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


@dataclass(slots=True)
class Known:
    """What is kept of a person's learning, records that were merged into theirs included.

    `completed` is course -> the latest day; `running` are courses asked for or under way.
    """

    needs: LearningNeeds | None = None
    background: Background | None = None
    completed: dict[str, date] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)


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

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """Return what is kept of each of these people, by id."""
