"""What erasure, access requests and retention need from storage, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from services.enrolment.domain.erasures import Erasure
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.retention import Periods, RetentionRun
from services.enrolment.domain.traces import Traces


class Erasures(Protocol):
    """Every erasure that was ever asked for; none is forgotten, none names anybody."""

    def find(self, erasure_id: str) -> Erasure | None:
        """Return it, or None."""

    def latest(self, practitioner_id: str) -> Erasure | None:
        """Return the last one of a person, or None."""

    def page(self, after: str | None, limit: int) -> list[Erasure]:
        """Return erasures, oldest first."""

    def running(self) -> list[Erasure]:
        """Return those that a worker has to bring forward."""

    def add(self, erasure: Erasure) -> Erasure:
        """Keep a new one and return it as kept."""

    def save(self, erasure: Erasure) -> Erasure:
        """Keep it as its next version and return that."""

    def shut(self, practitioner_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these persons no door takes any more."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one collection holds of a person, row by row as plain texts."""

    collection: str
    purpose: str
    rows: list[dict[str, str]]
    is_cut: bool


class Everywhere(Protocol):
    """All of one employer's enrolment database, looked through for a person."""

    def people(self, practitioner_id: str) -> list[Practitioner]:
        """Return the person and everybody who was merged into them."""

    def steps(self) -> Sequence[str]:
        """Return the collections in the order in which they are gone through."""

    def clean(self, collection: str, after: str | None, traces: Traces) -> tuple[str | None, int]:
        """Clean the next part of a collection; return where to go on (None: it is through) and how much changed."""

    def files_before(self, moment: datetime) -> bool:
        """Return whether a file that came before is still at work or still lies there."""

    def remove_person(self, traces: Traces) -> int:
        """Remove the person's own rows, the last thing of an erasure; return the version of the last of them."""

    def report(self, traces: Traces) -> list[Held]:
        """Return all that is held of a person, for the person."""


@dataclass(frozen=True, slots=True)
class Due:
    """How much of one kind is older than its period, and since when the oldest has been there."""

    kind: str
    count: int
    oldest_on: date | None


class Ageing(Protocol):
    """What is kept for a time only."""

    def periods(self) -> Periods:
        """Return the employer's periods, the defaults where it has set none."""

    def set_periods(self, periods: Periods) -> Periods:
        """Keep them as their next version and return that."""

    def due(self, kind: str, before: datetime) -> Due:
        """Return what a run would remove."""

    def remove(self, kind: str, before: datetime, limit: int) -> int:
        """Remove up to `limit` things of a kind; return how many went."""

    def left_before(self, day: date, after: str | None, limit: int) -> list[str]:
        """Return the next people whose last employment ended before `day` and of whose erasure nobody has decided."""

    def runs(self, state: str | None = None) -> list[RetentionRun]:
        """Return runs, latest first."""

    def run(self, run_id: str) -> RetentionRun | None:
        """Return one run, or None."""

    def keep_run(self, run: RetentionRun) -> RetentionRun:
        """Keep a run as its next version and return that."""


Changed = Mapping[str, int]
