"""Giving back the lease of an upload that was not finished: its worker ends, and the next one need not wait for it."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.ports import Desk
from services.enrolment.application.uploads import Upload


def give_back(desk: Desk, held: Upload) -> None:
    """Let go of the job that was leased as `held`; one that is finished, or another worker's by now, stays as it is."""
    upload = desk.uploads.find_any(held.upload_id)
    if upload is not None and upload.epoch == held.epoch and upload.leased_until is not None:
        desk.uploads.save(replace(upload, leased_until=None))
