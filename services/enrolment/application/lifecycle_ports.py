"""What the lifecycle needs from outside, as protocols: an employer's settings, and transfers at both ends."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from services.enrolment.domain.lifecycle_settings import LifecycleSettings
from services.enrolment.domain.transfers import Handover, Incoming


class OwnSettings(Protocol):
    """What this employer has decided about its enrolments."""

    def find(self) -> LifecycleSettings:
        """Return its decisions, the defaults (version 0) where it has made none."""

    def save(self, settings: LifecycleSettings) -> LifecycleSettings:
        """Keep them as the next version and return that."""


class IncomingTransfers(Protocol):
    """Places that other employers give over to this one, by the id of the enrolment there."""

    def find(self, enrolment_id: str) -> Incoming | None:
        """Return the transfer, or None."""

    def page(self, after: str | None, limit: int, state: str | None) -> list[Incoming]:
        """Return transfers in order of id, of one state where given."""

    def save(self, incoming: Incoming) -> Incoming:
        """Keep it as its next version and return that."""


class Handovers(Protocol):
    """Places on their way from one employer to another, as the cohort's owner keeps them."""

    def find(self, enrolment_id: str) -> Handover | None:
        """Return the handover of the place of that (old) enrolment, or None."""

    def overdue(self, today: date, limit: int) -> list[Handover]:
        """Return handovers that nobody accepted until their last day, which is over."""

    def save(self, handover: Handover) -> Handover:
        """Keep it as its next version and return that."""
