"""Before a transaction's reactions a service may read at once what they will ask for."""

from __future__ import annotations

from dataclasses import replace

from shared.events.subscriptions import SubscriptionBook


def a_book(desk, ahead) -> SubscriptionBook:
    """The desk's table, with something that reads ahead."""
    return SubscriptionBook((replace(desk.book().find("test.noted.v1"), ahead=ahead),))


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
