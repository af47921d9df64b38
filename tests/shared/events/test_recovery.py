"""An owner's database back from yesterday: noticed before anything is numbered, whole again, nothing told twice."""

import msgspec
import pytest

from shared.errors import Conflict
from shared.events.adoption import adopt
from shared.events.alarms import FORK, end_alarm, open_alarm
from shared.events.derived_ids import derived_identifiers
from shared.events.envelope import Envelope, Outgoing
from shared.events.feed_reading import ReadingRules
from shared.events.ledger import Ledger
from shared.events.log import OwnLog
from shared.events.recovery import examine, reimport
from shared.events.retold import redone
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.events.tail import FeedRefused
from shared.events.verify import verify_feed
from shared.testing.backups import backup_of, restore
from shared.testing.feeds import a_commit, an_event, commits, numbers_on, on_topic
from tests.shared.events.conftest import Noted

pytestmark = pytest.mark.backbone

WHO = {"by": "somebody", "reason": "the disk of Tuesday night"}
SUMMED = {"test.happened.v1": "version"}


@pytest.fixture
def database(unit_of_work, feed):
    """The owner's database."""
    return unit_of_work.database(feed.organisation)


@pytest.fixture
def read(unit_of_work, kafka_bootstrap, feed):
    """The way to read the feed's log."""
    return OwnLog(kafka_bootstrap, feed.topic, unit_of_work.clock).read


def chain(kafka_bootstrap, feed):
    """Return the events on the log with their hashes, each number once."""
    found = {r.body.feedseq: (r.body, r.event_hash) for r in on_topic(kafka_bootstrap, feed.topic) if is_event(r)}
    return [found[number] for number in sorted(found)]


def is_event(record):
    """Say whether a record of the log is a numbered event."""
    return isinstance(record.body, Envelope)


def test_p14_owner_from_yesterday_numbers_nothing_until_the_log_gave_back_what_it_knows(
    unit_of_work, feed, database, start_relay, read, kafka_bootstrap
):
    """The relay refuses; the command brings the events back byte for byte; then new events go on after them."""
    commits(unit_of_work, feed.organisation, 2)
    start_relay().step()
    backup = backup_of(database)
    commits(unit_of_work, feed.organisation, 3, first=3)
    a_commit(unit_of_work, feed.organisation, an_event("b", 1), an_event("c", 1))
    start_relay().step()
    before = chain(kafka_bootstrap, feed)
    totals = Ledger(unit_of_work.reading(feed.organisation), feed).head()
    restore(database, backup)
    commits(unit_of_work, feed.organisation, 1, first=3)
    with pytest.raises(FeedRefused, match="recover-feed"):
        start_relay().step()
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).unnumbered == 1

    found = examine(unit_of_work, feed, read)
    assert (found.known, [event.number for event in found.lost], found.waiting) == (2, [3, 4, 5, 6, 7], 1)
    assert (found.parted, found.out_of_reach, found.touched) == (None, 0, ("a",))
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).number == 2, "looking changes nothing"

    assert reimport(unit_of_work, feed, read, summed={}, **WHO) == 5
    assert examine(unit_of_work, feed, read).is_whole
    is_kept_who_did_it(database)
    head = Ledger(unit_of_work.reading(feed.organisation), feed).head()
    assert (head.number, head.hash, head.counts) == (totals.number, totals.hash, totals.counts)
    start_relay().step()
    assert chain(kafka_bootstrap, feed)[:7] == before
    assert numbers_on(kafka_bootstrap, feed.topic) == [1, 2, 3, 4, 5, 6, 7, 8]
    verdict = verify_feed(unit_of_work.reading(feed.organisation), feed)
    assert (verdict.is_sound, verdict.number, verdict.unnumbered) == (True, 8, 0)
    assert reimport(unit_of_work, feed, read, summed={}, **WHO) == 0, "again changes nothing"


def is_kept_who_did_it(database):
    """What came back, and on whose word."""
    assert [one["number"] for one in database["brought_back"].find({}).sort("number")] == [3, 4, 5, 6, 7]
    assert [(one["after"], one["count"], one["by"]) for one in database["recoveries"].find({})] == [(2, 5, "somebody")]


def test_p14_an_entry_that_waited_in_the_backup_and_was_sent_later_is_one_entry(
    unit_of_work, feed, database, start_relay, read, kafka_bootstrap
):
    """The backup holds it without its number: it is recognised by its events, not numbered a second time."""
    commits(unit_of_work, feed.organisation, 1)
    start_relay().step()
    a_commit(unit_of_work, feed.organisation, an_event("b", 1), an_event("c", 1))
    commits(unit_of_work, feed.organisation, 1, first=2)
    backup = backup_of(database)
    start_relay().step()
    before = chain(kafka_bootstrap, feed)
    restore(database, backup)
    reimport(unit_of_work, feed, read, summed=SUMMED, **WHO)
    start_relay().step()
    verdict = verify_feed(unit_of_work.reading(feed.organisation), feed)
    assert (verdict.number, verdict.unnumbered, verdict.lost) == (4, 0, 0)
    assert database[feed.entries].count_documents({}) == len(backup[feed.entries])
    assert chain(kafka_bootstrap, feed) == before
    assert Ledger(unit_of_work.reading(feed.organisation), feed).head().credits == 4


def test_p14_a_recovery_that_was_broken_off_goes_on_where_it_was(
    unit_of_work, feed, database, start_relay, read, monkeypatch
):
    """Each part is a transaction of its own; the second run brings back the rest."""
    commits(unit_of_work, feed.organisation, 1)
    start_relay().step()
    backup = backup_of(database)
    commits(unit_of_work, feed.organisation, 7, first=2)
    start_relay().step()
    restore(database, backup)
    monkeypatch.setattr("shared.events.recovery.MOST_EVENTS", 2)
    seen = []

    def stops(start):
        for record in read(start):
            if is_event(record):
                seen.append(record.body.feedseq)
            if len(seen) == 6:
                raise ConnectionAbortedError
            yield record

    with pytest.raises(ConnectionAbortedError):
        reimport(unit_of_work, feed, stops, summed={}, **WHO)
    assert 1 < Ledger(unit_of_work.reading(feed.organisation), feed).head().number < 8
    assert reimport(unit_of_work, feed, read, summed={}, **WHO) > 0
    verdict = verify_feed(unit_of_work.reading(feed.organisation), feed)
    assert (verdict.is_sound, verdict.number) == (True, 8)


def test_p14_histories_that_parted_are_named_and_never_mixed(unit_of_work, feed, database, start_relay, read):
    """A database that numbered events of its own gets nothing from the log: a person decides at the readers."""
    commits(unit_of_work, feed.organisation, 1)
    start_relay().step()
    backup = backup_of(database)
    commits(unit_of_work, feed.organisation, 2, first=2)
    start_relay().step()
    own = chain_events(read)
    restore(database, backup)
    number_without_looking(unit_of_work, feed, start_relay)
    found = examine(unit_of_work, feed, read)
    assert (found.parted, found.is_whole) == (2, False)
    with pytest.raises(Conflict, match="number 2"):
        reimport(unit_of_work, feed, read, summed={}, **WHO)
    assert chain_events(read) == own
    assert verify_feed(unit_of_work.reading(feed.organisation), feed).is_sound


def chain_events(read):
    """Return the events on the log."""
    return [record.body for record in read(0) if is_event(record)]


def number_without_looking(unit_of_work, feed, start_relay):
    """Number one event while the log cannot be looked at, as no relay does: the fork of a test."""
    commits(unit_of_work, feed.organisation, 1, first=2)
    relay = start_relay()
    lane = next(iter(relay._lanes.values()))
    lane.relay._check = lambda head: lane.relay._number(head)
    lane.relay._send = lambda _: None
    lane.relay.step()


@pytest.fixture
def seating(desk, owner, feed):
    """A reader of the owner's events into this test's database, whose reaction makes a row and tells of it."""

    def when_noted(work, event):
        identifier = work.new_id()
        work.rows("seats").insert_one({"_id": identifier, "for": event.key})
        data = msgspec.json.encode({"seat": identifier, "amount": event.data.amount})
        work.emit(Outgoing(type="test.seated.v1", key=identifier, version=1, data=data))

    concerned = (feed.organisation,)
    row = Subscription(type="test.noted.v1", struct=Noted, concerns=lambda _, __: concerned, reaction=when_noted)
    book = SubscriptionBook((row,), {"test.boring.v1"})

    def read_on(count):
        reader = desk.reader(owner, book=book, takers={owner.organisation: concerned})
        desk.settle(reader, lambda: desk.position(owner, feed.organisation)["number"] >= count)
        reader.close()

    return read_on


def test_p14_what_reactions_told_before_the_backup_is_restored_is_not_told_again(
    desk, owner, seating, unit_of_work, feed, database, start_relay, read, kafka_bootstrap
):
    """The reader takes others' events again: the same rows with the same ids, and no second event about them."""
    owner.send(owner.make("k1"), owner.make("k2"))
    seating(2)
    start_relay().step()
    backup = backup_of(database)
    owner.send(owner.make("k3"), owner.make("k4"))
    seating(4)
    start_relay().step()
    seats, told = desk.rows(feed.organisation, "seats"), chain(kafka_bootstrap, feed)

    restore(database, backup)
    owner.send(owner.make("k5"))
    seating(5)
    with pytest.raises(FeedRefused):
        start_relay().step()
    assert reimport(unit_of_work, feed, read, summed={}, **WHO) == 2
    assert database["brought_back"].count_documents({"type": "test.seated.v1"}) == 2
    start_relay().step()
    again = chain(kafka_bootstrap, feed)
    assert (again[:4], len(again)) == (told, 5), "k5 alone is new"
    assert desk.rows(feed.organisation, "seats")[:4] == seats
    assert redone(unit_of_work.reading(feed.organisation)).done == 2

    restore(database, backup)
    reimport(unit_of_work, feed, read, summed={}, **WHO)
    seating(5)
    start_relay().step()
    assert chain(kafka_bootstrap, feed) == again, "nor when the command came before the reader"
    told_again = redone(unit_of_work.reading(feed.organisation))
    assert (told_again.expected, told_again.done, told_again.other) == (3, 3, 0)


def test_reactions_ids_are_the_same_again_and_nobody_elses(unit_of_work):
    """They follow from the database's secret, the service, the event and their order; they look like all others."""
    at = unit_of_work.clock.now()

    def three(seed="s", service="enrolment", event="e"):
        make = derived_identifiers(seed, service, event, at)
        return [make(), make(), make()]

    assert three() == three()
    assert three() == sorted(three())
    others = [three(seed="t"), three(service="assessment"), three(event="f")]
    assert len({one for made in (three(), *others) for one in made}) == 12
    assert all(one[14] == "7" and one[19] in "89ab" for one in three())


def test_p14_reader_of_a_database_that_went_back_begins_again_and_leaves_out_nothing(desk, owner):
    """A database restored under a running reader: it notices, and takes what the database has not seen."""
    owner.send(owner.make("k1"), owner.make("k2"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 2)
    database = desk.unit.database(owner.organisation)
    backup = backup_of(database)
    owner.send(owner.make("k3"), owner.make("k4"))
    desk.reads_to(reader, owner, 4)
    restore(database, backup)
    owner.send(owner.make("k5"))
    with pytest.raises(Conflict, match="came back from a backup"):
        desk.settle(reader, lambda: desk.position(owner)["number"] >= 5)
    desk.reads_to(desk.reader(owner), owner, 5)
    assert desk.sums(owner) == {f"k{number}": 1 for number in range(1, 6)}


def test_k10_owner_that_names_less_than_was_read_is_a_fork_also_after_the_log_was_lost(desk, owner):
    """Log and database lost at once: the owner's present heartbeats are below what was read, and stay there."""
    rules = ReadingRules(setback_seconds=0.05)
    owner.send(*(owner.make(f"k{number}") for number in range(5)))
    reader = desk.reader(owner, rules=rules)
    desk.reads_to(reader, owner, 5)
    made, owner.made = owner.made, []
    reader.close()
    owner.remake("g2")
    owner.send(*made[:3])
    for _ in range(3):
        owner.beat(3, head=made[3].prevhash)
    reader = desk.reader(owner, rules=rules)
    desk.settle(reader, lambda: reader.step() is not None and bool(reader._active))
    assert open_alarm(desk.unit, owner.organisation, owner.topic) is None, "heartbeats of the past are no alarm"

    def alarm():
        desk.unit.clock.sleep(0.1)
        owner.beat(3, head=made[3].prevhash)
        return open_alarm(desk.unit, owner.organisation, owner.topic) is not None

    desk.settle(reader, alarm)
    found = open_alarm(desk.unit, owner.organisation, owner.topic)
    assert (found.kind, found.number) == (FORK, 4)


def test_k10_owner_that_names_less_is_noticed_when_a_feed_concerns_only_some(desk, owner, new_organisation):
    """Who the feed never concerned stands at 0 and the pass begins there; what the others have read still counts."""
    rules, idle = ReadingRules(setback_seconds=0.05), new_organisation("idle")
    takers = {owner.organisation: (owner.organisation, idle)}
    owner.send(*(owner.make(f"k{number}") for number in range(5)))
    desk.reads_to(desk.reader(owner, rules=rules, takers=takers), owner, 5)
    assert desk.position(owner, idle)["number"] == 0
    made, owner.made = owner.made, []
    owner.remake("g2")
    owner.send(*made[:3])
    reader = desk.reader(owner, rules=rules, takers=takers)

    def alarm():
        desk.unit.clock.sleep(0.1)
        owner.beat(3, head=made[3].prevhash)
        return open_alarm(desk.unit, owner.organisation, owner.topic) is not None

    desk.settle(reader, alarm)
    assert open_alarm(desk.unit, owner.organisation, owner.topic).kind == FORK


def test_p14_reader_goes_on_with_the_owners_new_history_when_a_person_adopts_it(desk, owner):
    """The last common number is the person's word; what was read after it stands, is counted and set aside."""
    rules = ReadingRules(look_seconds=0.2)
    owner.send(owner.make("k1"), owner.make("k1"), owner.make("k2", orders="bug"), owner.make("k3"))
    reader = desk.reader(owner, rules=rules)
    desk.reads_to(reader, owner, 4)
    made, owner.made = owner.made, []
    owner.number, owner.head = 2, made[2].prevhash
    reader.close()
    owner.remake("g2")
    owner.send(*made[:2], owner.make("k4"), owner.make("k5"), owner.make("k6"))
    reader = desk.reader(owner, rules=rules)

    desk.settle(reader, lambda: open_alarm(desk.unit, owner.organisation, owner.topic) is not None)
    where = (desk.unit, owner.organisation, owner.topic)
    with pytest.raises(Conflict, match="nothing to give up"):
        adopt(*where, number=4, head="f" * 64, **WHO)
    adopted = adopt(*where, number=2, head=made[2].prevhash, **WHO)
    assert (adopted.after, adopted.read, adopted.parked) == (2, 4, 1)
    assert end_alarm(*where, **WHO)
    desk.settle(reader, lambda: desk.position(owner)["number"] >= 5)
    assert desk.sums(owner) == {"k1": 2, "k3": 1, "k4": 1, "k6": 1}
    waiting = [one for one in desk.rows(owner.organisation, "parked") if one["state"] == "waiting"]
    assert [one["key"] for one in waiting] == ["k5"], "an old effect that stands in the way is left to a person"


def test_p14_recovery_says_what_the_log_names_and_no_longer_holds(unit_of_work, feed, database, start_relay, read):
    """A hole in the log is not passed over: what comes after it is not brought back, and counted."""
    commits(unit_of_work, feed.organisation, 1)
    start_relay().step()
    backup = backup_of(database)
    commits(unit_of_work, feed.organisation, 4, first=2)
    start_relay().step()
    restore(database, backup)

    def holed(start):
        return (record for record in read(start) if not (is_event(record) and record.body.feedseq == 3))

    found = examine(unit_of_work, feed, holed)
    assert ([event.number for event in found.lost], found.announced, found.out_of_reach) == ([2], 5, 3)
