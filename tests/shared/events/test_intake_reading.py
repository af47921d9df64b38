"""Reading a private plain topic: every record once per log, its position beside the handler's effects."""

from __future__ import annotations

import pytest

from shared.errors import Unavailable


def keep(work, key, value, offset):
    """Answer a record as a service does: its own key makes a repetition harmless."""
    if value == b"bug":
        raise ZeroDivisionError
    if work.rows("answers").find_one({"_id": key.decode()}) is None:
        work.rows("answers").insert_one({"_id": key.decode(), "offset": offset, "size": len(value or b"")})


def test_intake_takes_every_record_and_a_bad_one_does_not_stop_it(desk, owner):
    """A record that the handler cannot take is parked without its content; the others are answered."""
    for name, value in ((b"a", b"1"), (b"b", b"bug"), (b"c", None)):
        owner.raw(name, value)
    reader = desk.reader(owner, intake=keep)
    desk.settle(reader, lambda: desk.position(owner)["next"] == 4)
    assert {doc["_id"] for doc in desk.rows(owner.organisation, "answers")} >= {"a", "c"}
    [parked] = desk.rows(owner.organisation, "parked")
    assert (parked["offset"], parked["raw_value"], parked["reason"]) == (2, None, "bug:ZeroDivisionError")


def test_intake_begins_at_0_again_on_another_log(desk, owner):
    """After a loss of the topic the sender's records are read from the first, and answered once."""
    owner.raw(b"a", b"1")
    reader = desk.reader(owner, intake=keep)
    desk.settle(reader, lambda: desk.position(owner)["next"] == 2)
    reader.close()
    owner.remake("g2")
    owner.raw(b"a", b"1")
    owner.raw(b"d", b"1")
    again = desk.reader(owner, intake=keep)
    desk.settle(again, lambda: len(desk.rows(owner.organisation, "answers")) == 3)
    assert desk.position(owner)["next"] == 3


def test_intake_waits_while_something_is_unavailable(desk, owner):
    """Nothing is parked and nothing is lost; the reader says that it is not ready."""
    tries = []

    def handler(work, key, value, offset):
        tries.append(offset)
        if len(tries) < 3:
            raise Unavailable("not yet")
        keep(work, key, value, offset)

    owner.raw(b"a", b"1")
    reader = desk.reader(owner, intake=handler)
    desk.settle(reader, lambda: len(tries) == 1)
    assert not reader.ready()
    desk.settle(reader, lambda: desk.position(owner)["next"] == 2)
    assert reader.ready()
    assert desk.rows(owner.organisation, "parked") == []


@pytest.mark.parametrize("count", [450])
def test_intake_takes_many_records_in_batches(desk, owner, count):
    """More records than one transaction holds are all answered."""
    for number in range(count):
        owner.producer.send(owner.topic, key=f"r{number}".encode(), value=b"1", partition=0)
    owner.producer.flush(10)
    reader = desk.reader(owner, intake=keep)
    desk.settle(reader, lambda: desk.position(owner)["next"] == count + 1, seconds=40)
    assert len([doc for doc in desk.rows(owner.organisation, "answers") if doc["_id"].startswith("r")]) == count
