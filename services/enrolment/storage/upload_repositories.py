"""Uploaded files, their jobs and rows, and the employer's own column mapping. No rule lives here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.enrolment.application.uploads import ENDING, REMOVING, WORK_TO_DO, Upload, UploadRow, UploadWithdrawal
from services.enrolment.domain.decisions import ACCEPTED, REFUSED
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version, replacements
from shared.storage.mongo import Document
from shared.storage.rows import chunks
from shared.storage.unit_of_work import Reading

FIRST_SPAN = 250
WIDEST_SPAN = 4000
"""How many rows of a file are looked through at once for those of one decision."""


class StoredUploads:
    """Jobs by id, rows by job and index. Files are `shared.storage.contents`."""

    def __init__(self, reading: Reading) -> None:
        self._jobs = reading.rows("uploads")
        self._rows = reading.rows("upload_rows")
        self._withdrawals = reading.rows("upload_withdrawals")

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

    def latest(self, before: str | None, limit: int, states: Sequence[str]) -> list[Upload]:
        """Return jobs in one of these states that came before the one of that id, latest first."""
        wanted = {"state": {"$in": list(states)}, **({"_id": {"$lt": before}} if before else {})}
        return [value_of(found, Upload) for found in self._jobs.find(wanted, sort=[("_id", -1)], limit=limit)]

    def waiting(self) -> list[Upload]:
        """Return jobs that a worker has something to do for, oldest first."""
        found = self._jobs.find({"state": {"$in": list(WORK_TO_DO)}})
        return sorted((value_of(document, Upload) for document in found), key=lambda upload: upload.upload_id)

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
        """Forget up to `limit` rows, and what the file was to end, from index `first`."""
        for ids in chunks(_ids(upload_id, first, limit)):
            self._rows.delete_many({"_id": {"$in": ids}})
            self._withdrawals.delete_many({"_id": {"$in": ids}})

    def add_rows(self, rows: Sequence[UploadRow]) -> None:
        """Keep checked rows."""
        self._rows.insert_many([_row_document(row) for row in rows])

    def save_rows(self, rows: Sequence[UploadRow]) -> None:
        """Keep changed rows."""
        self._rows.bulk_write(replacements([_row_document(row) for row in rows]))

    def rows(self, upload_id: str, first: int, limit: int, decision: str | None = None) -> list[UploadRow]:
        """Return up to `limit` rows from index `first`, in file order."""
        if decision is None:
            found = [row for ids in chunks(_ids(upload_id, first, limit)) for row in self._in_order(ids)]
        else:
            found = self._decided(upload_id, first, limit, decision)
        return [value_of(document, UploadRow) for document in found]

    def _decided(self, upload_id: str, first: int, limit: int, decision: str) -> list[Document]:
        """Return rows of one decision, looked for in bounded spans: a question without an end reads the whole file."""
        job = self._jobs.find_one({"_id": upload_id}, {"total": 1})
        end, width = (int(job["total"]) if job else 0), FIRST_SPAN
        found: list[Document] = []
        while first < end and len(found) < limit:
            wanted = {"upload_id": upload_id, "decision": decision, "index": {"$gte": first, "$lt": first + width}}
            found += self._rows.find(wanted, sort=[("index", 1)], limit=limit - len(found))
            first, width = first + width, min(WIDEST_SPAN, width * 2)
        return found

    def _in_order(self, ids: Sequence[str]) -> list[Document]:
        return sorted(self._rows.find({"_id": {"$in": list(ids)}}), key=lambda row: row["index"])

    def taken_in(self, upload_id: str, keys: Sequence[str]) -> dict[str, str]:
        """Return key -> fingerprint of the rows of this file found good so far."""
        found = self._of(upload_id, "key", keys)
        return {row["key"]: row["fingerprint"] for row in found if row["decision"] == ACCEPTED}

    def named(self, upload_id: str, keys: Sequence[str]) -> set[str]:
        """Return which of these nominations the file names, in good rows or bad ones, but not to end them."""
        return {row["key"] for row in self._of(upload_id, "key", keys) if row["decision"] != ENDING}

    def refused_people(self, upload_id: str, references: Sequence[str]) -> set[str]:
        """Return which of these employees stand in a refused row of the file."""
        found = self._of(upload_id, "record.employee_ref", references)
        return {row["record"]["employee_ref"] for row in found if row["decision"] == REFUSED}

    def _of(self, upload_id: str, name: str, values: Sequence[str]) -> list[Document]:
        """Return the file's rows by one of their fields; a filter on more would keep the index from being used."""
        return [
            row
            for part in chunks(list(dict.fromkeys(values)))
            for row in self._rows.find({"upload_id": upload_id, name: {"$in": list(part)}})
        ]

    def add_withdrawals(self, listed: Sequence[UploadWithdrawal]) -> None:
        """Keep what a file ends when it is confirmed."""
        self._withdrawals.insert_many([document_of(each, _row_id(each.upload_id, each.index)) for each in listed])

    def save_withdrawals(self, listed: Sequence[UploadWithdrawal]) -> None:
        """Keep changed ones."""
        documents = [document_of(each, _row_id(each.upload_id, each.index)) for each in listed]
        self._withdrawals.bulk_write(replacements(documents))

    def withdrawals(self, upload_id: str, first: int, limit: int) -> list[UploadWithdrawal]:
        """Return up to `limit` of what a file ends, from index `first`."""
        found = [
            row
            for ids in chunks(_ids(upload_id, first, limit))
            for row in self._withdrawals.find({"_id": {"$in": list(ids)}})
        ]
        return [value_of(row, UploadWithdrawal) for row in sorted(found, key=lambda row: int(row["index"]))]

    def listed(self, upload_id: str, enrolment_ids: Sequence[str]) -> set[str]:
        """Return which of these enrolments are on the file's list already."""
        return {
            row["enrolment_id"]
            for part in chunks(enrolment_ids)
            for row in self._withdrawals.find({"upload_id": upload_id, "enrolment_id": {"$in": list(part)}})
        }


def _ids(upload_id: str, first: int, limit: int) -> list[str]:
    """Return the ids of a file's rows: they are known, and a range of ids is slow on the local database."""
    return [_row_id(upload_id, index) for index in range(first, first + limit)]


def _row_document(row: UploadRow) -> Document:
    return document_of(row, _row_id(row.upload_id, row.index))


def _row_id(upload_id: str, index: int) -> str:
    """Return the id of a row: ids stand in file order, and a range of ids is a part of one file."""
    return f"{upload_id}:{index:06d}"


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
