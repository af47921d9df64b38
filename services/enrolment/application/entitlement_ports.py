"""What is kept of people's registration with the regulator, and of the time that they are given to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from services.enrolment.domain.entitlements import AsyeAgreement, CpdEntitlement, CpdItem
from services.enrolment.domain.registrations import RegisterFault, Registration


@dataclass(frozen=True, slots=True)
class RegisterCheck:
    """One register file held against the employer's people, and what it came to.

    `after` is the last person who was looked at, `leased_until` how long whoever is at work on it is left alone. What
    was read of the file is kept as `content_id` until the check is done; the file itself never is.
    """

    check_id: str
    checked_on: date
    is_done: bool
    rows: int
    refused: int
    faults: tuple[RegisterFault, ...]
    registered: int = 0
    lapsed: int = 0
    not_found: int = 0
    without_number: int = 0
    after: str | None = None
    content_id: str | None = None
    leased_until: datetime | None = None


class Registrations(Protocol):
    """Findings of people, and the checks that they come from."""

    def many(self, ids: Sequence[str]) -> dict[str, Registration]:
        """Return what was found, by person."""

    def save(self, known: Sequence[Registration], new: Sequence[Registration]) -> None:
        """Keep changed ones and first ones."""

    def page(self, status: str, after: str | None, limit: int) -> list[Registration]:
        """Return people's findings of one status, in order of id."""

    def save_check(self, check: RegisterCheck) -> None:
        """Keep a check, in place of itself as it was before."""

    def check(self, check_id: str) -> RegisterCheck | None:
        """Return a check, or None."""

    def checks(self, after: str | None, limit: int) -> list[RegisterCheck]:
        """Return checks, oldest first."""

    def checks_at_work(self) -> list[RegisterCheck]:
        """Return checks for which what was read of their file is still kept, oldest first."""


class Entitlements(Protocol):
    """ASYE agreements, the employer's days of CPD a year, and what was used of them."""

    def agreement(self, practitioner_id: str) -> AsyeAgreement | None:
        """Return what was agreed with one person, or None."""

    def save_agreement(self, agreement: AsyeAgreement) -> None:
        """Keep it in place of the one before."""

    def cpd(self) -> CpdEntitlement | None:
        """Return the employer's days a year, or None."""

    def save_cpd(self, entitlement: CpdEntitlement) -> None:
        """Keep them in place of those before."""

    def add_item(self, item: CpdItem) -> None:
        """Keep a used day."""

    def items(self, practitioner_id: str, from_on: date, until_on: date, limit: int) -> list[CpdItem]:
        """Return a person's used days between two days, both included, in order of day."""
