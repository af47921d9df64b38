"""Before a transaction's reactions a service may read at once what they will ask for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from shared.errors import Unavailable
from shared.events.feed_reading import ReadingRules
from shared.events.subscriptions import SubscriptionBook
from tests.shared.events.conftest import when_noted


def a_book(desk, ahead=None, reaction=when_noted) -> SubscriptionBook:
    """The desk's table, with something that reads ahead, or another reaction."""
    row = replace(desk.book().find("test.noted.v1"), ahead=ahead, reaction=reaction)
    return SubscriptionBook((row,), {"test.boring.v1"})


def test_events_of_a_transaction_are_handed_over_together_before_their_reactions(desk, owner):
    """All of them once, in the feed's order, in the transaction that takes them."""
    seen = []

    def ahead(work, events):
        seen.append(([event.number for event in events], work.rows("sums").count({})))

    owner.send(*(owner.make(f"k{number}") for number in range(1, 6)))
    desk.reads_to(desk.reader(owner, book=a_book(desk, ahead)), owner, 5)
    assert seen == [([1, 2, 3, 4, 5], 0)]
    assert desk.sums(owner) == {f"k{number}": 1 for number in range(1, 6)}


def test_bug_in_reading_ahead_parks_nothing(desk, owner):
    """The reactions ask by themselves."""

    def ahead(_, events):
        raise LookupError(events[0].id)

    owner.send(owner.make("a"), owner.make("b"))
    desk.reads_to(desk.reader(owner, book=a_book(desk, ahead)), owner, 2)
    assert desk.sums(owner) == {"a": 1, "b": 1}
    assert desk.rows(owner.organisation, "parked") == []


def test_what_is_parked_is_not_read_ahead(desk, owner):
    """An event behind a parked one is no event of this transaction."""
    seen = []
    owner.send(owner.make("a", orders="malformed"), owner.make("a"), owner.make("b"), owner.make("c"))
    reader = desk.reader(owner, book=a_book(desk, lambda _, events: seen.append([event.number for event in events])))
    desk.reads_to(reader, owner, 4)
    assert seen[-1] == [3, 4]


def test_batch_that_cannot_be_committed_is_tried_smaller(desk, owner):
    """A hundred are too many for one transaction: without that the feed would stand still for ever."""
    tried = Counter()

    def taking(work, event):
        tried[work] += 1
        if tried[work] > 60:
            raise Unavailable("this transaction takes too long")
        when_noted(work, event)

    rules = ReadingRules(batch_events=100)
    owner.send(*(owner.make(f"k{number}") for number in range(100)))
    desk.reads_to(desk.reader(owner, book=a_book(desk, reaction=taking), rules=rules), owner, 100)
    assert desk.sums(owner) == {f"k{number}": 1 for number in range(100)}
    assert max(tried.values()) == 61


def test_events_that_concern_nobody_do_not_make_batches_longer(desk, owner):
    """They take no time, and say nothing about how long a reaction will."""
    rules = ReadingRules(batch_events=10, most_batch_events=500)
    owner.send(*(owner.make("k1", type="test.boring.v1") for _ in range(50)), owner.make("k1"))
    reader = desk.reader(owner, rules=rules)
    desk.reads_to(reader, owner, 51)
    assert reader._known[owner.topic]._size.events == 10
