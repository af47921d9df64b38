"""Self-audits, what HR vouches for, and what people took, as one employer keeps them. By opaque ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.enrolment.application.learning_ports import Known
from services.enrolment.domain import lifecycle
from services.enrolment.domain.learning_needs import Background, LearningNeeds, together
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import keep_version
from shared.storage.mongo import Document
from shared.storage.rows import Rows, chunks
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

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """Return what is kept of each of these people, by id."""
        behind = self._survivors(ids)
        everybody, found = list(behind), {each: Known() for each in ids}
        for row in _of(self._needs, "_id", everybody):
            person, needs = found[behind[row["_id"]]], value_of(row, LearningNeeds)
            if person.needs is None or person.needs.audited_on < needs.audited_on:
                person.needs = needs
        for row in _of(self._backgrounds, "_id", everybody):
            person, background = found[behind[row["_id"]]], value_of(row, Background)
            person.background = together(person.background, background) if person.background else background
        for row in _of(self._enrolments, "practitioner_id", everybody):
            _note(found[behind[row["practitioner_id"]]], row)
        return found

    def _survivors(self, ids: Sequence[str]) -> dict[str, str]:
        """Return whose each id is: these people's own, and those of records merged into theirs."""
        own = {each: each for each in ids}
        merged = _of(self._people, "merged_into", list(own)) if own else []
        return {**{row["_id"]: row["merged_into"] for row in merged}, **own}


def _of(rows: Rows, name: str, ids: Sequence[str]) -> list[Document]:
    return [row for part in chunks(list(ids)) for row in rows.find({name: {"$in": part}})]


def _note(person: Known, row: Document) -> None:
    """Note what one enrolment says of what the person took."""
    if row["status"] == lifecycle.COMPLETED and row["outcome"] == COMPLETED and row["ended_on"]:
        ended_on = date.fromisoformat(row["ended_on"])
        person.completed[row["course"]] = max(ended_on, person.completed.get(row["course"], ended_on))
    elif row["status"] not in lifecycle.ENDED:
        person.running.add(row["course"])
