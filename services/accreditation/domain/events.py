"""What accreditation tells the others, as plain values.

No marks, names, employee numbers or registration numbers may ever stand here: every field goes on the shared bus.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """A run of a shell module as partners may know it."""

    instance_id: str
    module: str
    course: str
    intake: str
    course_owner: str
    proposed_by: str
    delivered_by: tuple[str, ...]
    credits: int
    level: int
    version: int


@dataclass(frozen=True, slots=True)
class ModuleProposed:
    """A delivering partner asked to run a shell module."""

    facts: InstanceFacts


@dataclass(frozen=True, slots=True)
class ModuleApproved:
    """The awarding university approved the run from `approved_on`."""

    facts: InstanceFacts
    approved_on: date


@dataclass(frozen=True, slots=True)
class ModuleRefused:
    """The awarding university refused the run."""

    facts: InstanceFacts


@dataclass(frozen=True, slots=True)
class CandidateRegistered:
    """A confirmed candidate is known to the university and placed on a run."""

    registration_id: str
    enrolment_id: str
    employer: str
    instance_id: str
    course: str
    intake: str
    version: int


@dataclass(frozen=True, slots=True)
class WorkSubmitted:
    """A candidate handed in academic work."""

    registration_id: str
    enrolment_id: str
    employer: str
    submitted_on: date
    version: int


@dataclass(frozen=True, slots=True)
class BoardRatified:
    """An exam board ratified what lay before it."""

    board_id: str
    held_on: date
    instance_ids: tuple[str, ...]
    version: int


@dataclass(frozen=True, slots=True)
class CreditAwarded:
    """Credit was awarded: once for a person and a module, for ever."""

    credit_id: str
    registration_id: str
    enrolment_id: str
    employer: str
    course: str
    intake: str
    module: str
    credits: int
    level: int
    awarded_on: date


@dataclass(frozen=True, slots=True)
class ErasureAcknowledged:
    """What this university did after an employer erased a person: `erased`, `nothing_held`, or `kept` and why."""

    practitioner_id: str
    employer: str
    outcome: str
    reason_code: str | None
    version: int


AccreditationEvent = (
    ModuleProposed
    | ModuleApproved
    | ModuleRefused
    | CandidateRegistered
    | WorkSubmitted
    | BoardRatified
    | CreditAwarded
    | ErasureAcknowledged
)
