"""The answers to intake records: field for field the data of their event contracts. No value of a record is here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultNamed:
    """One fault of a refused intake record, without its value."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class RecordAccepted:
    """An intake record was taken, or is identical to one already taken."""

    record_ref: str
    duplicate: bool
    enrolment_id: str | None


@dataclass(frozen=True, slots=True)
class RecordRefused:
    """An intake record was refused."""

    record_ref: str
    codes: tuple[str, ...]
    faults: tuple[FaultNamed, ...]


@dataclass(frozen=True, slots=True)
class RecordIneligible(RecordRefused):
    """An intake record was refused, among others because the person may not take the course."""
