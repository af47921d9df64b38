"""What reporting decides when it is asked: closing a publication. Nothing else changes anything by request."""

from __future__ import annotations

from collections.abc import Callable

from services.reporting.application.commands import ClosePublication
from services.reporting.application.ports import Rooms, Terms, position_of
from services.reporting.application.queries import rollups_of
from services.reporting.domain.errors import NothingToPublish
from services.reporting.domain.events import TablePublished, tables_published
from services.reporting.domain.publication import Publication, headline, published_tables
from services.reporting.domain.tables import everybody, five_tables
from shared.events.envelope import Outgoing
from shared.storage.unit_of_work import Work

Publish = Callable[[TablePublished], Outgoing]
"""Spells an event for the bus; the messaging room knows how."""


def close_publication(
    work: Work, command: ClosePublication, *, rooms: Rooms, terms: Terms, publish: Publish
) -> Publication:
    """Freeze the five tables as they stand in this transaction, and emit each.

    Only published figures are kept: a publication holds no raw one. Two publications close together may differ by one
    person; the officer decides when a period is over.

    Raises:
        NothingToPublish: before any course is known.

    Source: BR-29; promise 7.
    """
    rollups = rollups_of(rooms.counted(work), terms)
    if not rollups.courses:
        raise NothingToPublish("No course has been published yet, so there is nothing to count.")
    tables = five_tables(rollups)
    publication = Publication(
        publication_id=work.new_id(),
        title=command.title,
        closed_at=work.now,
        headline=headline(everybody(rollups), tables),
        tables=published_tables(tables),
        feeds=tuple(position_of(state) for state in rooms.feeds(work).states()),
        labels={
            **{employer: terms.names[employer] for employer in terms.employers},
            **{course.code: course.title for course in rollups.courses},
        },
    )
    rooms.publications(work).add(publication)
    work.emit(*map(publish, tables_published(publication)))
    return publication
