"""Uploaded files, their jobs and rows, and the employer's own column mapping. No rule lives here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.enrolment.application.uploads import REMOVING, WORK_TO_DO, Upload, UploadRow
from services.enrolment.domain.decisions import ACCEPTED
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import chunks, following, keep_version, replacements
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading


class StoredUploads:
    """Jobs by id, rows by job and index. Files are `shared.storage.contents`."""

    def __init__(self, reading: Reading) -> None:
        self._jobs = reading.rows("uploads")
        self._rows = reading.rows("upload_rows")

    def find(self, upload_id: str) -> Upload | None:
        """Return the job, or None."""
        found = self._jobs.find_one({"_id": upload_id, "state": {"$ne": REMOVING}})
        return value_of(found, Upload) if found else None

    def find_any(self, upload_id: str) -> Upload | None:
        """Return the job, one that is being removed too, or None."""
        found = self._jobs.find_one({"_id": upload_id})
        return value_of(found, Upload) if found else None

    def same_file(self, sha256: str) -> list[Upload]:
        """Return jobs with that content, latest first."""
        found = [
            value_of(document, Upload) for document in self._jobs.find({"sha256": sha256, "state": {"$ne": REMOVING}})
        ]
        return sorted(found, key=lambda upload: upload.upload_id, reverse=True)

    def page(self, after: str | None, limit: int) -> list[Upload]:
        """Return jobs, oldest first."""
        found = self._jobs.find({**following(after), "state": {"$ne": REMOVING}}, sort=[("_id", 1)], limit=limit)
        return [value_of(document, Upload) for document in found]

    def waiting(self) -> list[Upload]:
        """Return jobs that a worker has something to do for, oldest first."""
        found = [value_of(document, Upload) for state in WORK_TO_DO for document in self._jobs.find({"state": state})]
        return sorted(found, key=lambda upload: upload.upload_id)

    def add(self, upload: Upload) -> None:
        """Keep a new job."""
        self._jobs.insert_one(document_of(upload, upload.upload_id))

    def save(self, upload: Upload) -> Upload:
        """Keep the job as its next version and return that."""
        after = replace(upload, version=upload.version + 1)
        keep_version(self._jobs, document_of(after, after.upload_id))
        return after

    def remove(self, upload_id: str) -> None:
        """Forget a job."""
        self._jobs.delete_one({"_id": upload_id})

    def remove_rows(self, upload_id: str, first: int, limit: int) -> None:
        """Forget up to `limit` rows from index `first`."""
        self._rows.delete_many({"upload_id": upload_id, "index": {"$gte": first, "$lt": first + limit}})

    def add_rows(self, rows: Sequence[UploadRow]) -> None:
        """Keep checked rows."""
        self._rows.insert_many([_row_document(row) for row in rows])

    def save_rows(self, rows: Sequence[UploadRow]) -> None:
        """Keep changed rows."""
        self._rows.bulk_write(replacements([_row_document(row) for row in rows]))

    def rows(self, upload_id: str, first: int, limit: int, decision: str | None = None) -> list[UploadRow]:
        """Return up to `limit` rows from index `first`, in file order."""
        wanted: dict[str, object] = {"upload_id": upload_id, "index": {"$gte": first}}
        if decision is not None:
            wanted["decision"] = decision
        found = self._rows.find(wanted, sort=[("index", 1)], limit=limit)
        return [value_of(document, UploadRow) for document in found]

    def taken_in(self, upload_id: str, keys: Sequence[str]) -> dict[str, str]:
        """Return key -> fingerprint of the rows of this file found good so far."""
        return {
            row["key"]: row["fingerprint"]
            for part in chunks(keys)
            for row in self._rows.find({"upload_id": upload_id, "key": {"$in": part}, "decision": ACCEPTED})
        }


def _row_document(row: UploadRow) -> Document:
    return document_of(row, f"{row.upload_id}:{row.index:06d}")


class StoredMappings:
    """One document at most."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("column_mappings")

    def find(self) -> tuple[FileMapping, int] | None:
        """Return it with its version, or None."""
        found = self._rows.find_one({"_id": "mapping"})
        return (value_of(found["mapping"], FileMapping), int(found["version"])) if found else None

    def save(self, mapping: FileMapping, version: int) -> int:
        """Keep it as the version after `version` (0: new) and return that."""
        document = {"_id": "mapping", "mapping": document_of(mapping, "mapping"), "version": version + 1}
        keep_version(self._rows, document)
        return version + 1
