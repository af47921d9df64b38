"""The pull feed's pages: by number, in order, with the same bytes and hashes as on Kafka."""

import json

import msgspec
import pytest

from shared.events.envelope import GENESIS
from shared.events.feed import FeedName
from shared.events.hashing import first_break
from shared.events.pull import feed_page
from shared.events.records import from_structured
from shared.testing.feeds import a_commit, a_relay, an_event, commits


@pytest.fixture
def numbered_feed(unit_of_work, feed, mongodb_uri, kafka_bootstrap):
    """A feed with eleven numbered events in several rounds and one that has no number yet."""
    relay = a_relay(mongodb_uri, kafka_bootstrap, [feed])
    for version in range(1, 8):
        commits(unit_of_work, feed.organisation, 1, first=version)
        relay.step()
    a_commit(unit_of_work, feed.organisation, *(an_event(f"k{number}", title="ü  1") for number in range(4)))
    relay.step()
    relay.close()
    commits(unit_of_work, feed.organisation, 1, first=8)
    return feed


def test_pages_hold_every_event_once_in_order(unit_of_work, numbered_feed):
    """Page after page, whatever the limit, the whole chain comes out."""
    reading = unit_of_work.reading(numbered_feed.organisation)
    for limit in (1, 2, 3, 11, 500):
        after, events = 0, []
        while after is not None:
            page = feed_page(reading, numbered_feed, after=after, limit=limit)
            assert len(page.items) <= limit
            events.extend(from_structured(item) for item in page.items)
            after = page.next
        assert [event.feedseq for event in events] == list(range(1, 12))
        assert first_break(events, 0, GENESIS) is None


def test_page_body_keeps_the_bytes_of_the_data(unit_of_work, numbered_feed):
    """The JSON that is served holds the data as committed, and the head."""
    page = feed_page(unit_of_work.reading(numbered_feed.organisation), numbered_feed, after=7, limit=2)
    body = json.loads(page.body())
    assert body["next"] == 9
    assert body["head"] == {"number": 11, "hash": page.head_hash}
    raw = msgspec.json.decode(page.body(), type=dict[str, msgspec.Raw])
    items = msgspec.json.decode(raw["items"], type=list[msgspec.Raw])
    assert from_structured(bytes(items[0])).data == an_event("k0", title="ü  1").data


def test_page_beyond_the_head_and_of_an_empty_feed_is_empty(unit_of_work, numbered_feed, new_organisation):
    """Nothing newer is an empty page without a next."""
    page = feed_page(unit_of_work.reading(numbered_feed.organisation), numbered_feed, after=11, limit=10)
    assert (page.items, page.next, page.head) == ([], None, 11)
    stranger = FeedName("org", new_organisation(), "enrolment")
    empty = feed_page(unit_of_work.reading(stranger.organisation), stranger, after=0, limit=10)
    assert json.loads(empty.body()) == {"items": [], "next": None, "head": {"number": 0, "hash": GENESIS}}
