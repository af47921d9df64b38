"""An uploaded file's job and its rows, as values.

mapping (only where nobody knew its headings) ->
checking -> comparing (a snapshot, or rows that end something) -> checked or held -> confirming -> withdrawing ->
completed; failed; removing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import Record, RowFault

MAPPING = "mapping"  # waits for a person to say what its columns are
CHECKING = "checking"
COMPARING = "comparing"
CHECKED = "checked"
HELD = "held"
CONFIRMING = "confirming"
WITHDRAWING = "withdrawing"
COMPLETED = "completed"
FAILED = "failed"
REMOVING = "removing"  # no longer there for anybody but the worker that forgets it
STATES = (MAPPING, CHECKING, COMPARING, CHECKED, HELD, CONFIRMING, WITHDRAWING, COMPLETED, FAILED)
CONFIRMED_STATES = (CONFIRMING, WITHDRAWING, COMPLETED)
WORK_TO_DO = (CHECKING, COMPARING, CONFIRMING, WITHDRAWING, REMOVING)

DELTA = "delta"
SNAPSHOT = "snapshot"
MODES = (DELTA, SNAPSHOT)
ENDING = "ending"
"""The decision about a row by which the sender ends a nomination."""

CHECKED_PER_STEP = 500
REMOVED_PER_STEP = 500
COMPARED_PER_STEP = 200
WITHDRAWN_PER_STEP = 100
IMPORTED_PER_STEP = 250  # each row may emit two events, and one commit emits at most 500


@dataclass(frozen=True, slots=True, order=True)
class ScopeCohort:
    """One cohort that a snapshot speaks for."""

    course: str
    intake: str


@dataclass(frozen=True, slots=True)
class FaultCount:
    """How many rows have one kind of fault in one field, and the first of them."""

    code: str
    field: str
    count: int
    first_line: int


@dataclass(frozen=True, slots=True)
class Sending:
    """What the sender declares about a file: who sends it, what it leaves out on purpose, and for which cohorts.

    A snapshot without `cohort` speaks for every cohort that it names. `reason` is why those whom it leaves out go.
    """

    mode: str = DELTA
    cohort: ScopeCohort | None = None
    reason: str = "other"
    by: str | None = None


NOTHING_DECLARED = Sending()


@dataclass(frozen=True, slots=True)
class Upload:
    """One job. `done` counts the rows that the present state is through with; `epoch` fences workers.

    `scope` are the cohorts that a snapshot speaks for, `in_scope` how many live enrolments they have, `to_withdraw` how
    many of those end with it; `compared` and `compared_after` say how far the comparison is.
    """

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
    sending: Sending = NOTHING_DECLARED
    fault_counts: tuple[FaultCount, ...] = ()
    nameless_line: int | None = None
    scope: tuple[ScopeCohort, ...] = ()
    compared: int = 0
    compared_after: str | None = None
    in_scope: int = 0
    to_withdraw: int = 0
    withdrawn: int = 0
    confirmed_by: str | None = None


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


@dataclass(frozen=True, slots=True)
class UploadWithdrawal:
    """One live enrolment that ends when the file is confirmed. `line` is the row that says so, if one does.

    It names nobody: who that is stands in the enrolment alone.
    """

    upload_id: str
    index: int
    enrolment_id: str
    line: int | None = None
    is_done: bool = False


def counted(known: tuple[FaultCount, ...], rows: list[tuple[int, tuple[RowFault, ...]]]) -> tuple[FaultCount, ...]:
    """Return the counts with the faults of more rows (line, faults), each kind once per row, in order of first line."""
    found = {(each.code, each.field): each for each in known}
    for line, faults in rows:
        for kind in dict.fromkeys((fault.code, fault.field) for fault in faults):
            before = found.get(kind)
            count, first = (before.count, min(before.first_line, line)) if before else (0, line)
            found[kind] = FaultCount(*kind, count + 1, first)
    return tuple(sorted(found.values(), key=lambda each: (each.first_line, each.code, each.field)))
