"""Fetches the identities that registrations wait for, and completes the registrations. Asks again for ever.

The employer is asked outside any transaction; what it says is kept in one: person, registration, event. No name,
number or practitioner is ever logged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.accreditation.application import reactions
from services.accreditation.application.ports import IdentitySource, OpenBooks, OpenDesk, Release
from services.accreditation.domain.people import Identity
from shared.errors import Malformed
from shared.storage.unit_of_work import Reading, Work

BATCH = 50
T = TypeVar("T")


class Transactions(Protocol):
    """What runs a callback in one transaction of one university, or reads outside any."""

    def run(self, organisation: str, callback: Callable[[Work], T]) -> T:
        """Commit what the callback did and return its result."""

    def reading(self, organisation: str) -> Reading:
        """Return the university's database for queries."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """Works through the releases that are due."""

    transactions: Transactions
    open_books: OpenBooks
    open_desk: OpenDesk
    source: IdentitySource

    def work_through(self, organisation: str, is_stopping: Callable[[], bool]) -> int:
        """Ask for every identity that is due (at most 50 at a time) and return how many were asked for.

        Raises:
            Unavailable: the database does not answer; nothing is lost, what was asked is asked again.
        """
        due = self.open_books(self.transactions.reading(organisation)).releases.due(BATCH)
        for asked, release in enumerate(due):
            if is_stopping():
                return asked
            self._complete(organisation, release)
        return len(due)

    def _complete(self, organisation: str, release: Release) -> None:
        identity = self.source.fetch(organisation, release)
        try:
            if identity is not None:
                self._keep(organisation, release, identity)
                return
        except Malformed:
            pass  # a number that cannot be read is not a person: the employer is asked again
        self.transactions.run(organisation, lambda work: reactions.when_not_released(self.open_desk(work), release))

    def _keep(self, organisation: str, release: Release, identity: Identity) -> None:
        self.transactions.run(
            organisation, lambda work: reactions.when_identified(self.open_desk(work), release, identity)
        )
