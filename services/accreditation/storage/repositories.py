"""The university's books on its own database: what the ports promise, with the rows of one unit of work.

One class per noun, each bound to one collection. No rule lives here; uniqueness stands in `indexes.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.accreditation.application.ports import RegistrationFilter, Release
from services.accreditation.domain.boards import Board
from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.credit import Credit
from services.accreditation.domain.modules import ModuleInstance, Run, ShellModule
from services.accreditation.domain.people import Person
from services.accreditation.storage import documents
from services.accreditation.storage.documents import value_of
from shared.storage.mongo import Document
from shared.storage.rows import Rows, chunks

CREDIT_AWARDED: Final = "accreditation.credit-awarded.v1"
"""As the feed spells it: events that were brought back stand as they were told."""


def _save(rows: Rows, document: Document) -> None:
    """Insert version 1, replace the version before otherwise."""
    if document["version"] == 1:
        rows.insert_one(document)
    else:
        rows.replace_version(document, expected=document["version"] - 1)


def _after(after: str | None) -> Document:
    return {"_id": {"$gt": after}} if after else {}


class StoredModules:
    """Shell modules by code."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def find(self, code: str) -> ShellModule | None:
        """Return the module of that code, or None."""
        found = self._rows.find_one({"_id": code})
        return value_of(found, ShellModule) if found else None

    def page(self, after: str | None, limit: int) -> list[ShellModule]:
        """Return modules in order of code, beginning after `after`."""
        return [value_of(row, ShellModule) for row in self._rows.find(_after(after), sort=[("_id", 1)], limit=limit)]

    def save(self, module: ShellModule) -> None:
        """Keep the module's new version."""
        _save(self._rows, documents.module_document(module))


class StoredInstances:
    """Module instances by id; ids rise with time."""

    def __init__(self, rows: Rows, runs: Rows) -> None:
        self._rows = rows
        self._runs = runs

    def find(self, instance_id: str) -> ModuleInstance | None:
        """Return the instance of that id, or None."""
        found = self._rows.find_one({"_id": instance_id})
        return value_of(found, ModuleInstance) if found else None

    def live_on(self, run: Run, module: str | None) -> ModuleInstance | None:
        """Return the earliest instance for a cohort that was not refused, or None."""
        wanted: Document = {"run": documents.run_key(run), "is_live": True}
        if module is not None:
            wanted["module"] = module
        found = self._rows.find(wanted, sort=[("_id", 1)], limit=1)
        return value_of(found[0], ModuleInstance) if found else None

    def hold(self, run: Run) -> None:
        """Write the cohort's own document, so that two who hold it at once meet in a write conflict.

        Reading is not enough: a candidate who is placed while the instance is approved would miss the approval.
        """
        self._runs.update_one({"_id": documents.run_key(run)}, {"$inc": {"held": 1}}, upsert=True)

    def of_module(self, module: str) -> bool:
        """Say whether any run of the module was proposed and not refused."""
        return self._rows.find_one({"module": module, "is_live": True}, {"_id": 1}) is not None

    def page(self, after: str | None, limit: int, partner: str | None) -> list[ModuleInstance]:
        """Return instances in order of id; only what `partner` proposed or delivers, when one is given."""
        wanted = _after(after) | ({"partners": partner} if partner else {})
        return [value_of(row, ModuleInstance) for row in self._rows.find(wanted, sort=[("_id", 1)], limit=limit)]

    def save(self, instance: ModuleInstance) -> None:
        """Keep the instance's new version."""
        _save(self._rows, documents.instance_document(instance))


class StoredCandidacies:
    """Candidacies by employer and enrolment."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def find(self, employer: str, enrolment_id: str) -> Candidacy:
        """Return what is known of the enrolment; an empty candidacy when nothing is."""
        found = self._rows.find_one({"_id": documents.candidacy_id(employer, enrolment_id)})
        return value_of(found, Candidacy) if found else Candidacy(employer=employer, enrolment_id=enrolment_id)

    def of_registration(self, registration_id: str) -> Candidacy | None:
        """Return the candidacy of that registration, or None."""
        found = self._rows.find_one({"registration_id": registration_id})
        return value_of(found, Candidacy) if found else None

    def on_run(self, run: Run) -> list[Candidacy]:
        """Return every candidacy of the cohort, in order of registration."""
        rows = self._rows.find({"run": documents.run_key(run)}, sort=[("registration_id", 1)])
        return [value_of(row, Candidacy) for row in rows]

    def on_instances(self, instance_ids: Sequence[str]) -> list[Candidacy]:
        """Return every candidacy placed on one of the instances, in order of registration."""
        rows = self._rows.find({"instance_id": {"$in": list(instance_ids)}}, sort=[("registration_id", 1)])
        return [value_of(row, Candidacy) for row in rows]

    def of_practitioner(self, employer: str, practitioner_id: str) -> list[Candidacy]:
        """Return every candidacy of one employer's practitioner."""
        wanted = {"employer": employer, "body.enrolment.practitioner_id": practitioner_id}
        return [value_of(row, Candidacy) for row in self._rows.find(wanted, sort=[("_id", 1)])]

    def page(self, after: str | None, limit: int, wanted: RegistrationFilter) -> list[Candidacy]:
        """Return registrations in order of registration id; only those with a known person, unless asked by state."""
        asked: Document = {
            name: value
            for name, value in (
                ("course", wanted.course),
                ("intake", wanted.intake),
                ("employer", wanted.employer),
                ("enrolment_id", wanted.enrolment_id),
                ("state", wanted.state),
            )
            if value is not None
        }
        if wanted.state is None:
            asked["is_known"] = True
        asked["registration_id"] = {"$gt": after} if after else {"$exists": True}
        rows = self._rows.find(asked, sort=[("registration_id", 1)], limit=limit)
        return [value_of(row, Candidacy) for row in rows]

    def save(self, candidacy: Candidacy) -> Candidacy:
        """Keep the candidacy as its next version and return that."""
        kept = replace(candidacy, version=candidacy.version + 1)
        _save(self._rows, documents.candidacy_document(kept))
        return kept


class StoredPeople:
    """The person register."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of_number(self, registration_number: str) -> Person | None:
        """Return the person of that number, or None."""
        found = self._rows.find_one({"registration_number": registration_number})
        return value_of(found, Person) if found else None

    def of_ids(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Return the persons found, by id."""
        return {
            row["_id"]: value_of(row, Person)
            for chunk in chunks(person_ids)
            for row in self._rows.find({"_id": {"$in": list(chunk)}})
        }

    def save(self, person: Person) -> None:
        """Keep the person's new version."""
        _save(self._rows, documents.person_document(person))

    def remove(self, person_id: str) -> None:
        """Forget the person."""
        self._rows.delete_one({"_id": person_id})


class StoredBoards:
    """Exam boards by id; ids rise with time."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def find(self, board_id: str) -> Board | None:
        """Return the board of that id, or None."""
        found = self._rows.find_one({"_id": board_id})
        return value_of(found, Board) if found else None

    def page(self, after: str | None, limit: int) -> list[Board]:
        """Return boards in order of id."""
        return [value_of(row, Board) for row in self._rows.find(_after(after), sort=[("_id", 1)], limit=limit)]

    def save(self, board: Board) -> None:
        """Keep the board's new version."""
        _save(self._rows, documents.board_document(board))


class StoredLedger:
    """Credits, append only, in one order."""

    def __init__(self, credits_: Rows, counters: Rows, brought_back: Rows) -> None:
        self._credits = credits_
        self._counters = counters
        self._brought_back = brought_back

    def of_person(self, person_id: str, module: str) -> Credit | None:
        """Return the person's credit for the module, or None."""
        found = self._credits.find_one({"person_id": person_id, "module": module})
        return value_of(found, Credit) if found else None

    def told_before(self, enrolment_id: str, module: str) -> str | None:
        """Return the id of a credit that the feed tells of and whose row was lost with a backup, or None."""
        wanted = {"type": CREDIT_AWARDED, "facts.enrolment_id": enrolment_id, "facts.module": module}
        found = self._brought_back.find_one(wanted)
        return None if found is None else str(found["facts"]["credit_id"])

    def next_sequence(self) -> int:
        """Return the next place in the order of awards, and take it: dense, because it is taken in the transaction."""
        self._counters.update_one({"_id": "credits"}, {"$inc": {"taken": 1}}, upsert=True)
        counter = self._counters.find_one({"_id": "credits"})
        return int(counter["taken"]) if counter else 1

    def append(self, credit: Credit) -> None:
        """Add an award; a second one for the same person and module is impossible."""
        self._credits.insert_one(documents.credit_document(credit))

    def page(self, after: int, limit: int) -> list[Credit]:
        """Return awards in their order, beginning after `after`."""
        rows = self._credits.find({"sequence": {"$gt": after}}, sort=[("sequence", 1)], limit=limit)
        return [value_of(row, Credit) for row in rows]


class StoredReleases:
    """Identities still to be fetched, by registration."""

    def __init__(self, rows: Rows, now: datetime) -> None:
        self._rows = rows
        self._now = now

    def due(self, limit: int) -> list[Release]:
        """Return those due by now, longest due first."""
        rows = self._rows.find({"due_at": {"$lte": self._now}}, sort=[("due_at", 1)], limit=limit)
        return [documents.release_of(row) for row in rows]

    def put(self, release: Release) -> None:
        """Keep a release to be fetched, replacing what was kept of it."""
        document = documents.release_document(release)
        self._rows.replace_one({"_id": document["_id"]}, document, upsert=True)

    def has(self, registration_id: str) -> bool:
        """Say whether that release is still to be fetched."""
        return self._rows.find_one({"_id": registration_id}, {"_id": 1}) is not None

    def remove(self, registration_id: str) -> None:
        """Forget a release; nothing happens when it is not there."""
        self._rows.delete_one({"_id": registration_id})
