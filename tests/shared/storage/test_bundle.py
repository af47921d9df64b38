"""What a transaction inserts together, on the real database: sent as one command, or by collection without that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.errors import ConcurrentChange, RuleBroken
from shared.events.envelope import Outgoing
from shared.storage import bundle
from shared.storage.unit_of_work import UnitOfWork
from tests.commands import counting


@pytest.fixture(params=["one command", "a command for each collection"])
def unit(request: pytest.FixtureRequest, unit_of_work, monkeypatch: pytest.MonkeyPatch) -> UnitOfWork:
    """A unit of work on a server that takes inserts into several collections at once, or takes none."""
    if request.param != "one command":
        monkeypatch.setattr(bundle, "BULK_WRITE_SINCE", 1_000)
    return unit_of_work


def an_event() -> Outgoing:
    """Return any event."""
    return Outgoing(type="test.happened.v1", key="a", version=1, data=b"{}")


def in_all(unit: UnitOfWork, organisation: str, *names: str) -> list[int]:
    """Return how many documents stand in each collection."""
    database = unit.database(organisation)
    return [database[name].count_documents({}) for name in names]


def test_what_is_inserted_stands_after_the_commit(unit, organisation):
    """Several collections, documents with and without an id, and the feed entry."""

    def place(work):
        assert work.rows("things").find_one({"_id": "a"}) is None
        work.rows("things").insert_many([{"_id": "a"}, {"_id": "b"}])
        work.rows("others").insert_one({"n": 1})
        work.emit(an_event())

    unit.run(organisation, place, together=True)
    assert in_all(unit, organisation, "things", "others", "org_entries", "org_pending") == [2, 1, 1, 1]


def test_a_request_inserts_with_one_command(mongodb_uri, organisation, make_unit_of_work):
    """However many collections it inserts into; read first, as every request under a key does."""
    with counting(mongodb_uri) as (client, commands):
        unit = make_unit_of_work()
        unit.client = client
        client.admin.command("ping")  # a client knows what a server can do once it has spoken with it
        commands.clear()

        def place(work):
            work.rows("things").find_one({"_id": "a"})
            for name in ("things", "others", "more"):
                work.rows(name).insert_one({"_id": "a"})
            assert work.rows("more").find_one({"_id": "a"}) == {"_id": "a"}
            work.emit(an_event())

        unit.run(organisation, place, together=True)
        assert commands == ["find", "bulkWrite", "commitTransaction"]


def test_what_is_inserted_is_there_for_whoever_reads_on(unit, organisation):
    """By its id as the database would give it, in a list, in a count, and for a change."""
    moment = datetime(2025, 9, 1, 12, 0, 0, 123_456, tzinfo=UTC)

    def place(work):
        things = work.rows("things")
        document = {"_id": "a", "at": moment, "tags": ("x", "y")}
        things.insert_one(document)
        document["tags"] = ("changed afterwards",)
        kept = {"_id": "a", "at": moment.replace(microsecond=123_000), "tags": ["x", "y"]}
        assert things.find_one({"_id": "a"}) == kept
        assert things.find_one({"_id": "b"}) is None
        assert things.find({}) == [kept]
        things.insert_one({"_id": "b", "version": 1})
        assert things.count({}) == 2
        things.insert_one({"_id": "c", "version": 1})
        things.replace_version({"_id": "c", "version": 2}, 1)
        things.insert_one({"_id": "d"})
        assert things.delete_one({"_id": "d"}) == 1

    unit.run(organisation, place, together=True)
    found = unit.reading(organisation).rows("things").find({}, sort=[("_id", 1)])
    assert [(row["_id"], row.get("version")) for row in found] == [("a", None), ("b", 1), ("c", 2)]


def test_a_key_that_is_taken_takes_everything_back(unit, organisation):
    """The callback runs again; where the key stays taken its caller hears so, and nothing of it stands."""
    unit.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a"}))
    runs = []

    def place(work):
        runs.append(1)
        work.rows("others").find({})
        work.rows("others").insert_one({"_id": "b"})
        work.rows("things").insert_one({"_id": "a"})
        work.emit(an_event())

    with pytest.raises(ConcurrentChange):
        unit.run(organisation, place, together=True)
    assert (len(runs), in_all(unit, organisation, "things", "others", "org_entries")) == (3, [1, 0, 0])


def test_a_rule_that_says_no_leaves_nothing_behind(unit, organisation):
    """Neither what was held back nor what had been sent."""

    def place(work):
        work.rows("things").insert_one({"_id": "a"})
        work.rows("things").find({})
        work.rows("others").insert_one({"_id": "b"})
        raise RuleBroken("no")

    with pytest.raises(RuleBroken):
        unit.run(organisation, place, together=True)
    assert in_all(unit, organisation, "things", "others") == [0, 0]


def test_many_documents_are_not_held_back(unit, organisation):
    """They are sent when they are too many to wait, and all of them stand."""

    def place(work):
        for number in range(bundle.MOST_HELD + 5):
            work.rows("things" if number % 2 else "others").insert_one({"_id": number})

    unit.run(organisation, place, together=True)
    assert sum(in_all(unit, organisation, "things", "others")) == bundle.MOST_HELD + 5


def test_long_documents_are_not_held_together(mongodb_uri, organisation, make_unit_of_work, monkeypatch):
    """A command has room for 16 MiB: what would be longer together goes in several, one by itself without a bundle."""
    monkeypatch.setattr(bundle, "MOST_BYTES", 1_000)
    with counting(mongodb_uri) as (client, commands):
        unit = make_unit_of_work()
        unit.client = client
        client.admin.command("ping")
        commands.clear()

        def place(work):
            work.rows("things").find_one({"_id": "a"})
            for name, length in (("things", 400), ("others", 400), ("more", 400), ("most", 2_000)):
                work.rows(name).insert_one({"_id": "a", "text": "x" * length})

        unit.run(organisation, place, together=True)
        assert commands == ["find", "bulkWrite", "insert", "insert", "commitTransaction"]
        assert in_all(unit, organisation, "things", "others", "more", "most") == [1, 1, 1, 1]


def test_what_stands_beside_a_document_is_read_in_one_command_and_what_is_held_counts(unit, organisation):
    """One document of each other collection, by the id that a field here holds; None for what is not there."""

    def look(work):
        rows = work.rows("things")
        assert rows.find_one({"_id": "a"}) is None
        rows.insert_one({"_id": "a", "whose": "w"})
        work.rows("people").insert_many([{"_id": "w", "name": "held"}, {"_id": "x", "name": "another"}])
        work.rows("notes").insert_one({"_id": "a", "text": "same id"})
        work.emit(an_event())
        found = rows.beside("a", {"people": "whose", "notes": "_id", "places": "where"})
        return found, rows.beside("nobody", {"people": "whose"})

    found, nothing = unit.run(organisation, look, together=True)
    assert found == {"people": {"_id": "w", "name": "held"}, "notes": {"_id": "a", "text": "same id"}, "places": None}
    assert nothing == {"people": None}


def test_what_is_replaced_goes_with_what_is_inserted(mongodb_uri, organisation, make_unit_of_work):
    """One command for both; whoever asks for it by its id meanwhile is given what will stand there."""
    with counting(mongodb_uri) as (client, commands):
        unit = make_unit_of_work()
        unit.client = client
        unit.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a", "version": 1}))
        commands.clear()

        def change(work):
            things = work.rows("things")
            assert things.find_one({"_id": "a"})["version"] == 1
            document = {"_id": "a", "version": 2, "tags": ["x"]}
            things.replace_version(document, 1)
            document["tags"] = ["changed afterwards"]
            work.rows("others").insert_one({"_id": "b"})
            assert things.find_one({"_id": "a"}) == {"_id": "a", "version": 2, "tags": ["x"]}
            assert work.changed >= {"things", "others"}
            work.emit(an_event())

        unit.run(organisation, change, together=True)
        assert commands == ["find", "bulkWrite", "commitTransaction"]
        assert unit.reading(organisation).rows("things").find({}) == [{"_id": "a", "version": 2, "tags": ["x"]}]


@pytest.mark.parametrize("others", [("others",), ()], ids=["with inserts", "alone"])
def test_what_somebody_else_changed_first_is_not_replaced(unit, organisation, others):
    """The callback runs again and sees it; where it is always too late nothing of it stands."""
    unit.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a", "version": 5}))
    runs = []

    def change(work):
        runs.append(work.rows("things").find_one({"_id": "a"})["version"])
        work.rows("things").replace_version({"_id": "a", "version": 5}, 4)
        for name in others:
            work.rows(name).insert_one({"_id": "b"})
            work.emit(an_event())

    with pytest.raises(ConcurrentChange):
        unit.run(organisation, change, together=True)
    assert runs == [5, 5, 5]
    assert unit.reading(organisation).rows("things").find({}) == [{"_id": "a", "version": 5}]
    assert in_all(unit, organisation, "others", "org_entries") == [0, 0]


def test_one_document_is_replaced_twice_in_one_transaction(unit, organisation):
    """What was held of it is sent before; a list and another write see it as well."""
    unit.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a", "version": 1}))

    def change(work):
        things = work.rows("things")
        things.replace_version({"_id": "a", "version": 2}, 1)
        things.replace_version({"_id": "a", "version": 3}, 2)
        assert things.find({}) == [{"_id": "a", "version": 3}]
        things.replace_version({"_id": "a", "version": 4}, 3)
        assert things.update_one({"_id": "a", "version": 4}, {"$set": {"seen": True}}) == 1

    unit.run(organisation, change, together=True)
    assert unit.reading(organisation).rows("things").find({}) == [{"_id": "a", "version": 4, "seen": True}]


def test_what_frees_a_key_is_sent_before_what_takes_it(unit, organisation):
    """In the order in which it was written, also where nothing else goes with it."""
    unit.database(organisation)["things"].create_index("key", unique=True)
    unit.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a", "key": 1, "version": 1}))

    def change(work):
        things = work.rows("things")
        assert things.find_one({"_id": "b"}) is None
        things.replace_version({"_id": "a", "key": 2, "version": 2}, 1)
        things.insert_one({"_id": "b", "key": 1})
        assert [row["key"] for row in things.find({}, sort=[("_id", 1)])] == [2, 1]

    unit.run(organisation, change, together=True)
    assert in_all(unit, organisation, "things") == [2]


def test_what_was_read_beside_is_not_asked_for_again_until_it_is_changed(mongodb_uri, organisation, make_unit_of_work):
    """Neither the document itself nor those it names; whoever changes what they were given changes nothing else."""
    with counting(mongodb_uri) as (client, commands):
        unit = make_unit_of_work()
        unit.client = client

        def place(work):
            work.rows("things").insert_one({"_id": "a", "whose": "w", "version": 1})
            work.rows("people").insert_one({"_id": "w", "name": "n"})

        unit.run(organisation, place)
        commands.clear()

        def look(work):
            things, people = work.rows("things"), work.rows("people")
            assert things.beside("a", {"people": "whose"}) == {"people": {"_id": "w", "name": "n"}}
            assert things.beside("nobody", {"people": "whose"}) == {"people": None}
            things.find_one({"_id": "a"})["whose"] = "mine"
            assert things.find_one({"_id": "a"}) == {"_id": "a", "whose": "w", "version": 1}
            assert things.find_one({"_id": "nobody"}) is None
            assert people.find_one({"_id": "w"}) == {"_id": "w", "name": "n"}
            assert commands == ["aggregate", "aggregate"]
            assert things.find_one({"_id": {"$in": ["a"]}})["version"] == 1
            people.update_one({"_id": "w"}, {"$set": {"name": "another"}})
            assert people.find_one({"_id": "w"}) == {"_id": "w", "name": "another"}
            people.insert_one({"_id": "nobody"})
            things.insert_one({"_id": "nobody"})
            assert things.find_one({"_id": "nobody"}) == {"_id": "nobody"}

        unit.run(organisation, look, together=True)


def test_what_was_not_there_is_looked_for_again_once_something_was_inserted(unit, organisation):
    """Also when it was sent meanwhile: nothing is remembered of a collection that was written to."""

    def look(work):
        things, places = work.rows("things"), work.rows("places")
        things.insert_one({"_id": "a", "where": "nowhere"})
        assert things.beside("a", {"places": "where"}) == {"places": None}
        places.insert_one({"_id": "nowhere"})
        assert len(places.find({})) == 1
        assert places.find_one({"_id": "nowhere"}) == {"_id": "nowhere"}
        assert places.by_ids(["nowhere"]) == [{"_id": "nowhere"}]
        work.emit(an_event())

    unit.run(organisation, look, together=True)


def test_what_is_held_goes_before_what_is_read_beside_though_nothing_was_read_yet(unit, organisation):
    """Inserts into several collections would be one command, and as the first of a transaction none would take it."""

    def look(work):
        work.rows("things").insert_one({"_id": "a", "whose": "w"})
        work.rows("people").insert_one({"_id": "w"})
        assert work.rows("things").beside("a", {"notes": "_id", "people": "whose"})["people"] == {"_id": "w"}
        work.emit(an_event())

    unit.run(organisation, look, together=True)
    assert in_all(unit, organisation, "things", "people") == [1, 1]


LED_TO = {
    "people": {"$literal": "$w"},
    "notes": {"$concat": ["$whose", "/", "$what"]},
    "places": {"$literal": "nowhere"},
    "more": "whose",
}
STANDS_THERE = {"people": {"_id": "$w"}, "notes": {"_id": "w/x", "text": "both"}, "places": None, "more": None}


def place_what_leads_on(work):
    """Keep a document, and others that it leads to."""
    work.rows("things").insert_one({"_id": "a", "whose": "w", "what": "x"})
    work.rows("people").insert_many([{"_id": "$w"}, {"_id": "v"}, {"_id": "u"}])
    work.rows("notes").insert_one(STANDS_THERE["notes"])


def test_what_an_expression_leads_to_is_read_beside_and_what_is_not_there_is_known_too(
    mongodb_uri, organisation, make_unit_of_work
):
    """An id that is given, and one put together of what the document holds."""
    with counting(mongodb_uri) as (client, commands):
        unit = make_unit_of_work()
        unit.client = client
        unit.run(organisation, place_what_leads_on)
        things = unit.reading(organisation).rows("things")
        assert not things.remembers
        assert things.beside("a", LED_TO) == STANDS_THERE
        commands.clear()

        def look(work):
            assert work.rows("things").remembers
            assert work.rows("things").beside("a", LED_TO) == STANDS_THERE
            assert work.rows("things").find_one({"_id": "a"}) == {"_id": "a", "whose": "w", "what": "x"}
            assert work.rows("notes").find_one({"_id": "w/x"}) == STANDS_THERE["notes"]
            assert work.rows("places").find_one({"_id": "nowhere"}) is work.rows("more").find_one({"_id": "w"}) is None
            assert commands == ["aggregate"]
            assert work.rows("places").find_one({"_id": "elsewhere"}) is None
            assert commands == ["aggregate", "find"]

        unit.run(organisation, look, together=True)


def test_documents_by_their_ids_are_asked_for_but_those_that_are_known(mongodb_uri, organisation, make_unit_of_work):
    """Each once; many are asked for in parts, and what is held counts."""
    with counting(mongodb_uri) as (client, commands):
        unit = make_unit_of_work()
        unit.client = client
        unit.run(organisation, place_what_leads_on)
        commands.clear()

        def look(work):
            people = work.rows("people")
            work.rows("things").beside("a", LED_TO)
            assert people.by_ids(["$w", "$w"]) == [{"_id": "$w"}]
            assert work.rows("places").by_ids(["nowhere"]) == []
            assert commands == ["aggregate"]
            assert [one["_id"] for one in people.by_ids(["u", "$w", "v", "nobody"])] == ["$w", "u", "v"]
            assert commands == ["aggregate", "find"]
            people.insert_one({"_id": "t"})
            assert sorted(one["_id"] for one in people.by_ids(["t", "$w"])) == ["$w", "t"]
            work.emit(an_event())

        unit.run(organisation, look, together=True)
        many = [f"p{number}" for number in range(250)]
        unit.run(organisation, lambda work: work.rows("people").insert_many([{"_id": name} for name in many]))
        commands.clear()
        found = unit.reading(organisation).rows("people").by_ids([*many, *many])
        assert sorted(one["_id"] for one in found) == sorted(many)
        assert commands == ["find"] * 3
