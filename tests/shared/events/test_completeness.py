"""Nothing is missing and nothing differs, or it is named: an owner's chain, its log, its readers, their figures."""

from datetime import timedelta

import pytest

from services.accreditation.bootstrap import CREDIT_AWARDED
from shared.events.contracts import contract_book
from shared.events.envelope import Envelope, Heartbeat
from shared.events.freshness import judged, word_of
from shared.events.ledger import Ledger
from shared.events.log import LogRecord, OwnLog
from shared.events.positions import Position
from shared.events.tally import Tally, counted, differences
from shared.events.verify import verify_feed
from shared.events.witnesses import against_log, against_positions
from shared.testing.feeds import a_commit, a_relay, an_event, commits

pytestmark = pytest.mark.backbone

OURS = "a" * 64


@pytest.fixture
def sent(unit_of_work, feed, mongodb_uri, kafka_bootstrap):
    """The feed's database, with seven events in three rounds that stand on the log."""
    relay = a_relay(mongodb_uri, kafka_bootstrap, [feed])
    for version in (1, 2):
        commits(unit_of_work, feed.organisation, 1, first=version)
        relay.step()
    a_commit(unit_of_work, feed.organisation, an_event("b", 1), an_event("c", 1))
    commits(unit_of_work, feed.organisation, 3, first=3)
    relay.step()
    relay.close()
    return unit_of_work.database(feed.organisation)


@pytest.fixture
def walk(unit_of_work, feed):
    """A walk over the feed: what it finds, in words."""
    return lambda: [str(one) for one in verify_feed(unit_of_work.reading(feed.organisation), feed).findings]


@pytest.fixture
def read(unit_of_work, kafka_bootstrap, feed):
    """The way to read the feed's log."""
    return OwnLog(kafka_bootstrap, feed.topic, unit_of_work.clock).read


@pytest.fixture
def ledger(unit_of_work, feed):
    """The feed as its owner has it."""
    return Ledger(unit_of_work.reading(feed.organisation), feed)


def entry_with(sent, feed, number):
    """Return the id of the entry that holds event `number`, and the numbers of its first and last event."""
    for found in sent[feed.numbering].find({}):
        first = found["first"]
        for entry_id, count in found["entries"]:
            if first <= number < first + count:
                return entry_id, first, first + count - 1
            first += count
    raise AssertionError(number)


@pytest.mark.parametrize("number", [1, 2, 4, 7])
def test_k10_an_edited_event_is_named(sent, feed, walk, number):
    """Whatever of it was changed: its data, or what stands around them."""
    assert walk() == []
    entry_id, first, last = entry_with(sent, feed, number)
    held = sent[feed.entries].find_one({"_id": entry_id})
    for change in ({"events.0.data": b"{}"}, {"events.0.type": "test.other.v1"}, {"time": "2020-01-01T00:00:00.000Z"}):
        sent[feed.entries].update_one({"_id": entry_id}, {"$set": change})
        span = f"number {first}" + (f" to {last}" if last > first else "")
        assert walk() == [f"{span}: content changed (entry {entry_id})"]
        sent[feed.entries].replace_one({"_id": entry_id}, held)
    assert walk() == []


def test_k10_a_removed_event_and_each_of_several_faults_is_named(sent, feed, walk):
    """A fault does not hide the next one."""
    gone, _, _ = entry_with(sent, feed, 2)
    edited, _, _ = entry_with(sent, feed, 6)
    sent[feed.entries].delete_one({"_id": gone})
    sent[feed.entries].update_one({"_id": edited}, {"$set": {"events.0.subject": "z"}})
    assert walk() == [
        f"number 2: entry missing (entry {gone})",
        f"number 6: content changed (entry {edited})",
    ]


def test_k10_an_event_that_was_taken_out_of_its_entry_is_named(sent, feed, walk):
    """Two events were committed together and one is left."""
    entry_id, first, last = next(
        found for found in (entry_with(sent, feed, number) for number in range(1, 8)) if found[2] > found[1]
    )
    sent[feed.entries].update_one({"_id": entry_id}, {"$pop": {"events": 1}})
    assert walk() == [f"number {first} to {last}: content changed (entry {entry_id} holds 1 events)"]


def test_k10_a_chain_that_was_written_anew_is_named(sent, feed, walk):
    """Somebody edits a round's hashes, or the head, to make an edited event fit."""
    sent[feed.numbering].update_one({"_id": 2}, {"$set": {"prevhash": "f" * 64}})
    assert walk()[0] == "number 2: chain broken (round 2 does not go on where the last one ended)"
    found = sent[feed.numbering].find_one({"_id": 1})
    sent[feed.numbering].update_one({"_id": 2}, {"$set": {"prevhash": found["head"]}})
    assert walk() == []
    sent[feed.state].update_one({"_id": "head"}, {"$set": {"hash": "f" * 64}})
    assert walk() == ["number 8: chain broken (the head names another number or hash)"]


def test_a_round_without_hashes_names_its_span(sent, feed, walk):
    """Rounds that were numbered before entries had hashes of their own: still found, less exactly."""
    sent[feed.numbering].update_many({}, {"$unset": {"hashes": 1}})
    assert walk() == []
    entry_id, _, _ = entry_with(sent, feed, 5)
    sent[feed.entries].update_one({"_id": entry_id}, {"$set": {"events.0.data": b"{}"}})
    assert walk() == ["number 3 to 7: content changed (one of the entries of round 3)"]


def test_an_entry_that_neither_has_a_number_nor_waits_is_named(sent, feed, walk, unit_of_work):
    """Its pending document is gone: nobody would ever number it."""
    commits(unit_of_work, feed.organisation, 1, first=8)
    [waiting] = sent[feed.pending].find({})
    sent[feed.pending].delete_one({"_id": waiting["_id"]})
    assert walk() == [f"no number: neither numbered nor waiting (entry {waiting['_id']})"]


def test_k10_the_log_and_the_database_are_held_against_each_other(sent, feed, ledger, read):
    """Edited in the database with the whole chain written anew, missing on the log, or only on the log: all named."""
    head = ledger.head()
    records = list(read(0))
    assert against_log(ledger, head, records, 7) == []
    without = [one for one in records if not (isinstance(one.body, Envelope) and one.body.feedseq in (3, 4, 6))]
    assert [str(one) for one in against_log(ledger, head, without, 7)] == [
        "number 3 to 4: in the database and not on the log, though it was sent",
        "number 6: in the database and not on the log, though it was sent",
    ]
    assert against_log(ledger, head, without, 2) == [], "what was not sent yet is not missing"
    entry_id, _, _ = entry_with(sent, feed, 7)
    sent[feed.entries].update_one({"_id": entry_id}, {"$set": {"events.0.data": b"{}"}})
    [different] = against_log(ledger, head, records, 7)
    assert (different.number, different.what) == (7, "differs from what is on the log")
    sent[feed.numbering].delete_one({"_id": 3})
    found = against_log(ledger, head, records, 7)
    assert {one.what for one in found} == {"on the log and not in the database"}


def test_k10_what_readers_hold_is_held_against_the_database(ledger, sent):
    """A reader that read another event, or more than the database has, is named."""
    head = ledger.head()
    assert sent is not None
    at = Position(feed="f", number=head.number, head=head.hash)
    forked = Position(feed="f", number=3, head="f" * 64)
    beyond = Position(feed="f", number=9, head="f" * 64)
    found = against_positions(ledger, head, [("reporting of board", at), ("a", forked), ("b", beyond)])
    assert [str(one) for one in found] == [
        "number 3: differs from what a reader holds (a)",
        "number 9: read by b, and this database ends at 7",
    ]


def test_reader_counts_what_it_took_and_finds_the_owners_totals_the_same(desk, owner):
    """The tally stands in the position, moves with it, and goes on after a restart; a difference is shown by name."""
    owner.send(owner.make("k1"), owner.make("k1"), owner.make("k2", type="test.boring.v1"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 3)
    reader.close()
    tally = {"number": 3, "counts": [["test.boring.v1", 1], ["test.noted.v1", 2]], "credits": 0}
    assert desk.position(owner)["tally"] == tally
    owner.send(owner.make("k3"))
    desk.reads_to(desk.reader(owner), owner, 4)
    assert dict(desk.position(owner)["tally"]["counts"]) == {"test.boring.v1": 1, "test.noted.v1": 3}


def test_a_tally_names_each_figure_that_differs():
    """Types on either side only, and credits; what stands under a number already is not counted again."""
    events = [an_envelope(1, "t.a", b'{"credits": 20}'), an_envelope(2, "t.b", b"{}")]
    tally = counted(Tally(), events, {"t.a": "credits"})
    assert counted(tally, events, {"t.a": "credits"}) == tally
    assert (dict(tally.counts), tally.credits) == ({"t.a": 1, "t.b": 1}, 20)
    assert counted(Tally(), [an_envelope(1, "t.a", b'{"credits": "x"}')], {"t.a": "credits"}).credits == 0
    assert differences(tally, a_beat(2, {"t.a": 1, "t.b": 1}, 20)) == ()
    told = [str(one) for one in differences(tally, a_beat(2, {"t.a": 2, "t.c": 1}, 40))]
    assert told == [
        "t.a: 1 here, 2 at the owner",
        "t.b: 1 here, 0 at the owner",
        "t.c: 0 here, 1 at the owner",
        "credits: 20 here, 40 at the owner",
    ]


def an_envelope(number, event_type, data):
    """Return an event."""
    return Envelope(
        id=f"e{number}", source="/feeds/f", type=event_type, subject="k", time="2026-01-01T00:00:00.000Z",
        dataschema="s", organisation="o", feedseq=number, prevhash="0" * 64, correlationid="c", data=data,
    )  # fmt: skip


def a_beat(number, counts, credits=0, head="h", partnership=OURS):
    """Return a heartbeat."""
    return Heartbeat(
        feedseq=number, head_hash=head, counts=counts, credits=credits, epoch=1, generation="g",
        partnership_version="1", partnership_hash=partnership,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("position", "records", "fault"),
    [
        ({"number": 2, "head": "h"}, [(a_beat(2, {}), 0)], None),
        ({"number": 1}, [(a_beat(2, {}), 5)], None),
        ({"number": 1}, [(a_beat(2, {}), 100)], "1 missing"),
        ({"number": 3}, [(a_beat(2, {}), 0)], "read to 3, and its owner names 2: its database is from a backup"),
        ({"number": 2, "head": "x"}, [(a_beat(2, {}), 0)], "another history under number 2"),
        ({"number": 2, "head": "h"}, [(a_beat(2, {}), 400)], "its owner is silent"),
        ({"number": 0}, [], "its owner is silent"),
        (
            {"number": 2, "head": "h", "tally": Tally(number=2, counts={"t": 2})},
            [(a_beat(2, {"t": 1}), 0)],
            "t: 2 here, 1 at the owner",
        ),
        (
            {"number": 2, "head": "h"},
            [(a_beat(2, {}, partnership="b" * 64), 0)],
            f"another partnership file: {'b' * 16}",
        ),
    ],
)
def test_freshness_names_what_is_missing_or_differs(unit_of_work, position, records, fault):
    """What is on its way is no fault; what stays away, goes back, differs or falls silent is."""
    now = unit_of_work.clock.now()

    def ago(seconds):
        return (now - timedelta(seconds=seconds)).isoformat()

    word = word_of([LogRecord(offset=0, epoch=1, body=body, time=ago(seconds)) for body, seconds in records])
    found = judged(
        ("reporting", "board"),
        Position(feed="f", **position),
        word,
        alarm=None,
        parked=0,
        partnership_hash=OURS,
        now=now,
    )
    assert found.faults == (() if fault is None else (fault,))


@pytest.mark.parametrize(
    ("number", "ages", "further", "faults"),
    [
        (4, (120, 60, 1), None, ("3 missing",)),
        (5, (120, 60, 1), None, ()),
        (2, (60, 30, 1), 200, ("5 missing",)),
        (2, (60, 30, 1), 70, ()),
        (2, (60, 30, 1), None, ()),
        (2, (120, 60, 1), None, ("5 missing",)),
    ],
    ids=["its first is old", "its first is young", "older than the tail", "a burst", "nobody knows", "old in the tail"],
)
def test_freshness_goes_by_what_has_been_missing_longest_while_its_owner_goes_on(
    unit_of_work, number, ages, further, faults
):
    """Under a steady load the newest event is always young; whoever stands still shows by the first that it lacks."""
    now = unit_of_work.clock.now()
    tail = [
        LogRecord(offset=n, epoch=1, body=an_envelope(n, "t", b"{}"), time=(now - timedelta(seconds=age)).isoformat())
        for n, age in zip((5, 6, 7), ages, strict=True)
    ]
    found = judged(
        ("reporting", "board"), Position(feed="f", number=number), word_of(tail), alarm=None, parked=0,
        partnership_hash=OURS, now=now,
        look_further=lambda: None if further is None else now - timedelta(seconds=further),
    )  # fmt: skip
    assert found.faults == faults


def test_freshness_without_a_log_says_so(unit_of_work):
    """No word is no good word."""
    found = judged(
        ("reporting", "board"), Position(feed="f"), None, alarm=None, parked=0, partnership_hash=OURS,
        now=unit_of_work.clock.now(),
    )  # fmt: skip
    assert found.faults == ("the log does not answer",)


def test_readers_sum_what_the_owners_relay_sums():
    """The catalogue says which number of which type is added up; the relay that announces the sum says the same."""
    catalogue = {entry.type: entry.summed for entry in contract_book().catalogue() if entry.summed}
    assert catalogue == {CREDIT_AWARDED: "credits"}
