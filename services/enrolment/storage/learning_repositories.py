"""Self-audits, what HR vouches for, and what people took, as one employer keeps them. By opaque ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.enrolment.application.learning_ports import Taken
from services.enrolment.domain import lifecycle
from services.enrolment.domain.learning_needs import Background, LearningNeeds
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

    def needs(self, practitioner_id: str) -> LearningNeeds | None:
        """Return the latest self-audit, or None."""
        return self.many_needs([practitioner_id]).get(practitioner_id)

    def save_needs(self, needs: LearningNeeds) -> LearningNeeds:
        """Keep the self-audit as its next version and return that."""
        kept = replace(needs, version=needs.version + 1)
        keep_version(self._needs, document_of(kept, kept.practitioner_id))
        return kept

    def background(self, practitioner_id: str) -> Background | None:
        """Return what HR vouches for, or None."""
        return self.many_backgrounds([practitioner_id]).get(practitioner_id)

    def save_background(self, background: Background) -> Background:
        """Keep it as its next version and return that."""
        kept = replace(background, version=background.version + 1)
        keep_version(self._backgrounds, document_of(kept, kept.practitioner_id))
        return kept

    def many_needs(self, ids: Sequence[str]) -> dict[str, LearningNeeds]:
        """Return the self-audits of these people, by id."""
        return {row["_id"]: value_of(row, LearningNeeds) for row in _of(self._needs, "_id", ids)}

    def many_backgrounds(self, ids: Sequence[str]) -> dict[str, Background]:
        """Return what HR vouches for of these people, by id."""
        return {row["_id"]: value_of(row, Background) for row in _of(self._backgrounds, "_id", ids)}

    def taken(self, ids: Sequence[str]) -> dict[str, Taken]:
        """Return what each of these people took with this employer; those who took nothing are left out."""
        completed: dict[str, dict[str, date]] = {}
        running: dict[str, set[str]] = {}
        for row in _of(self._enrolments, "practitioner_id", ids):
            person = row["practitioner_id"]
            if row["status"] == lifecycle.COMPLETED and row["outcome"] == COMPLETED and row["ended_on"]:
                _latest(completed, person, row["course"], date.fromisoformat(row["ended_on"]))
            elif row["status"] not in lifecycle.ENDED:
                running.setdefault(person, set()).add(row["course"])
        return {
            person: Taken(completed.get(person, {}), frozenset(running.get(person, ())))
            for person in sorted({*completed, *running})
        }


def _of(rows: Rows, name: str, ids: Sequence[str]) -> list[Document]:
    return [row for part in chunks(list(ids)) for row in rows.find({name: {"$in": part}})]


def _latest(completed: dict[str, dict[str, date]], person: str, course: str, day: date) -> None:
    known = completed.setdefault(person, {})
    known[course] = max(day, known.get(course, day))
