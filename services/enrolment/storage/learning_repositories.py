"""Self-audits, what HR vouches for, and what people took, as one employer keeps them. By opaque ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.enrolment.application.learning_ports import Taken
from services.enrolment.domain import lifecycle
from services.enrolment.domain.learning_needs import Background, LearningNeeds, together
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import chunks, keep_version
from shared.storage.mongo import Document
from shared.storage.rows import Rows
from shared.storage.unit_of_work import Reading

COMPLETED = "completed"
"""The outcome of an enrolment that counts as taken."""


class StoredLearning:
    """Needs and backgrounds by person; what people took stands in their enrolments."""

    def __init__(self, reading: Reading) -> None:
        self._needs = reading.rows("learning_needs")
        self._backgrounds = reading.rows("learning_backgrounds")
        self._enrolments = reading.rows("enrolments")
        self._people = reading.rows("practitioners")

    def needs(self, practitioner_id: str) -> LearningNeeds | None:
        """Return the latest self-audit, or None."""
        found = self._needs.find_one({"_id": practitioner_id})
        return value_of(found, LearningNeeds) if found else None

    def save_needs(self, needs: LearningNeeds) -> LearningNeeds:
        """Keep the self-audit as its next version and return that."""
        kept = replace(needs, version=needs.version + 1)
        keep_version(self._needs, document_of(kept, kept.practitioner_id))
        return kept

    def background(self, practitioner_id: str) -> Background | None:
        """Return what HR vouches for, or None."""
        found = self._backgrounds.find_one({"_id": practitioner_id})
        return value_of(found, Background) if found else None

    def save_background(self, background: Background) -> Background:
        """Keep it as its next version and return that."""
        kept = replace(background, version=background.version + 1)
        keep_version(self._backgrounds, document_of(kept, kept.practitioner_id))
        return kept

    def many_needs(self, ids: Sequence[str]) -> dict[str, LearningNeeds]:
        """Return the latest self-audit of each of these people, by id; of records merged into theirs as well."""
        behind = self._survivors(ids)
        found: dict[str, LearningNeeds] = {}
        for row in _of(self._needs, "_id", list(behind)):
            needs, person = value_of(row, LearningNeeds), behind[row["_id"]]
            if person not in found or found[person].audited_on < needs.audited_on:
                found[person] = needs
        return found

    def many_backgrounds(self, ids: Sequence[str]) -> dict[str, Background]:
        """Return all that HR vouches for of each of these people, by id; of records merged into theirs as well."""
        behind = self._survivors(ids)
        found: dict[str, Background] = {}
        for row in _of(self._backgrounds, "_id", list(behind)):
            person = behind[row["_id"]]
            found[person] = together(found.get(person, Background(person)), value_of(row, Background))
        return found

    def taken(self, ids: Sequence[str]) -> dict[str, Taken]:
        """Return what each of these people took with this employer; those who took nothing are left out.

        What they took under a record that was merged into theirs is theirs.
        """
        behind = self._survivors(ids)
        completed: dict[str, dict[str, date]] = {}
        running: dict[str, set[str]] = {}
        for row in _of(self._enrolments, "practitioner_id", list(behind)):
            person = behind[row["practitioner_id"]]
            if row["status"] == lifecycle.COMPLETED and row["outcome"] == COMPLETED and row["ended_on"]:
                days = completed.setdefault(person, {})
                ended_on = date.fromisoformat(row["ended_on"])
                days[row["course"]] = max(ended_on, days.get(row["course"], ended_on))
            elif row["status"] not in lifecycle.ENDED:
                running.setdefault(person, set()).add(row["course"])
        return {
            person: Taken(completed.get(person, {}), frozenset(running.get(person, ())))
            for person in sorted({*completed, *running})
        }

    def _survivors(self, ids: Sequence[str]) -> dict[str, str]:
        """Return whose each id is: these people's own, and those of records merged into theirs."""
        own = {each: each for each in ids}
        merged = _of(self._people, "merged_into", list(own)) if own else []
        return {**{row["_id"]: row["merged_into"] for row in merged}, **own}


def _of(rows: Rows, name: str, ids: Sequence[str]) -> list[Document]:
    return [row for part in chunks(list(ids)) for row in rows.find({name: {"$in": part}})]
