"""Things of the domain as the JSON that goes out. Nothing is decided here."""

from __future__ import annotations

from typing import Any

import msgspec

from services.accreditation.application.queries import Registration, RegistryItem
from services.accreditation.domain.boards import Board
from services.accreditation.domain.candidacy import Mark
from services.accreditation.domain.credit import Credit
from services.accreditation.domain.modules import ModuleInstance, ShellModule

Json = dict[str, Any]


def module(shell: ShellModule) -> Json:
    """Return a shell module; its version goes out as the ETag."""
    return {
        "code": shell.code,
        "title": shell.title,
        "credits": shell.credits,
        "level": shell.level,
        "pass_mark": shell.pass_mark,
        "words": shell.words,
    }


def instance(run: ModuleInstance) -> Json:
    """Return a module instance."""
    return {
        "instance_id": run.instance_id,
        "module": run.module,
        "course": run.run.course,
        "intake": run.run.intake,
        "course_owner": run.run.course_owner,
        "proposed_by": run.proposed_by,
        "delivered_by": list(run.delivered_by),
        "credits": run.credits,
        "level": run.level,
        "pass_mark": run.pass_mark,
        "state": run.state,
        "approved_on": run.approved_on,
    }


def registration(found: Registration) -> Json:
    """Return a registration with its marks, for the university's own staff only."""
    candidacy, enrolment = found.candidacy, found.candidacy.enrolment
    work = candidacy.submission
    return {
        "registration_id": enrolment.registration_id if enrolment else None,
        "enrolment_id": candidacy.enrolment_id,
        "employer": candidacy.employer,
        "person_id": candidacy.person_id,
        "module": found.module,
        "instance_id": candidacy.terms.instance_id if candidacy.terms else None,
        "course": enrolment.run.course if enrolment else None,
        "intake": enrolment.run.intake if enrolment else None,
        "state": candidacy.state(),
        "practice_outcome": candidacy.practice.outcome if candidacy.practice else None,
        "submitted_on": work.submitted_on if work else None,
        "words": work.words if work else None,
        "first_mark": _mark(candidacy.first),
        "second_mark": _mark(candidacy.second),
        "agreed_mark": _mark(candidacy.agreed),
        "ratified": candidacy.ratified is not None,
        "academic": candidacy.academic(found.pass_mark),
        "withdrawn_on": candidacy.withdrawn_on,
        "credit_id": candidacy.credit_id,
        "credited_before": candidacy.credited_before,
    }


def board(sitting: Board) -> Json:
    """Return a board; who ratified stays inside."""
    return {
        "board_id": sitting.board_id,
        "held_on": sitting.held_on,
        "instance_ids": list(sitting.instance_ids),
        "state": sitting.state,
        "ratified_marks": sitting.ratified_marks,
    }


def credit(award: Credit) -> Json:
    """Return an award, without names."""
    fields: Json = msgspec.to_builtins(award)
    return fields


def registry_item(item: RegistryItem) -> Json:
    """Return an award with the university's own record of the person."""
    person = item.person
    return {
        **credit(item.credit),
        "registration_number": person.registration_number if person else None,
        "given_name": person.given_name if person else None,
        "family_name": person.family_name if person else None,
    }


def _mark(mark: Mark | None) -> int | None:
    return mark.mark if mark else None
