"""The board's desk: everything that may be asked of reporting, in one place for both of its doors (api and web).

Each method answers from one reading or does its work in one transaction of the board's own database.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.reporting.application import handlers
from services.reporting.application.commands import ClosePublication
from services.reporting.application.ports import Rooms, Terms
from services.reporting.application.queries import (
    Freshness,
    freshness_of,
    publication_of,
    rollups_of,
)
from services.reporting.domain.publication import Publication
from services.reporting.domain.tables import FiveTables, five_tables
from shared.storage.unit_of_work import Reading, Work


@dataclass(frozen=True, slots=True)
class Desk:
    """What may be asked, wired to the storage and messaging rooms."""

    rooms: Rooms
    terms: Terms
    publish: handlers.Publish

    def close(self, work: Work, command: ClosePublication) -> Publication:
        """Close a publication. See `handlers.close_publication`."""
        return handlers.close_publication(work, command, rooms=self.rooms, terms=self.terms, publish=self.publish)

    def publications(self, reading: Reading) -> tuple[Publication, ...]:
        """Return all publications, the latest first."""
        return self.rooms.publications(reading).all()

    def publication(self, reading: Reading, publication_id: str | None) -> Publication:
        """Return one publication, the latest for None. Raises NoSuchReport."""
        return publication_of(self.rooms.publications(reading), publication_id)

    def projections(self, reading: Reading) -> FiveTables:
        """Return the tables as they stand now, raw figures included. Never for the board."""
        return five_tables(rollups_of(self.rooms.counted(reading), self.terms))

    def freshness(self, reading: Reading) -> tuple[Freshness, ...]:
        """Return how fresh each feed is, by name."""
        return freshness_of(self.rooms.feeds(reading).states(), reading.now)
