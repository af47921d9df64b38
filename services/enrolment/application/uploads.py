"""An uploaded file's job and its rows, as values: checking -> checked -> confirming -> completed; failed; removing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import Record, RowFault

CHECKING = "checking"
CHECKED = "checked"
CONFIRMING = "confirming"
COMPLETED = "completed"
FAILED = "failed"
REMOVING = "removing"  # no longer there for anybody but the worker that forgets it
STATES = (CHECKING, CHECKED, CONFIRMING, COMPLETED, FAILED)
WORK_TO_DO = (CHECKING, CONFIRMING, REMOVING)

CHECKED_PER_STEP = 500
REMOVED_PER_STEP = 500
IMPORTED_PER_STEP = 250  # each row may emit two events, and one commit emits at most 500


@dataclass(frozen=True, slots=True)
class Upload:
    """One job. `done` counts the rows that the present state is through with; `epoch` fences workers."""

    upload_id: str
    filename: str
    sha256: str
    bytes: int
    content_id: str
    mapping: FileMapping
    uploaded_at: datetime
    state: str = CHECKING
    done: int = 0
    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    fault: str | None = None
    fault_row: int | None = None
    same_as: str | None = None
    epoch: int = 0
    leased_until: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One row of a file: what was read, what was decided. `cells` hold a refused row as it was sent."""

    upload_id: str
    index: int
    line: int
    record: Record
    faults: tuple[RowFault, ...]
    decision: str
    codes: tuple[str, ...]
    key: str
    fingerprint: str
    cells: dict[str, str] = field(default_factory=dict)
    enrolment_id: str | None = None
