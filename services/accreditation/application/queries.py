"""What the university's staff and partners read. Nothing is changed here, and every function is given books.

Who may read is decided before; a partner's narrower view of instances is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.accreditation.application.ports import Books, RegistrationFilter
from services.accreditation.domain.boards import Board
from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.credit import Credit
from services.accreditation.domain.errors import NoSuchBoard, NoSuchInstance, NoSuchModule, NoSuchRegistration
from services.accreditation.domain.modules import ModuleInstance, ShellModule
from services.accreditation.domain.people import Person


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration as people read it: the facts, and the pass mark that counts for it (None without a module)."""

    candidacy: Candidacy
    module: str | None
    pass_mark: int | None


@dataclass(frozen=True, slots=True)
class RegistryItem:
    """One award as the university's registry takes it; `person` is None once erased."""

    credit: Credit
    person: Person | None


def shell_module(books: Books, code: str) -> ShellModule:
    """Return the module.

    Raises:
        NoSuchModule: when there is none.
    """
    found = books.modules.find(code)
    if found is None:
        raise NoSuchModule(f"There is no shell module {code}.")
    return found


def instance(books: Books, instance_id: str, partner: str | None) -> ModuleInstance:
    """Return the instance; for a `partner` only one that it proposed or delivers.

    Raises:
        NoSuchInstance: when there is none, or none for this partner: both look the same.
    """
    found = books.instances.find(instance_id)
    if found is None or (partner and partner not in {found.proposed_by, *found.delivered_by}):
        raise NoSuchInstance(f"There is no module instance {instance_id}.")
    return found


def board(books: Books, board_id: str) -> Board:
    """Return the board.

    Raises:
        NoSuchBoard: when there is none.
    """
    found = books.boards.find(board_id)
    if found is None:
        raise NoSuchBoard(f"There is no board {board_id}.")
    return found


def registration(books: Books, registration_id: str) -> Registration:
    """Return the registration.

    Raises:
        NoSuchRegistration: when there is none.
    """
    found = books.candidacies.of_registration(registration_id)
    if found is None:
        raise NoSuchRegistration(f"There is no registration {registration_id}.")
    return registrations_of(books, [found])[0]


def registrations(books: Books, after: str | None, limit: int, wanted: RegistrationFilter) -> list[Registration]:
    """Return registrations in order of their id; those still waiting for an identity only when asked for by state."""
    return registrations_of(books, books.candidacies.page(after, limit, wanted))


def registrations_of(books: Books, candidacies: Sequence[Candidacy]) -> list[Registration]:
    """Return the candidacies with the module and pass mark that count for each, in the order given."""
    shells: dict[str, ShellModule | None] = {}
    result: list[Registration] = []
    for candidacy in candidacies:
        if candidacy.terms is not None:
            result.append(Registration(candidacy, candidacy.terms.module, candidacy.terms.pass_mark))
            continue
        code = candidacy.enrolment.module if candidacy.enrolment else None
        if code is not None and code not in shells:
            shells[code] = books.modules.find(code)
        shell = shells.get(code) if code else None
        result.append(Registration(candidacy, code, shell.pass_mark if shell else None))
    return result


def registry(books: Books, after: int, limit: int) -> list[RegistryItem]:
    """Return awards in their order with the university's own person record, beginning after place `after`."""
    credits_ = books.ledger.page(after, limit)
    people = books.people.of_ids(tuple({credit.person_id for credit in credits_}))
    return [RegistryItem(credit, people.get(credit.person_id)) for credit in credits_]
