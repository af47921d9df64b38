"""What people ask accreditation to do, as plain values. No rule lives here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.accreditation.domain.candidacy import MarkKind
from services.accreditation.domain.modules import Partners, Proposal, ShellModule


@dataclass(frozen=True, slots=True)
class DefineModule:
    """Set a shell module; its version is given here, never by the asker."""

    module: ShellModule


@dataclass(frozen=True, slots=True)
class ProposeInstance:
    """Ask to run a module for a cohort."""

    proposal: Proposal
    partners: Partners


@dataclass(frozen=True, slots=True)
class ApproveInstance:
    """Approve a run from a day."""

    instance_id: str
    approved_on: date


@dataclass(frozen=True, slots=True)
class RefuseInstance:
    """Refuse a run."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class HandIn:
    """Record a candidate's work."""

    registration_id: str
    submitted_on: date
    words: int


@dataclass(frozen=True, slots=True)
class GiveMark:
    """Give a mark; `by` is the marker's token subject."""

    registration_id: str
    kind: MarkKind
    mark: int
    by: str


@dataclass(frozen=True, slots=True)
class ConveneBoard:
    """Call a board over instances."""

    held_on: date
    instance_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RatifyBoard:
    """Ratify; `by` is the registrar's token subject. With `today` a board of a day to come is refused."""

    board_id: str
    by: str
    today: date | None = None
