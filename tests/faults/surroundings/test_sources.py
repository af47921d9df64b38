"""Feeds of which something is missing or wrong (K9, K10) and doors that answer nonsense (P24), with a real reader.

Assessment's reader runs as a process; the test plays the owners: it writes what it likes to their topics, and answers
for their pull feeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from kafka import KafkaProducer

from shared.events import alarms
from shared.events.envelope import Envelope
from shared.events.records import structured
from tests.faults.surroundings.nonsense import Answer, Door, an_html_page, html_that_says_it_is_json
from tests.faults.surroundings.stage import LEAD, OTHER, Process, Stage, wait_until
from tests.shared.events.conftest import Owner

BORING = "enrolment.requested.v1"
"""Known to assessment and of no interest: only the position moves."""
HELD_BACK = 10_000
"""So many records behind a gap, and the reader waits no longer but asks the owner."""

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def pages_of(owner: Owner) -> Callable[[int, int], Answer]:
    """Return how the true pull feed of an owner answers."""

    def answer(after: int, limit: int) -> Answer:
        items = [msgspec.Raw(structured(envelope)) for envelope in owner.made[after : after + limit]]
        head = {"number": owner.number, "hash": owner.head}
        return 200, "application/json", msgspec.json.encode({"items": items, "head": head, "next": None})

    return answer


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """The door of every owner."""
    door = Door()
    yield door
    door.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Iterator[Stage]:
    """A database and a broker."""
    with Stage(tmp_path_factory.mktemp("sources")) as stage:
        stage.prepare("assessment")
        yield stage


@pytest.fixture(scope="module")
def producer(stage) -> Iterator[KafkaProducer]:
    """Sends whatever it is given."""
    producer = KafkaProducer(bootstrap_servers=stage.kafka)
    yield producer
    producer.close(timeout=2)


@pytest.fixture(scope="module")
def owners(stage, producer) -> dict[str, Owner]:
    """The two owners with open, empty feeds."""
    owners = {slug: Owner(slug, stage.kafka, producer) for slug in (LEAD, OTHER)}
    for owner in owners.values():
        owner.open()
    return owners


@pytest.fixture(scope="module")
def readers(stage, owners, door) -> dict[str, Process]:  # noqa: ARG001 - the topics are there
    """The reader's process, which a test may replace."""
    return {"now": start_reader(stage, door)}


def start_reader(stage: Stage, door: Door) -> Process:
    """Start assessment's reader, which knows the owners' doors."""
    file = stage.folder / "doors.json"
    file.write_text(json.dumps({"enrolment": door.url}))
    return stage.start("assessment", "consume", DOORS_FILE=str(file))


def some(owner: Owner, count: int) -> list[Envelope]:
    """Return the owner's next events, not sent."""
    return [owner.make(key=f"{owner.number}", type=BORING) for _ in range(count)]


def taken(stage: Stage, owner: Owner) -> int:
    """Return how far the owner's own people have taken its feed in assessment."""
    return stage.position("assessment", owner.organisation, owner.organisation)


def alarm(reader: Process, owner: Owner, kind: str) -> bool:
    """Return whether the reader shows this alarm."""
    return reader.metric("feed_alarms", feed=owner.topic, kind=kind) == 1


def reaches(reader: Process, owner: Owner, number: int) -> None:
    """Wait until the reader has taken this number; positions of what concerns nobody are written lazily."""
    wait_until(
        lambda: (reader.metric("feed_number", feed=owner.topic) or 0) >= number, f"{owner.topic} at {number}", 90
    )


def test_k9_p24_gap_that_is_not_filled_stops_its_own_feed_alone_until_the_owner_answers_with_sense(
    stage, owners, readers, door
):
    """Number 2 never comes, and the owner's door answers 200 with a page of HTML, whatever it calls it.

    That is no answer: the feed waits behind number 1 with its alarm, another feed flows, the process stays
    ready. When the door answers with the range, the feed goes on by itself and the alarm ends.
    """
    reader, owner, other = readers["now"], owners[LEAD], owners[OTHER]
    events = some(owner, HELD_BACK + 2)
    owner.send(events[0], *events[2:])
    wait_until(lambda: alarm(reader, owner, "gap"), "the alarm", 120)
    for nonsense in (html_that_says_it_is_json, an_html_page):
        door.answer, asked = nonsense, door.asked
        wait_until(lambda asked=asked: door.asked > asked, "another try", 120)
    assert reader.metric("feed_number", feed=owner.topic) == 1
    other.send(*some(other, 3))
    reaches(reader, other, other.number)
    assert alarm(reader, owner, "gap")
    assert reader.status() == 200
    assert stage.unit("assessment").database(LEAD)["parked"].count_documents({}) == 0
    door.answer = pages_of(owner)
    reaches(reader, owner, owner.number)
    wait_until(lambda: not alarm(reader, owner, "gap"), "the end of the alarm")
    wait_until(lambda: taken(stage, owner) == owner.number, "the position", 120)


def test_k10_fork_stops_its_own_feed_alone_over_restarts_until_a_person_decides(stage, owners, readers, door):
    """Another event under a known number: nothing more of that feed is taken, not by a new process either.

    Another feed flows. The owner puts its history right on a new log and a person says so: the feed goes on where it
    stopped.
    """
    reader, owner, other = readers["now"], owners[OTHER], owners[LEAD]
    owner.send(*some(owner, 3))
    reaches(reader, owner, owner.number)
    stopped_at = owner.number
    false = msgspec.structs.replace(owner.made[-1], data=b'{"enrolment_id":"another"}')
    later = some(owner, 2)
    owner.send(false, *later)
    wait_until(lambda: alarm(reader, owner, "fork"), "the alarm")
    other.send(*some(other, 2))
    reaches(reader, other, other.number)
    unit = stage.unit("assessment")
    wait_until(lambda: alarms.open_alarm(unit, owner.organisation, owner.topic) is not None, "the alarm's record")

    reader.kill()
    readers["now"] = reader = start_reader(stage, door)
    wait_until(lambda: alarm(reader, owner, "fork"), "the alarm after a restart")
    other.send(*some(other, 2))
    reaches(reader, other, other.number)
    assert (reader.metric("feed_number", feed=owner.topic) or 0) <= stopped_at
    assert taken(stage, owner) <= stopped_at
    assert reader.status() == 200

    owner.remake("g2")
    owner.send(*owner.made)
    alarms.resolve_alarm(unit, owner.organisation, owner.topic, by="operator-1", reason="the owner's log is mended")
    reaches(reader, owner, owner.number)
    wait_until(lambda: not alarm(reader, owner, "fork"), "the end of the alarm")
