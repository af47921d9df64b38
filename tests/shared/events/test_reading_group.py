"""Readers that share the feeds as a group: the pattern, the pause in the listener, the hand-over.

One member on the local broker; several members belong to Apache Kafka (the local broker does not evict a dead one).
"""

from __future__ import annotations

import threading

import pytest


def test_group_of_one_takes_every_feed_from_its_position(desk, new_owner):
    """A member that joins reads from the stored positions, not from the group's offsets."""
    owners = [new_owner("brent"), new_owner("ealing")]
    for owner in owners:
        owner.send(*(owner.make() for _ in range(10)))
    reader = desk.reader(*owners, group=f"g-{owners[0].organisation}")
    desk.settle(reader, lambda: all(desk.position(owner)["number"] == 10 for owner in owners), seconds=40)
    for owner in owners:
        owner.send(owner.make())
    desk.settle(reader, lambda: all(desk.position(owner)["number"] == 11 for owner in owners), seconds=20)
    assert [desk.sums(owner) for owner in owners] == [{"k1": 11}, {"k1": 11}]


@pytest.mark.kafka
def test_second_member_shares_the_feeds_and_no_effect_is_lost_or_doubled(desk, new_owner):
    """While a second reader joins and the first leaves, every event has its effect once."""
    owners = [new_owner("brent") for _ in range(4)]
    group = f"g-{owners[0].organisation}"
    first, second = desk.reader(*owners, group=group), desk.reader(*owners, group=group)
    stops = [threading.Event(), threading.Event()]
    threads = [
        threading.Thread(target=reader.run, args=(stop,)) for reader, stop in zip((first, second), stops, strict=True)
    ]
    threads[0].start()
    for turn in range(60):
        if turn == 10:
            threads[1].start()
        if turn == 40:
            stops[0].set()
        for owner in owners:
            owner.send(owner.make())
        stops[0].wait(0.1) or stops[1].wait(0.05)
    threads[0].join(30)
    desk.readers.clear()
    waiter = threading.Event()
    for _ in range(300):
        if all(desk.sums(owner) == {"k1": 60} for owner in owners):
            break
        waiter.wait(0.1)
    stops[1].set()
    threads[1].join(30)
    assert [desk.sums(owner) for owner in owners] == [{"k1": 60}] * 4
