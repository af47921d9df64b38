"""The employer's own intake topic: each (reference, record) gets exactly one answer, however often it comes.

Source: contract, section 4; partnership data rules (`repeat`, `conflicting_duplicate`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from services.enrolment.application.ports import Desk
from services.enrolment.application.taking import take
from services.enrolment.domain import records
from services.enrolment.domain.decisions import DUPLICATE
from services.enrolment.domain.events import FaultNamed, RecordAccepted, RecordIneligible, RecordRefused
from services.enrolment.domain.mapping import Cell, FileMapping, read_row
from services.enrolment.domain.records import FIELDS

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_SHORT_REFERENCE = 4


def answer(desk: Desk, record_ref: str, record: object) -> None:
    """Answer one intake record, or nothing when this very record was answered under this reference."""
    record_hash = _hash(record)
    cells = record if isinstance(record, Mapping) else {}
    opaque = _REFERENCE.fullmatch(record_ref) is not None and not _tells_of_person(record_ref, cells)
    shown = record_ref if opaque else f"sha256-{hashlib.sha256(record_ref.encode('utf-8', 'replace')).hexdigest()}"
    before = desk.answers.answered(shown)
    if record_hash in before:
        return
    desk.answers.add(shown, record_hash, len(before))
    version = len(before) + 1
    if before:
        _refuse(desk, shown, version, records.CONFLICTING_DUPLICATE, "record_ref")
    elif not opaque:
        _refuse(desk, shown, version, records.INVALID_VALUE, "record_ref")
    elif not isinstance(record, Mapping) or set(record) - set(FIELDS):
        _refuse(desk, shown, version, records.INVALID_VALUE, "record")
    else:
        _decide(desk, shown, record)


def _decide(desk: Desk, record_ref: str, cells: Mapping[str, Cell]) -> None:
    outcome = take(desk, [read_row(1, cells, FileMapping())])[0]
    verdict = outcome.verdict
    if verdict.faults:
        faults = tuple(FaultNamed(fault.code, fault.field) for fault in verdict.faults)
        ineligible = not set(records.ELIGIBILITY_CODES).isdisjoint(verdict.codes)
        desk.tell((RecordIneligible if ineligible else RecordRefused)(record_ref, verdict.codes, faults), 1)
        return
    desk.tell(RecordAccepted(record_ref, verdict.decision == DUPLICATE, outcome.enrolment_id), 1)


def _refuse(desk: Desk, record_ref: str, version: int, code: str, field: str) -> None:
    desk.tell(RecordRefused(record_ref, (code,), (FaultNamed(code, field),)), version)


def _hash(record: object) -> str:
    """Return the same hash for the same record, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _tells_of_person(record_ref: str, cells: Mapping[str, Cell]) -> bool:
    """Return whether the reference is, or contains, the employee reference.

    Up to four characters stand in a random reference by chance: such a one counts only as a word of its own.
    """
    value = cells.get("employee_ref")
    reference = str(value).strip().casefold() if isinstance(value, str | int) else ""
    if not reference:
        return False
    given = record_ref.casefold()
    if len(reference) > _SHORT_REFERENCE:
        return reference in given
    return re.search(rf"(?<![a-z0-9]){re.escape(reference)}(?![a-z0-9])", given) is not None
