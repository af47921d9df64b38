"""What reactions will ask for is read at once: the same figures, and no question for each event."""

from __future__ import annotations

from collections import defaultdict

from services.reporting.api.bodies import projection_rows
from services.reporting.domain.publication import TITLES
from services.reporting.storage.repositories import ENROLMENTS, EVALUATIONS
from shared.storage.rows import Rows
from tests.reporting.telling import Teller, one_after_the_other

PART = 200


def test_reactions_ask_for_nothing_that_was_read_ahead_and_count_the_same(house, monkeypatch):
    """A whole term, read ahead part by part: no enrolment and no self-evaluation is asked for by itself."""
    asked, plain = [], Rows.find_one

    def find_one(rows, *question, **more):
        asked.append(rows._collection.name)
        return plain(rows, *question, **more)

    monkeypatch.setattr(Rows, "find_one", find_one)
    teller = Teller(house.story.partnership, house.desk.rooms.projections)
    heard = [teller.hear(feed, event, number) for feed, number, event in one_after_the_other(house.story.feeds)]
    known = [each for each in heard if each is not None]

    def take(work, part):
        together = defaultdict(list)
        for row, received in part:
            together[row.type].append(received)
        for event_type, events in together.items():
            row = teller.book.find(event_type)
            if row.ahead is not None:
                row.ahead(work, events)
        for row, received in part:
            row.reaction(work, received)

    for start in range(0, len(known), PART):
        part = known[start : start + PART]
        house.unit.run(house.board, lambda work, part=part: take(work, part))
    assert {name for name in asked if name.startswith((ENROLMENTS, EVALUATIONS))} == set()
    monkeypatch.undo()
    tables = house.desk.projections(house.unit.reading(house.board))
    assert {name: projection_rows(tables, name) for name in TITLES} == house.story.reports
