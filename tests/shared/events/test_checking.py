"""The chain alone: every order and repetition of records ends in the same events, and no forgery gets a number."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.events.checking import Beat, Chain, Fork, LogRecord, Next, Stray, chain_from
from shared.events.envelope import GENESIS, Envelope, Heartbeat, source_of
from shared.events.feed import FeedName
from shared.events.gap import GapWatch, confirmed
from shared.events.hashing import hash_of
from shared.events.limits import CauseLimit
from shared.events.records import encode, encode_unnumbered

FEED = FeedName("org", "brent", "enrolment")


def a_feed(count: int) -> list[Envelope]:
    """Return a feed of that many events."""
    found: list[Envelope] = []
    head = GENESIS
    for number in range(1, count + 1):
        envelope = Envelope(
            id=f"id-{number}", source=source_of(FEED.topic), type="t.v1", subject="k", time="2026-01-01T00:00:00.000Z",
            dataschema="urn:x", organisation="brent", feedseq=number, prevhash=head, correlationid="c", data=b"{}",
        )  # fmt: skip
        head = hash_of(envelope)
        found.append(envelope)
    return found


EVENTS = a_feed(12)


def a_record(envelope: Envelope, offset: int) -> LogRecord:
    """Return the record of an event."""
    record = encode(envelope, 1)
    return LogRecord(offset, record.key, record.value, tuple(record.headers))


def read(chain: Chain, record: LogRecord):
    """Return the verdicts on one record."""
    return chain.judge(chain.examine(record))


def read_all(chain: Chain, envelopes: list[Envelope]):
    """Return all verdicts on these events, each of which was examined before any was judged."""
    examined = [chain.examine(a_record(one, offset)) for offset, one in enumerate(envelopes)]
    return [verdict for one in examined for verdict in chain.judge(one)]


@given(st.permutations(EVENTS), st.lists(st.sampled_from(EVENTS), max_size=20))
def test_chain_yields_every_event_once_and_in_order_whatever_the_log_does(order, again):
    """Records in any order and repeated anyhow give each number once, rising."""
    chain = chain_from(FEED.topic, {}, "")
    verdicts = read_all(chain, [*order, *again])
    assert [verdict.number for verdict in verdicts if isinstance(verdict, Next)] == list(range(1, 13))
    assert all(isinstance(verdict, Next) for verdict in verdicts)


@given(st.integers(0, 11), st.sampled_from(["data", "prevhash"]))
def test_chain_gives_no_number_to_a_forged_record(place, what):
    """A forged record before the true one is a stray or is compared; the true ones are all taken or it is a fork."""
    change = {"data": b'{"x":1}'} if what == "data" else {"prevhash": "f" * 64}
    forged = msgspec.structs.replace(EVENTS[place], **change)
    chain = chain_from(FEED.topic, {}, "")
    read_all(chain, EVENTS[:place])
    verdicts = read(chain, a_record(forged, 99))
    if what == "prevhash":
        assert [type(verdict) for verdict in verdicts] == [Stray]
        assert [one.number for one in read_all(chain, EVENTS[place:])] == list(range(place + 1, 13))


def test_chain_stops_when_history_differs_at_another_organisations_position():
    """A lower organisation reads on until a higher one's number, where the hashes must agree."""
    known = {"brent": (3, hash_of(EVENTS[2])), "ealing": (6, "e" * 64)}
    chain = chain_from(FEED.topic, known, "")
    verdicts = read_all(chain, EVENTS[3:8])
    assert [type(verdict) for verdict in verdicts[:3]] == [Next, Next, Fork]


def test_chain_compares_a_replay_with_the_position_alone():
    """After a restart nothing is remembered but the head: another history is noticed at the latest there."""
    other = a_feed(0)
    head = GENESIS
    for one in EVENTS[:5]:
        changed = msgspec.structs.replace(one, data=b'{"other":1}', prevhash=head)
        head = hash_of(changed)
        other.append(changed)
    chain = chain_from(FEED.topic, {"brent": (5, hash_of(EVENTS[4]))}, "")
    chain.rewind()
    verdicts = read_all(chain, other)
    assert [type(verdict) for verdict in verdicts] == [Fork]


def forged(number: int, data: bytes = b'{"x":1}') -> Envelope:
    """Return another event under a number of the feed."""
    return msgspec.structs.replace(EVENTS[number - 1], data=data)


def a_beat(number: int, head: str) -> LogRecord:
    """Return the record of a heartbeat that names a number and a hash."""
    beat = Heartbeat(
        feedseq=number, head_hash=head, counts={}, credits=0, epoch=1, generation="g",
        partnership_version="1", partnership_hash="0",
    )  # fmt: skip
    record = encode_unnumbered(
        beat, identifier="i", source=source_of(FEED.topic), organisation="brent", time=EVENTS[0].time, epoch=1
    )
    return LogRecord(9, record.key, record.value, tuple(record.headers))


def settled_by(verdicts: list, *, known: int) -> Chain:
    """Return the chain of a reader at `known` that goes on after a person decided about a fork."""
    [fork] = [one for one in verdicts if isinstance(one, Fork)]
    place = {"brent": (known, hash_of(EVENTS[known - 1]))}
    chain = chain_from(FEED.topic, place, "", frozenset({(fork.number, fork.hash)}))
    chain.rewind()
    return chain


@pytest.mark.parametrize("known", [3, 5])
def test_k10_forged_record_that_a_person_decided_about_is_no_fork_again_and_another_one_is(known):
    """Also at the head, where the reader still remembers; what is true goes on being taken after it."""
    log = [*EVENTS[:known], forged(3), *EVENTS[known:7]]
    chain = chain_from(FEED.topic, {}, "")
    again = settled_by(read_all(chain, log[: known + 1]), known=known)
    assert [one.number for one in read_all(again, log)] == list(range(known + 1, 8))
    assert [type(one) for one in read_all(again, [forged(3, b'{"y":2}')])] == ([Fork] if known == 3 else [])
    assert [type(one) for one in read_all(again, [forged(7)])] == [Fork]


def test_k10_forged_heartbeat_that_a_person_decided_about_is_no_fork_again():
    """It names another hash under the number that was read last; one with a third hash is a fork again."""
    chain = chain_from(FEED.topic, {"brent": (3, hash_of(EVENTS[2]))}, "g")
    assert [type(one) for one in read(chain, a_beat(3, hash_of(EVENTS[2])))] == [Beat]
    again = settled_by(read(chain, a_beat(3, "a" * 64)), known=3)
    again.generation = "g"
    assert read(again, a_beat(3, "a" * 64)) == []
    assert [type(one) for one in read(again, a_beat(3, "b" * 64))] == [Fork]


def test_k10_true_record_behind_a_forged_one_that_a_person_decided_about_is_no_fork_again():
    """A reader that began behind both sees only that they do not continue each other."""
    log = [*EVENTS[:3], forged(3), *EVENTS[3:7]]
    chain = chain_from(FEED.topic, {"brent": (5, hash_of(EVENTS[4]))}, "")
    again = settled_by(read_all(chain, log[:5]), known=5)
    assert [one.number for one in read_all(again, log)] == [6, 7]


def test_k10_record_that_a_person_decided_about_is_taken_where_its_history_was_adopted():
    """What was read first is given up then: under the number that is next the record is the owner's history."""
    chain = chain_from(FEED.topic, {"brent": (4, hash_of(EVENTS[3]))}, "", frozenset({(5, hash_of(forged(5)))}))
    assert [one.hash for one in read_all(chain, [forged(5)])] == [hash_of(forged(5))]
    assert read_all(chain, [forged(5)]) == []
    assert [type(one) for one in read_all(chain, [EVENTS[4]])] == [Fork]


def test_chain_takes_only_a_range_that_continues_it():
    """The owner's own feed with another history is a fork."""
    chain = chain_from(FEED.topic, {"brent": (3, "a" * 64)}, "")
    assert isinstance(chain.fill(EVENTS[3:5])[0], Fork)
    assert [type(one) for one in Chain(FEED).fill(EVENTS[:2])] == [Next, Next]


def test_limit_trips_at_fifty_in_a_row_or_more_than_5_percent_of_1000():
    """Both limits, and that success in between ends a row."""
    assert CauseLimit().first_trip([True] * 49 + [False]) is None
    assert CauseLimit().first_trip([True] * 60) == 49
    thin = [index % 19 == 0 for index in range(1_000)]
    assert CauseLimit().first_trip(thin) == 19 * 50
    slow = [index % 20 == 0 for index in range(5_000)]
    limit = CauseLimit()
    assert limit.first_trip(slow) is None
    limit.note(slow)
    assert limit.first_trip([False, True]) is None


def test_gap_is_patient_with_one_number_and_then_asks_now_and_then():
    """The clock of a gap begins with its number; too many records behind it end the patience."""
    watch = GapWatch(60.0, 10, 5.0)
    assert not watch.is_due(7, 1, 100.0)
    assert not watch.is_due(8, 1, 159.0)
    assert watch.is_due(8, 10, 160.0)
    assert watch.is_due(8, 1, 219.0)
    watch.tried(219.0)
    assert not watch.is_due(8, 1, 223.0)
    assert watch.is_due(8, 1, 224.0)
    assert not watch.is_due(None, 0, 300.0)


def test_range_over_http_is_believed_only_as_far_as_something_names_its_hashes():
    """The last event needs the next one or the head; bytes changed on the way are noticed."""

    class Head(msgspec.Struct):
        number: int
        hash: str

    assert confirmed(EVENTS[:4], Head(12, "x")) == EVENTS[:3]
    assert confirmed(EVENTS[:4], Head(4, hash_of(EVENTS[3]))) == EVENTS[:4]
    mangled = [EVENTS[0], msgspec.structs.replace(EVENTS[1], data=b"{ }"), EVENTS[2]]
    with pytest.raises(Malformed):
        confirmed(mangled, Head(12, "x"))
