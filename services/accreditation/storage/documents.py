"""How each thing of accreditation is written down and read back.

A document is the value's own fields under `body`, and beside it `_id`, `version` and what is looked up by. Dates are
ISO texts. No query lives here.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from services.accreditation.application.ports import Release
from services.accreditation.domain.boards import Board
from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.credit import Credit
from services.accreditation.domain.modules import InstanceState, ModuleInstance, Run, ShellModule
from services.accreditation.domain.people import Person
from shared.storage.mongo import Document

T = TypeVar("T")


def value_of(document: Document, kind: type[T]) -> T:
    """Return the value that a document holds."""
    return msgspec.convert(document["body"], kind)


def _body(value: object) -> object:
    body: object = msgspec.to_builtins(value)
    return body


def module_document(module: ShellModule) -> Document:
    """Return the document of a shell module."""
    return {"_id": module.code, "version": module.version, "body": _body(module)}


def run_key(run: Run) -> str:
    """Return the one text by which a cohort's things are found."""
    return f"{run.course_owner}/{run.course}/{run.intake}"


def instance_document(instance: ModuleInstance) -> Document:
    """Return the document of an instance; `is_live` falls when it is refused."""
    return {
        "_id": instance.instance_id,
        "version": instance.version,
        "module": instance.module,
        "run": run_key(instance.run),
        "partners": sorted({instance.proposed_by, *instance.delivered_by}),
        "is_live": instance.state is not InstanceState.REFUSED,
        "body": _body(instance),
    }


def candidacy_id(employer: str, enrolment_id: str) -> str:
    """Return the id of a candidacy: of one employer's enrolment, so that no other employer's event can reach it."""
    return f"{employer}/{enrolment_id}"


def candidacy_document(candidacy: Candidacy) -> Document:
    """Return the document of a candidacy; what is looked up by appears once it is known."""
    document: Document = {
        "_id": candidacy_id(candidacy.employer, candidacy.enrolment_id),
        "version": candidacy.version,
        "employer": candidacy.employer,
        "enrolment_id": candidacy.enrolment_id,
        "state": str(candidacy.state()),
        "is_known": candidacy.person_id is not None,
        "body": _body(candidacy),
    }
    if candidacy.enrolment is not None:
        document |= {
            "registration_id": candidacy.enrolment.registration_id,
            "run": run_key(candidacy.enrolment.run),
            "course": candidacy.enrolment.run.course,
            "intake": candidacy.enrolment.run.intake,
        }
    if candidacy.terms is not None:
        document["instance_id"] = candidacy.terms.instance_id
    return document


def person_document(person: Person) -> Document:
    """Return the document of a person: the one place of names and registration numbers."""
    return {
        "_id": person.person_id,
        "version": person.version,
        "registration_number": person.registration_number,
        "body": _body(person),
    }


def board_document(board: Board) -> Document:
    """Return the document of a board."""
    return {"_id": board.board_id, "version": board.version, "body": _body(board)}


def credit_document(credit: Credit) -> Document:
    """Return the document of an award; never changed afterwards."""
    return {
        "_id": credit.credit_id,
        "sequence": credit.sequence,
        "person_id": credit.person_id,
        "module": credit.module,
        "body": _body(credit),
    }


def release_document(release: Release) -> Document:
    """Return the document of a release that is still to be fetched; its instant stays one, to be compared."""
    return {
        "_id": release.registration_id,
        "employer": release.employer,
        "enrolment_id": release.enrolment_id,
        "practitioner_id": release.practitioner_id,
        "attempts": release.attempts,
        "due_at": release.due_at,
    }


def release_of(document: Document) -> Release:
    """Return the release that a document holds."""
    return Release(
        registration_id=document["_id"],
        employer=document["employer"],
        enrolment_id=document["enrolment_id"],
        practitioner_id=document["practitioner_id"],
        attempts=document["attempts"],
        due_at=document["due_at"],
    )
