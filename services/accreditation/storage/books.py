"""Opens a university's books on a unit of work: for reading, or as a desk that changes and tells.

The only place that names the collections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from services.accreditation.application.ports import (
    Boards,
    Books,
    Candidacies,
    Desk,
    Erasures,
    Instances,
    Ledger,
    Modules,
    OpenDesk,
    People,
    Releases,
)
from services.accreditation.domain.events import AccreditationEvent
from services.accreditation.storage import repositories
from services.accreditation.storage.erasure import StoredErasures
from shared.events.envelope import Outgoing
from shared.storage.unit_of_work import Reading, Work


class _Shelf(TypedDict):
    modules: Modules
    instances: Instances
    candidacies: Candidacies
    people: People
    boards: Boards
    ledger: Ledger
    releases: Releases
    erasures: Erasures


def _shelf(reading: Reading) -> _Shelf:
    return {
        "modules": repositories.StoredModules(reading.rows("shell_modules")),
        "instances": repositories.StoredInstances(reading.rows("module_instances"), reading.rows("runs")),
        "candidacies": repositories.StoredCandidacies(reading.rows("candidacies")),
        "people": repositories.StoredPeople(reading.rows("people")),
        "boards": repositories.StoredBoards(reading.rows("boards")),
        "ledger": repositories.StoredLedger(
            reading.rows("credits"), reading.rows("counters"), reading.rows("brought_back")
        ),
        "releases": repositories.StoredReleases(reading.rows("releases"), reading.now),
        "erasures": StoredErasures(reading),
    }


def open_books(reading: Reading) -> Books:
    """Return the organisation's books for reading."""
    return Books(organisation=reading.organisation, now=reading.now, **_shelf(reading))


def desk_opener(outgoing: Callable[[AccreditationEvent], Outgoing]) -> OpenDesk:
    """Return what opens a desk on a transaction; `outgoing` spells events for the feed."""

    def open_desk(work: Work) -> Desk:
        return Desk(
            organisation=work.organisation,
            now=work.now,
            new_id=work.new_id,
            tell=lambda event: work.emit(outgoing(event)),
            silent=work.silent,
            **_shelf(work),
        )

    return open_desk
