"""How uploaded files, their rows, withdrawals and previews look as JSON. No decision here."""

from __future__ import annotations

from typing import Any

import msgspec

from services.enrolment.application import snapshots
from services.enrolment.application.column_mappings import document_of as mapping_document
from services.enrolment.application.column_preview import Preview
from services.enrolment.application.uploads import Upload, UploadRow, UploadWithdrawal
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.records import RowFault

Body = dict[str, Any]


def upload(found: Upload, *, is_new: bool = True) -> Body:
    """Return a file's job; `faults` has the fault of the file as a whole, if there is one."""
    fault = [{"code": "unreadable_file", "detail": found.fault, "row": found.fault_row}] if found.fault else []
    return {
        "id": found.upload_id,
        "state": found.state,
        "filename": found.filename,
        "uploaded_at": found.uploaded_at,
        "counts": {"accepted": 0, "duplicate": 0, "refused": 0, **found.counts},
        "rows": found.total,
        "done": found.done,
        "fault": found.fault,
        "fault_row": found.fault_row,
        "faults": fault,
        "same_as": found.same_as,
        "seen_before": not is_new or found.same_as is not None,
        "fault_counts": msgspec.to_builtins(found.fault_counts),
        "mode": found.sending.mode,
        "scope": msgspec.to_builtins(found.scope),
        "withdrawals": {
            "in_scope": found.in_scope,
            "to_withdraw": found.to_withdraw,
            "withdrawn": found.withdrawn,
        },
        "brake": snapshots.brake(found),
    }


def upload_withdrawal(listed: UploadWithdrawal, found: Enrolment | None) -> Body:
    """Return one enrolment that a file ends."""
    return {
        "enrolment_id": listed.enrolment_id,
        "employee_ref": found.employee_ref if found else None,
        "course": found.course if found else None,
        "intake": found.intake if found else None,
        "status": found.status if found else None,
        "line": listed.line,
        "is_withdrawn": listed.is_done,
    }


def preview(found: Preview) -> Body:
    """Return what a file looks like under a mapping."""
    return {
        "mapping": mapping_document(found.mapping),
        "sheets": list(found.sheets),
        "headings": msgspec.to_builtins(found.headings),
        "unmapped": list(found.unmapped),
        "missing": list(found.missing),
        "rows": [{"line": line, "cells": dict(cells)} for line, cells in found.rows],
        "looked_at": found.looked_at,
        "good": found.good,
        "faults": [{"code": code, "field": field, "count": count} for (code, field), count in found.faults.items()],
        "unknown_values": msgspec.to_builtins(found.unknown_values),
        "dates": [
            {
                "field": each.field,
                "formats": list(each.reading.formats),
                "is_ambiguous": each.reading.is_ambiguous,
                "unread": each.reading.unread,
                "example": each.reading.example,
            }
            for each in found.dates
        ],
        "doubts": list(found.doubts),
    }


def upload_row(found: UploadRow) -> Body:
    """Return one row of a file."""
    return {
        "line": found.line,
        "employee_ref": found.record.employee_ref,
        "course": found.record.course,
        "intake": found.record.intake,
        "route": found.record.route,
        "decision": found.decision,
        "codes": list(found.codes),
        "faults": [row_fault(fault) for fault in found.faults],
        "enrolment_id": found.enrolment_id,
    }


def row_fault(fault: RowFault) -> Body:
    """Return one fault of a row."""
    return {"code": fault.code, "field": fault.field, "detail": fault.detail}
