"""An organisation's databases as files and back: the same feed, nothing over data, nothing half."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pymongo
import pytest
from bson import Int64
from bson.binary import Binary

from shared.errors import Conflict, Malformed
from shared.events.feed import FeedName
from shared.events.lease import Lease
from shared.events.numbering import Numbering
from shared.events.positions import POSITIONS, PositionMoved, move, read, take_over
from shared.events.pull import feed_page
from shared.events.verify import verify_feed
from shared.storage.dump import LOADING, MANIFEST, Source, dump, read_manifest, restore
from shared.testing.feeds import commits

MANY = 450


def quiet(_: str) -> None:
    """Say nothing."""


def number_all(unit, name: FeedName) -> Lease:
    """Number what waits, as a relay does, and keep the lease."""
    lease = Lease(unit, name, holder="a-relay")
    head = lease.take()
    numbering = Numbering(unit, name, {})
    list(numbering.rounds(head, lease.session))
    return lease


@pytest.fixture
def played(make_unit_of_work, organisation, tmp_path):
    """A service that has said much, reads a feed, keeps all kinds of values, and has a relay and a reader at work."""
    unit = make_unit_of_work(prefix="from_")
    commits(unit, organisation, MANY)
    lease = number_all(unit, FeedName("org", organisation, "enrolment"))
    session = unit.client.start_session()
    position = take_over(unit, session, organisation, "org.other.enrolment.v1")
    unit.run(organisation, lambda work: move(work, position, _at(position, 7)))
    things = unit.database(organisation)["things"]
    things.insert_one(
        {"_id": "a", "whole": 1, "long": Int64(2**40), "at": datetime(2026, 1, 1, tzinfo=UTC), "of": None}
    )
    things.insert_one({"_id": "b", "bytes": Binary(b"\x00\xff"), "text": "Zoë\u2028\n", "list": [1.5, {"deep": True}]})
    yield unit, tmp_path / "out"
    lease.drop()
    session.end_session()
    for prefix in ("from_", "to_"):
        unit.client.drop_database(make_unit_of_work(prefix=prefix).database(organisation).name)


def _at(position, number):
    return type(position)(feed=position.feed, next=number, number=number, head="f" * 64, epoch=position.epoch)


def _source(unit, organisation) -> list[Source]:
    return [Source("enrolment", unit.database(organisation))]


def _export(unit, organisation, folder):
    return dump(_source(unit, organisation), folder, organisation=organisation, partnership_hash="p", say=quiet)


def _pages(unit, organisation, name) -> bytes:
    after, found = 0, b""
    while True:
        page = feed_page(unit.reading(organisation), name, after=after, limit=200)
        found += b"".join(page.items)
        if page.next is None:
            return found
        after = page.next


def test_import_has_the_same_feed_byte_for_byte_and_every_value(played, make_unit_of_work, organisation):
    """Rows, bytes, hashes and positions are what they were; the chain holds when it is walked anew."""
    unit, folder = played
    manifest = _export(unit, organisation, folder)
    other = make_unit_of_work(prefix="to_")
    restore(_source(other, organisation), folder, read_manifest(folder), say=quiet)
    name = FeedName("org", organisation, "enrolment")
    assert _pages(other, organisation, name) == _pages(unit, organisation, name)
    verdict = verify_feed(other.reading(organisation), name)
    assert verdict.is_sound
    assert (verdict.number, verdict.head_hash) == manifest.heads["enrolment/org"]
    assert verdict.number == MANY
    here, there = unit.database(organisation)["things"], other.database(organisation)["things"]
    assert list(there.find({}, sort=[("_id", 1)])) == list(here.find({}, sort=[("_id", 1)]))
    assert LOADING not in other.database(organisation).list_collection_names()


def test_reading_goes_on_and_no_claim_of_a_process_came_along(played, make_unit_of_work, organisation):
    """A new relay need not wait for the old one's lease; a reader goes on from its number with a higher epoch."""
    unit, folder = played
    _export(unit, organisation, folder)
    other = make_unit_of_work(prefix="to_")
    restore(_source(other, organisation), folder, read_manifest(folder), say=quiet)
    head = other.database(organisation)["org_state"].find_one({"_id": "head"})
    assert (head["holder"], head["session"], head["until"]) == (None, None, None)
    assert other.database(organisation)[POSITIONS].find_one({})["session"] is None
    before = read(unit, organisation, "org.other.enrolment.v1")
    with other.client.start_session() as session:
        taken = take_over(other, session, organisation, "org.other.enrolment.v1")
        assert (taken.number, taken.next, taken.epoch) == (7, 7, before.epoch + 1)
        with pytest.raises(PositionMoved):
            other.run(organisation, lambda work: move(work, before, _at(before, 8)))
    lease = Lease(other, FeedName("org", organisation, "enrolment"), holder="another-relay")
    assert lease.take().number == MANY
    lease.drop()


def test_nothing_is_loaded_over_data(played, make_unit_of_work, organisation):
    """A database with a single row is somebody's."""
    unit, folder = played
    _export(unit, organisation, folder)
    other = make_unit_of_work(prefix="to_")
    other.database(organisation)["things"].insert_one({"_id": "mine"})
    with pytest.raises(Conflict):
        restore(_source(other, organisation), folder, read_manifest(folder), say=quiet)
    assert list(other.database(organisation)["things"].find({})) == [{"_id": "mine"}]


def test_load_that_was_broken_off_goes_on(played, make_unit_of_work, organisation):
    """Half of the files, and half of one of them: the same dump again makes it whole."""
    unit, folder = played
    _export(unit, organisation, folder)
    other, seen = make_unit_of_work(prefix="to_"), []

    def break_off(line: str) -> None:
        seen.append(line)
        if "org_entries" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(_source(other, organisation), folder, read_manifest(folder), say=break_off)
    with pymongo.timeout(60):  # the platform's own patience is for requests, not for removing a feed
        other.database(organisation)["org_entries"].delete_many({"_id": {"$gt": ""}})
    restore(_source(other, organisation), folder, read_manifest(folder), say=quiet)
    assert verify_feed(other.reading(organisation), FeedName("org", organisation, "enrolment")).number == MANY
    assert seen


def test_changed_file_is_not_loaded(played, make_unit_of_work, organisation):
    """A file that is not the one that was written stops everything before the first row."""
    unit, folder = played
    _export(unit, organisation, folder)
    path = folder / "enrolment" / "things.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Zo", b"Za"))
    other = make_unit_of_work(prefix="to_")
    with pytest.raises(Malformed):
        restore(_source(other, organisation), folder, read_manifest(folder), say=quiet)
    assert other.database(organisation).list_collection_names() == []


def test_export_of_an_organisation_at_work_is_refused_and_is_no_dump(played, organisation):
    """What moves while it is written would not fit together: no manifest, and the same folder serves again."""
    unit, folder = played

    def meanwhile(line: str) -> None:
        if "org_entries" in line:
            commits(unit, organisation, 1, first=MANY + 1)

    with pytest.raises(Conflict):
        dump(_source(unit, organisation), folder, organisation=organisation, partnership_hash="p", say=meanwhile)
    assert not (folder / MANIFEST).exists()
    with pytest.raises(Malformed):
        read_manifest(folder)
    _export(unit, organisation, folder)
    with pytest.raises(Conflict):
        _export(unit, organisation, folder)


def test_a_change_that_nothing_counts_makes_the_dump_invalid(played, organisation):
    """A row is changed in place behind the part that was written: as many rows, no event, and no manifest."""
    unit, folder = played

    def meanwhile(line: str) -> None:
        if line.startswith("enrolment/things.jsonl"):
            unit.database(organisation)["things"].update_one({"_id": "a"}, {"$set": {"whole": 2}})

    with pytest.raises(Conflict):
        dump(_source(unit, organisation), folder, organisation=organisation, partnership_hash="p", say=meanwhile)
    assert not (folder / MANIFEST).exists()
    _export(unit, organisation, folder)


def test_only_who_made_a_dump_can_read_it(played, organisation):
    """Folders 0700, files 0600, whatever the mask is, and a file that was left behind by a broken dump too."""
    unit, folder = played
    (folder / "enrolment").mkdir(parents=True, mode=0o700)
    left = folder / "enrolment" / "things.part"
    left.touch(mode=0o644)
    before = os.umask(0)
    try:
        _export(unit, organisation, folder / "deeper")
        _export(unit, organisation, folder)
    finally:
        os.umask(before)
    deeper = folder / "deeper"
    assert {path.stat().st_mode & 0o777 for path in (deeper, deeper / "enrolment")} == {0o700}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
