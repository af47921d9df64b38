"""The employer's practitioners, and to whom an identity was released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import chunks, following
from shared.storage.unit_of_work import Reading, Work


class StoredPeople:
    """Practitioners by opaque id."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._rows = reading.rows("practitioners")

    def find(self, practitioner_id: str) -> Practitioner | None:
        """Return the person, or None."""
        found = self._rows.find_one({"_id": practitioner_id})
        return value_of(found, Practitioner) if found else None

    def many(self, ids: Sequence[str]) -> dict[str, Practitioner]:
        """Return the persons found, by id."""
        found = [row for part in chunks(ids) for row in self._rows.find({"_id": {"$in": part}})]
        return {row["_id"]: value_of(row, Practitioner) for row in found}

    def page(self, after: str | None, limit: int) -> list[Practitioner]:
        """Return persons in order of id."""
        found = self._rows.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(row, Practitioner) for row in found]

    def save(self, people: Sequence[Practitioner]) -> list[Practitioner]:
        """Keep each as its next version and return those, in the same order."""
        kept = [replace(person, version=person.version + 1) for person in people]
        documents = [document_of(person, person.practitioner_id) for person in kept]
        self._rows.insert_many([document for document in documents if document["version"] == 1])
        for document in documents:
            if document["version"] > 1:
                self._rows.replace_version(document, document["version"] - 1)
        return kept

    def log_release(self, practitioner_id: str, asking: str, purpose: str) -> None:
        """Keep who was given whose identity, why and when."""
        work = cast("Work", self._reading)
        release = {"practitioner_id": practitioner_id, "asking": asking, "purpose": purpose, "released_at": work.now}
        work.rows("identity_releases").insert_one({"_id": work.new_id(), **release})
