"""How many events share a transaction."""

from __future__ import annotations

from shared.events.batch_size import LONG_SECONDS, SHORT_SECONDS, BatchSize


def test_quick_full_batches_grow_to_the_most_and_no_further():
    """A commit's price is shared by more events where reactions are quick."""
    size = BatchSize(200, 500)
    for expected in (400, 500, 500):
        size.took(size.events, SHORT_SECONDS / 2)
        assert size.events == expected


def test_batch_that_was_not_full_says_nothing_of_a_larger_one():
    """Three events in no time are no reason to take five hundred."""
    size = BatchSize(200, 500)
    size.took(3, 0.001)
    assert size.events == 200


def test_slow_batches_shrink_and_never_below_the_least():
    """A transaction that lasts holds others up: fewer events go into the next."""
    size = BatchSize(200, 500)
    for expected in (100, 50, 50):
        size.took(size.events, LONG_SECONDS * 2)
        assert size.events == expected


def test_size_that_is_neither_quick_nor_slow_stays():
    """Between the two nothing changes."""
    size = BatchSize(200, 500)
    size.took(200, (SHORT_SECONDS + LONG_SECONDS) / 2)
    assert size.events == 200


def test_rules_that_ask_for_few_events_are_obeyed():
    """A first size below the usual least is the least."""
    size = BatchSize(2, 2)
    for seconds in (LONG_SECONDS * 2, 0.0):
        size.took(2, seconds)
        assert size.events == 2


def test_batch_that_fails_is_tried_smaller_and_never_below_the_least():
    """It may have been too long for its transaction; how long it took says nothing."""
    size = BatchSize(200, 500)
    for expected in (100, 50, 50):
        size.failed()
        assert size.events == expected
