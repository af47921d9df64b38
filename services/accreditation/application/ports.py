"""What the handlers need from outside, as protocols: the books, and a way to tell others.

No document, collection or envelope is known here. `Books` is for reading, `Desk` for one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.accreditation.domain.boards import Board
from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.credit import Credit
from services.accreditation.domain.events import AccreditationEvent
from services.accreditation.domain.modules import ModuleInstance, Run, ShellModule
from services.accreditation.domain.people import Identity, Person
from shared.storage.unit_of_work import Reading, Work


class Modules(Protocol):
    """The university's shell modules."""

    def find(self, code: str) -> ShellModule | None:
        """Return the module of that code, or None."""

    def page(self, after: str | None, limit: int) -> list[ShellModule]:
        """Return modules in order of code, beginning after `after`."""

    def save(self, module: ShellModule) -> None:
        """Keep the module's new version."""


class Instances(Protocol):
    """The runs of its modules."""

    def find(self, instance_id: str) -> ModuleInstance | None:
        """Return the instance of that id, or None."""

    def live_on(self, run: Run, module: str | None) -> ModuleInstance | None:
        """Return the instance for a cohort that was not refused, or None; any module's when `module` is None."""

    def hold(self, run: Run) -> None:
        """Let nobody else who holds the cohort commit beside this transaction: one of them runs again and sees."""

    def of_module(self, module: str) -> bool:
        """Say whether any run of the module was proposed and not refused."""

    def page(self, after: str | None, limit: int, partner: str | None) -> list[ModuleInstance]:
        """Return instances in order of id; only what `partner` proposed or delivers, when one is given."""

    def save(self, instance: ModuleInstance) -> None:
        """Keep the instance's new version."""


@dataclass(frozen=True, slots=True)
class RegistrationFilter:
    """What a list of registrations may be narrowed by; None means any."""

    course: str | None = None
    intake: str | None = None
    employer: str | None = None
    enrolment_id: str | None = None
    state: str | None = None


class Candidacies(Protocol):
    """What is known of each enrolment on the academic route."""

    def find(self, employer: str, enrolment_id: str) -> Candidacy:
        """Return what is known of the enrolment; an empty candidacy when nothing is."""

    def of_registration(self, registration_id: str) -> Candidacy | None:
        """Return the candidacy of that registration, or None."""

    def on_run(self, run: Run) -> list[Candidacy]:
        """Return every candidacy of the cohort."""

    def on_instances(self, instance_ids: Sequence[str]) -> list[Candidacy]:
        """Return every candidacy placed on one of the instances, in order of registration."""

    def of_practitioner(self, employer: str, practitioner_id: str) -> list[Candidacy]:
        """Return every candidacy of one employer's practitioner."""

    def page(self, after: str | None, limit: int, wanted: RegistrationFilter) -> list[Candidacy]:
        """Return registrations in order of registration id; only those with a known person, unless asked by state."""

    def save(self, candidacy: Candidacy) -> Candidacy:
        """Keep the candidacy as its next version and return that."""


class People(Protocol):
    """The university's own person register."""

    def of_number(self, registration_number: str) -> Person | None:
        """Return the person of that number, or None."""

    def of_ids(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Return the persons found, by id."""

    def save(self, person: Person) -> None:
        """Keep the person's new version."""

    def remove(self, person_id: str) -> None:
        """Forget the person."""


class Boards(Protocol):
    """The exam boards."""

    def find(self, board_id: str) -> Board | None:
        """Return the board of that id, or None."""

    def page(self, after: str | None, limit: int) -> list[Board]:
        """Return boards in order of id."""

    def save(self, board: Board) -> None:
        """Keep the board's new version."""


class Ledger(Protocol):
    """The credits awarded, append only."""

    def of_person(self, person_id: str, module: str) -> Credit | None:
        """Return the person's credit for the module, or None."""

    def told_before(self, enrolment_id: str, module: str) -> str | None:
        """Return the id of a credit that the feed tells of and whose row was lost with a backup, or None."""

    def next_sequence(self) -> int:
        """Return the next place in the order of awards, and take it."""

    def append(self, credit: Credit) -> None:
        """Add an award; a second one for the same person and module is impossible."""

    def page(self, after: int, limit: int) -> list[Credit]:
        """Return awards in their order, beginning after `after`."""


@dataclass(frozen=True, slots=True)
class Release:
    """An identity that is still to be fetched from the candidate's employer."""

    registration_id: str
    employer: str
    enrolment_id: str
    practitioner_id: str
    attempts: int
    due_at: datetime


class Releases(Protocol):
    """The identities still to be fetched."""

    def due(self, limit: int) -> list[Release]:
        """Return those due by now, longest due first."""

    def put(self, release: Release) -> None:
        """Keep a release to be fetched, replacing what was kept of it."""

    def has(self, registration_id: str) -> bool:
        """Say whether that release is still to be fetched."""

    def remove(self, registration_id: str) -> None:
        """Forget a release; nothing happens when it is not there."""


class Erasures(Protocol):
    """Which erasures were answered, and who is still needed."""

    def is_news(self, employer: str, practitioner_id: str, number: int) -> bool:
        """Return whether this erasure is still to be answered, and keep that it was."""

    def is_somebodys(self, person_id: str) -> bool:
        """Return whether any candidacy is of this person."""


@dataclass(frozen=True, slots=True)
class Books:
    """One university's books, for reading."""

    organisation: str
    now: datetime
    modules: Modules
    instances: Instances
    candidacies: Candidacies
    people: People
    boards: Boards
    ledger: Ledger
    releases: Releases
    erasures: Erasures


@dataclass(frozen=True, slots=True)
class Desk(Books):
    """The same books inside one transaction, with new ids and a way to tell others."""

    new_id: Callable[[], str]
    tell: Callable[[AccreditationEvent], None]
    silent: Callable[[str], None]


OpenBooks = Callable[[Reading], Books]
OpenDesk = Callable[[Work], Desk]


class IdentitySource(Protocol):
    """An employer's door for identity by release."""

    def fetch(self, asking: str, release: Release) -> Identity | None:
        """Return what the employer releases to the university `asking`, or None when it does not, or not now."""
