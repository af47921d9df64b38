"""Uploaded files, their jobs and rows, and the employer's own column mapping. No rule lives here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from bson.binary import Binary

from services.enrolment.application.uploads import WORK_TO_DO, Upload, UploadRow
from services.enrolment.domain.decisions import ACCEPTED
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.repositories import chunks, following, keep_version, replacements
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading

PART_BYTES = 1024 * 1024


class StoredUploads:
    """Jobs by id, files in parts of 1 MiB, rows by job and index."""

    def __init__(self, reading: Reading) -> None:
        self._jobs = reading.rows("uploads")
        self._parts = reading.rows("upload_parts")
        self._rows = reading.rows("upload_rows")

    def find(self, upload_id: str) -> Upload | None:
        """Return the job, or None."""
        found = self._jobs.find_one({"_id": upload_id})
        return value_of(found, Upload) if found else None

    def same_file(self, sha256: str) -> list[Upload]:
        """Return jobs with that content, latest first."""
        found = [value_of(document, Upload) for document in self._jobs.find({"sha256": sha256})]
        return sorted(found, key=lambda upload: upload.upload_id, reverse=True)

    def page(self, after: str | None, limit: int) -> list[Upload]:
        """Return jobs, oldest first."""
        found = self._jobs.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(document, Upload) for document in found]

    def waiting(self) -> list[Upload]:
        """Return jobs that a worker has something to do for, oldest first."""
        found = [value_of(document, Upload) for state in WORK_TO_DO for document in self._jobs.find({"state": state})]
        return sorted(found, key=lambda upload: upload.upload_id)

    def add(self, upload: Upload, content: bytes) -> None:
        """Keep a new job with its file."""
        self._jobs.insert_one(document_of(upload, upload.upload_id))
        for start in range(0, len(content), PART_BYTES):
            part = start // PART_BYTES
            piece = Binary(content[start : start + PART_BYTES])
            document = {"_id": f"{upload.upload_id}:{part:04d}", "upload_id": upload.upload_id, "content": piece}
            self._parts.insert_one(document)

    def save(self, upload: Upload) -> Upload:
        """Keep the job as its next version and return that."""
        after = replace(upload, version=upload.version + 1)
        keep_version(self._jobs, document_of(after, after.upload_id))
        return after

    def remove(self, upload_id: str) -> None:
        """Forget a job, its file and its rows."""
        self._jobs.delete_one({"_id": upload_id})
        self._parts.delete_many({"upload_id": upload_id})
        self._rows.delete_many({"upload_id": upload_id})

    def content(self, upload_id: str) -> bytes:
        """Return the file."""
        content, part = io.BytesIO(), 0
        while found := self._parts.find_one({"_id": f"{upload_id}:{part:04d}"}):
            content.write(found["content"])
            part += 1
        return content.getvalue()

    def forget_content(self, upload_id: str) -> None:
        """Forget the file, when every row has been decided."""
        self._parts.delete_many({"upload_id": upload_id})

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
