"""The employer's practitioners, who of them may be one person, and to whom an identity was released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from services.enrolment.application.duplicate_ports import Candidate
from services.enrolment.domain.duplicates import SAME_EMAIL, SAME_NAME_AND_BIRTH, match_keys
from services.enrolment.domain.errors import PersonErased
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.erasure_repositories import StoredErasures
from services.enrolment.storage.keeping import chunks, following
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading, Work

_MATCHED_BY = ("swe_number", "match_name", "match_email")


class StoredPeople:
    """Practitioners by opaque id."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._rows = reading.rows("practitioners")
        self._candidates = reading.rows("practitioner_duplicates")
        self._merged: dict[str, str] | None = None

    def find(self, practitioner_id: str) -> Practitioner | None:
        """Return the person, or None."""
        found = self._rows.find_one({"_id": practitioner_id})
        return value_of(found, Practitioner) if found else None

    def many(self, ids: Sequence[str]) -> dict[str, Practitioner]:
        """Return the persons found, by id."""
        found = [row for part in chunks(ids) for row in self._rows.find({"_id": {"$in": part}})]
        return {row["_id"]: value_of(row, Practitioner) for row in found}

    def page(self, after: str | None, limit: int) -> list[Practitioner]:
        """Return persons in order of id; who was merged into another is not listed."""
        found = self._rows.find({"merged_into": None, **following(after)}, sort=[("_id", 1)], limit=limit)
        return [value_of(row, Practitioner) for row in found]

    def save(self, people: Sequence[Practitioner]) -> list[Practitioner]:
        """Keep each as its next version and return those, in the same order.

        Raises:
            PersonErased: One of them was erased, or is being erased: nothing may be written that nobody looks for.
        """
        if StoredErasures(self._reading).shut([person.practitioner_id for person in people]):
            raise PersonErased("this person was erased: say on purpose that they are back")
        kept = [replace(person, version=person.version + 1) for person in people]
        documents = [_document(person) for person in kept]
        self._rows.insert_many([document for document in documents if document["version"] == 1])
        for document in documents:
            if document["version"] > 1:
                self._rows.replace_version(document, document["version"] - 1)
        if any(person.merged_into for person in [*people, *kept]):
            self._merged = None
        return kept

    def survivor_of(self, practitioner_id: str) -> str:
        """Return the id that this one leads to: itself, unless it was merged into another."""
        merged = self._merges()
        while practitioner_id in merged:
            practitioner_id = merged[practitioner_id]
        return practitioner_id

    def merged_into(self, practitioner_id: str) -> list[Practitioner]:
        """Return everybody whose id leads to this one, in order of id."""
        ids = [one for one in self._merges() if self.survivor_of(one) == practitioner_id]
        return [person for _, person in sorted(self.many(ids).items())]

    def forget_merges(self) -> None:
        """Look again at who was merged: somebody just was."""
        self._merged = None

    def candidates(self, after: str | None, limit: int) -> list[Candidate]:
        """Return pairs that are alike in something and not said to be two, in order of their name.

        Looked for when somebody asks, not whenever a person is kept: that would double the time that a file takes.
        """
        pairs: dict[str, Candidate] = {}
        for field in _MATCHED_BY:
            for ids in self._alike(field):
                first, *others = sorted(ids)
                for other in others:
                    pair = Candidate.of(first, other)
                    pairs[pair.pair] = pair
        wanted = sorted(name for name in pairs if after is None or name > after)
        apart = {row["_id"] for row in self._candidates.find({"kept_apart": True}, projection={"_id": 1})}
        return [pairs[name] for name in wanted if name not in apart][:limit]

    def save_candidate(self, candidate: Candidate) -> None:
        """Keep what is known of a pair."""
        self._candidates.replace_one({"_id": candidate.pair}, document_of(candidate, candidate.pair), upsert=True)

    def log_release(self, practitioner_id: str, asking: str, purpose: str) -> None:
        """Keep who was given whose identity, why and when."""
        work = cast("Work", self._reading)
        release = {"practitioner_id": practitioner_id, "asking": asking, "purpose": purpose, "released_at": work.now}
        work.rows("identity_releases").insert_one({"_id": work.new_id(), **release})

    def _merges(self) -> dict[str, str]:
        """Return who leads to whom. Read once a transaction: an employer merges some people, not most."""
        if self._merged is None:
            found = self._rows.find({"merged_into": {"$gt": ""}}, projection={"merged_into": 1})
            self._merged = {row["_id"]: row["merged_into"] for row in found}
        return self._merged

    def _alike(self, field: str) -> list[list[str]]:
        """Return the ids of people who have one value of a field in common, each with the first of those like them."""
        found = self._rows.aggregate(
            [
                {"$match": {field: {"$gt": ""}, "merged_into": None}},
                {"$group": {"_id": f"${field}", "ids": {"$push": "$_id"}, "people": {"$sum": 1}}},
                {"$match": {"people": {"$gt": 1}}},
            ]
        )
        return [row["ids"] for row in found]


def _document(person: Practitioner) -> Document:
    keys = match_keys(person)
    more = {"match_name": keys[SAME_NAME_AND_BIRTH], "match_email": keys[SAME_EMAIL]}
    return document_of(person, person.practitioner_id, **more)
