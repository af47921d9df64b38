"""Reporting reads what the others publish: every example of every type it names, and nobody else's word."""

from __future__ import annotations

import msgspec
import pytest

from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from shared.errors import Forbidden
from shared.events.contracts import ContractBook

BOOK = ContractBook()
SUBSCRIPTIONS = subscriptions(lambda _: None)  # looked at, never called
EXAMPLES = [(row, name, data) for row in SUBSCRIPTIONS for name, data in BOOK.examples(row.type).items()]


@pytest.mark.parametrize(("row", "name", "data"), EXAMPLES, ids=lambda value: getattr(value, "type", None))
def test_every_example_can_be_read(row, name, data):
    """The tolerant structs read what the owners promise."""
    assert msgspec.json.decode(data, type=row.struct) is not None, name


def test_every_type_on_the_bus_is_named():
    """A type that reporting neither reads nor ignores would be parked."""
    named = {row.type for row in SUBSCRIPTIONS} | IGNORED
    on_the_bus = {entry.type for entry in BOOK.catalogue() if entry.feed == "org" and entry.service in FEEDS}
    assert on_the_bus <= named


def test_seat_is_heard_from_a_programme_lead_alone(north_west_london, teller, memory, in_order):
    """K6: an employer that confirms a seat by itself is refused, so that the event is parked."""
    speaker = teller(north_west_london.partnership, lambda _: memory)
    order = in_order(north_west_london.feeds)
    feed, number, event = next(each for each in order if each[2].type == "enrolment.seat-confirmed.v1")
    forged = type(event)(event.type, "ealing", event.data)
    with pytest.raises(Forbidden):
        speaker.tell(None, feed, forged, number)
    assert memory.enrolments == {}
