"""The order that numbering gives: by the versions of aggregates, never by ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.numbering import MOST_ENTRIES, MOST_ROUND_EVENTS, Disordered, Pending, in_order, in_rounds


def a_pending(identifier, *versions: tuple[str, int], count=1, size=10):
    """A pending entry."""
    return Pending(identifier, count, size, [(key, low, low) for key, low in versions])


def test_order_follows_versions_when_ids_say_otherwise():
    """The later id with the earlier version comes first."""
    ordered = in_order([a_pending("1", ("a", 3)), a_pending("2", ("a", 1)), a_pending("3", ("a", 2))])
    assert [entry.id for entry in ordered] == ["2", "3", "1"]


def test_order_holds_over_several_aggregates():
    """An entry waits for the preceding versions of all its aggregates."""
    pending = [a_pending("1", ("a", 2), ("b", 2)), a_pending("2", ("b", 1)), a_pending("3", ("a", 1), ("c", 5))]
    ordered = [entry.id for entry in in_order(pending)]
    assert ordered.index("1") > max(ordered.index("2"), ordered.index("3"))


def test_order_refuses_a_circle():
    """Versions that no transactions could have made are not numbered."""
    with pytest.raises(Disordered):
        in_order([a_pending("1", ("a", 1), ("b", 2)), a_pending("2", ("a", 2), ("b", 1))])


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), max_size=40), st.randoms())
def test_order_holds_for_every_history(history, random):
    """Whatever ids entries got and in whatever order they are read, each aggregate's versions rise."""
    versions = dict.fromkeys("abc", 0)
    identifiers = [str(number) for number in range(len(history))]
    random.shuffle(identifiers)
    pending = []
    for identifier, keys in zip(identifiers, history, strict=True):
        for key in keys:
            versions[key] += 1
        pending.append(a_pending(identifier, *((key, versions[key]) for key in keys)))
    random.shuffle(pending)
    seen = dict.fromkeys("abc", 0)
    for entry in in_order(pending):
        for key, low, _ in entry.versions:
            assert low == seen[key] + 1
            seen[key] = low


def test_rounds_are_bounded_by_entries_events_and_bytes():
    """At most 100 entries, 5,000 events and 16 MiB a round, but one entry always."""
    small = [a_pending(str(number), ("a", number)) for number in range(250)]
    assert [len(taken) for taken in in_rounds(small)] == [MOST_ENTRIES, MOST_ENTRIES, 50]
    full = [a_pending(str(number), ("a", number), count=500) for number in range(25)]
    assert max(sum(entry.count for entry in taken) for taken in in_rounds(full)) == MOST_ROUND_EVENTS
    large = [a_pending(str(number), ("a", number), size=17 * 2**20) for number in range(2)]
    assert [len(taken) for taken in in_rounds(large)] == [1, 1]
    assert list(in_rounds([])) == []
