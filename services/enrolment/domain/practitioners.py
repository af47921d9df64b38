"""A practitioner as the employer keeps them, with dated line managers. Only this employer ever sees these details."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.domain.records import Record


@dataclass(frozen=True, slots=True)
class LineManager:
    """Who manages the line from a day on, that day included. `line_manager_id` is opaque; None: nobody."""

    line_manager_ref: str | None
    line_manager_id: str | None
    from_on: date


@dataclass(frozen=True, slots=True)
class Practitioner:
    """One person of one employer. `line_managers` are in order of their days."""

    practitioner_id: str
    employee_ref: str
    given_name: str | None
    family_name: str | None
    email: str | None
    date_of_birth: date | None
    swe_number: str | None
    pcf_level: str | None
    employment_start: date | None
    job_title: str | None = None
    team: str | None = None
    fte: str | None = None
    line_managers: tuple[LineManager, ...] = ()
    version: int = 0


def from_record(practitioner_id: str, record: Record) -> Practitioner:
    """Return the person that a taken record describes, not yet kept."""
    return Practitioner(
        practitioner_id=practitioner_id,
        employee_ref=record.employee_ref or "",
        given_name=record.given_name,
        family_name=record.family_name,
        email=record.email,
        date_of_birth=record.date_of_birth,
        swe_number=record.swe_number,
        pcf_level=record.pcf_level,
        employment_start=record.employment_start,
        job_title=record.job_title,
        team=record.team,
        fte=record.fte,
    )


def described_again(known: Practitioner, described: Practitioner) -> Practitioner:
    """Return `known` with the details of a later description; line managers and version stay as they are."""
    return replace(described, line_managers=known.line_managers, version=known.version)


def managed_by(person: Practitioner, manager: LineManager) -> Practitioner:
    """Return the person with a line manager from a day on; another one of the same day is replaced."""
    others = [known for known in person.line_managers if known.from_on != manager.from_on]
    return replace(person, line_managers=tuple(sorted([*others, manager], key=lambda each: each.from_on)))


def manager_on(person: Practitioner, day: date) -> LineManager | None:
    """Return who manages the line on `day`; None before the first."""
    known = [manager for manager in person.line_managers if manager.from_on <= day]
    return known[-1] if known else None
