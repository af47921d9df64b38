"""The programme lead's courses, cohorts and places; the employer's catalogue, nominations, people and enrolments.

Each is bound to one organisation's database, for reading or inside a transaction. No rule lives here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Final

from services.enrolment.application.ports import EnrolmentFilter, EnrolmentPart
from services.enrolment.domain.enrolments import Enrolment, due_on
from services.enrolment.domain.records import Record, nomination_key
from services.enrolment.domain.taken import Taken
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import keep_version
from services.enrolment.storage.lifecycle_repositories import OWN_SETTINGS
from shared.storage.mongo import Document
from shared.storage.pages import Paged, Part, milestone_of
from shared.storage.rows import Lead
from shared.storage.unit_of_work import Reading

SERVED: Final = (
    ("practitioner_id",),
    ("employee_ref",),
    ("course", "intake"),
    ("course", "status"),
    ("course",),
    ("intake",),
    ("status",),
    ("pcf_level",),
    ("route",),
)
"""The filters of a list of enrolments that have an index of their own (`indexes.py`)."""
FEW: Final = ("practitioner_id", "employee_ref")
"""One person has few enrolments."""


class StoredNominations:
    """Every nomination ever taken, by natural key; never deleted."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._rows = reading.rows("records_taken")

    def known(self, keys: Sequence[str]) -> dict[str, Taken]:
        """Return those already taken, by key."""
        return {row["_id"]: value_of(row, Taken) for row in self._rows.by_ids(keys)}

    def read_ahead(self, record: Record, practitioner_id: str) -> None:
        """Read in one command, from its cohort on, what one nomination is decided by.

        A request's transaction remembers it; whoever asks for the course, the person or a nomination of this key is
        given that. Elsewhere, and where there is no such cohort, each is asked for by itself.
        """
        cohorts = self._reading.rows("catalogue_cohorts")
        if cohorts.remembers:
            others: dict[str, Lead] = {
                "cohort_terms_heard": "_id",
                "catalogue_courses": "course",
                "catalogue_descriptions": {"$concat": ["$owner", "/", "$course"]},
                "records_taken": {"$literal": nomination_key(record)},
                "practitioners": {"$literal": practitioner_id},
                "enrolment_settings": {"$literal": OWN_SETTINGS},
            }
            cohorts.beside(f"{record.course}/{record.intake}", others)

    def add(self, taken: Sequence[Taken]) -> None:
        """Keep new ones; one that is there makes the transaction run again."""
        self._rows.insert_many([document_of(each, each.key) for each in taken])

    def replace(self, taken: Taken) -> None:
        """Keep what follows one that is there; whoever does it at the same moment runs again."""
        self._rows.replace_one({"_id": taken.key}, document_of(taken, taken.key))


class StoredEnrolments:
    """Enrolments by id, which is also the order in which they were taken."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("enrolments")
        self._list = Paged(self._rows, SERVED, FEW)

    def find(self, enrolment_id: str) -> Enrolment | None:
        """Return the enrolment, or None."""
        found = self._rows.find_one({"_id": enrolment_id})
        return value_of(found, Enrolment) if found else None

    def add(self, enrolments: Sequence[Enrolment]) -> None:
        """Keep new ones."""
        self._rows.insert_many([_enrolment_document(each) for each in enrolments])

    def save(self, enrolment: Enrolment) -> None:
        """Keep the next version of one."""
        keep_version(self._rows, _enrolment_document(enrolment))

    def page(self, after: str | None, limit: int, wanted: EnrolmentFilter) -> list[Enrolment]:
        """Return enrolments in order of id."""
        found = self._list.page(asked(wanted), after=after, limit=limit)
        return [value_of(row, Enrolment) for row in found]

    def part(self, after: str | None, limit: int, wanted: EnrolmentFilter) -> EnrolmentPart:
        """Return the same for somebody who waits: less of it, where much would have to be looked through."""
        return _enrolment_part(self._list.part(asked(wanted), after=after, limit=limit))

    def part_before(self, before: str, limit: int, wanted: EnrolmentFilter) -> EnrolmentPart:
        """Return the last enrolments before that id, in order of id, with the same bound."""
        return _enrolment_part(self._list.part_before(asked(wanted), before=before, limit=limit))

    def offers_over(self, today: date, limit: int) -> list[Enrolment]:
        """Return enrolments with an open offer whose last day is over, longest ago first."""
        found = self._rows.find({"due_on": {"$gt": "", "$lt": today.isoformat()}}, sort=[("due_on", 1)], limit=limit)
        return [value_of(row, Enrolment) for row in found]

    def count(self, wanted: EnrolmentFilter, most: int) -> int:
        """Return how many there are, counted up to `most`."""
        return self._list.count(asked(wanted), most)

    def counted(self, wanted: EnrolmentFilter, most: int) -> tuple[int, bool]:
        """Return how many there are, up to `most` and as far as a part looks, and whether those are all."""
        found = self._list.counted(asked(wanted), most)
        return found.number, found.is_all


def asked(wanted: EnrolmentFilter) -> dict[str, object]:
    """Return the conditions of a filter: equal or any, by the document's own field names."""
    return {name: value for name, value in asdict(wanted).items() if value is not None}


def _enrolment_part(part: Part) -> EnrolmentPart:
    return EnrolmentPart([value_of(row, Enrolment) for row in part.rows], part.reached)


def _enrolment_document(enrolment: Enrolment) -> Document:
    """Return the document, with the last day of an open offer to be found by."""
    last = due_on(enrolment)
    more = milestone_of(enrolment.enrolment_id)
    return document_of(enrolment, enrolment.enrolment_id, due_on=last.isoformat() if last else None, **more)


class StoredAnswers:
    """Intake references and the hashes of the records answered under each; never deleted."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("intake_answers")

    def answered(self, record_ref: str) -> tuple[str, ...]:
        """Return the hashes of the records answered under this reference, in order."""
        found = self._rows.find_one({"_id": record_ref})
        return tuple(found["hashes"]) if found else ()

    def add(self, record_ref: str, record_hash: str, known: int) -> None:
        """Keep that one more record was answered; `known` were before."""
        if known == 0:
            self._rows.insert_one({"_id": record_ref, "hashes": [record_hash]})
        else:
            self._rows.update_one({"_id": record_ref}, {"$push": {"hashes": record_hash}})
