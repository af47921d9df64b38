"""A relay on the same machine is woken by the commit itself; whatever becomes of the ring, nobody waits or fails."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest

from shared.clock import SystemClock
from shared.events import bell
from shared.events.bell import Bell, Listener, is_usable
from shared.events.feed import FeedName
from shared.events.patience import rest_after
from shared.identifiers import new_identifier
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.feeds import a_relay, an_event, commits, numbers_on

BRENT, HARROW = FeedName("org", "brent", "enrolment"), FeedName("out", "harrow", "enrolment")
NEVER_SECONDS = 600.0
"""How often the relay looks by itself: not within a test."""
PATIENCE_SECONDS = 20.0


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short name, as sockets need."""
    with TemporaryDirectory(prefix="bells-") as name:
        yield Path(name) / "enrolment"


def test_ring_reaches_every_listener_of_the_service_and_names_the_feeds(directory):
    """Relays of one service may stand beside each other; another service's hears nothing."""
    ring = Bell(directory, "enrolment").ring
    with (
        Listener(directory, "enrolment") as one,
        Listener(directory, "enrolment") as other,
        Listener(directory, "assessment") as stranger,
    ):
        ring(BRENT)
        ring(HARROW)
        ring(BRENT)
        for listener in (one, other):
            assert listener.heard(PATIENCE_SECONDS) == {BRENT.topic, HARROW.topic}
            assert listener.heard(0.01) == set()
        assert stranger.heard(0.01) == set()
    assert list(directory.iterdir()) == []


def test_ring_for_nobody_is_no_error_and_a_dead_relays_socket_is_removed(directory):
    """A relay that was killed leaves its socket; the next commit takes it away."""
    ring = Bell(directory, "enrolment").ring
    ring(BRENT)
    directory.mkdir()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(os.fspath(directory / "enrolment.dead.bell"))
    dead.close()
    strange = directory / "enrolment.text.bell"
    strange.write_text("not a socket", encoding="utf-8")
    with Listener(directory, "enrolment") as living:
        ring(BRENT)
        assert living.heard(PATIENCE_SECONDS) == {BRENT.topic}
    assert list(directory.iterdir()) == [strange], "only sockets are ours to take away"


def test_listener_that_cannot_be_reached_keeps_the_ring_from_nobody_else(directory):
    """One may go while others are rung for; here twenty sockets lead nowhere."""
    directory.mkdir()
    for number in range(20):
        (directory / f"enrolment.{number}.bell").symlink_to(directory / "nowhere")
    with Listener(directory, "enrolment") as living:
        Bell(directory, "enrolment").ring(BRENT)
        assert living.heard(PATIENCE_SECONDS) == {BRENT.topic}


def test_listener_leaves_quietly_when_its_directory_is_no_more(directory):
    """What is for speed alone ends nothing that matters."""
    with Listener(directory, "enrolment"):
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()
        directory.write_text("a file", encoding="utf-8")


def test_listener_that_takes_nothing_in_holds_no_commit_up(directory):
    """The system keeps some rings; the rest are lost, and what was kept wakes the relay."""
    ring = Bell(directory, "enrolment").ring
    with Listener(directory, "enrolment") as slow:
        for _ in range(5_000):
            ring(BRENT)
        assert slow.heard(PATIENCE_SECONDS) is None, "what else was rung for may be lost: everything is looked at"
        assert slow.heard(0.01) == set()


def test_listener_notices_that_its_socket_was_taken_away(directory):
    """It would hear nothing for ever; the relay then makes another."""
    with Listener(directory, "enrolment") as listener:
        for path in directory.iterdir():
            path.unlink()
        with pytest.raises(FileNotFoundError):
            listener.heard(0.01)


def test_ring_fails_nobody_where_the_directory_cannot_be_looked_into(tmp_path):
    """What was committed is answered, whatever becomes of the bell."""
    file = tmp_path / "file"
    file.write_text("no directory", encoding="utf-8")
    for odd in (file, file / "below", tmp_path / ("long" * 70)):
        Bell(odd, "enrolment").ring(BRENT)


def test_directory_with_a_long_name_is_not_used(tmp_path):
    """Addresses of sockets are short on every system."""
    assert is_usable(Path("/run/partnership"))
    assert not is_usable(tmp_path / ("long" * 20))
    longest = Path("/" + "b" * (bell.LONGEST_DIRECTORY_BYTES - 1))
    assert is_usable(longest)
    assert len(os.fsencode(longest / "accreditation.12345678.bell")) < 104


@pytest.mark.backbone
def test_commit_wakes_the_relay_that_would_not_look_by_itself(
    mongo_client, mongodb_uri, kafka_bootstrap, feed, directory, monkeypatch
):
    """Without the ring nothing would be sent for ten minutes; that nothing but the ring wakes it is tried as well."""
    monkeypatch.setattr("shared.events.relay.IDENTITY_SECONDS", NEVER_SECONDS)
    clock, stop = SystemClock(), Event()
    silent, ringing = (
        UnitOfWork(client=mongo_client, service="enrolment", clock=clock, new_identifier=new_identifier, ring=each)
        for each in (None, Bell(directory, "enrolment").ring)
    )
    relay = a_relay(
        mongodb_uri, kafka_bootstrap, [feed], stop=stop, poll_seconds=NEVER_SECONDS,
        heartbeat_seconds=NEVER_SECONDS, bells_dir=directory,
    )  # fmt: skip
    running = Thread(target=relay.run)
    running.start()
    try:
        until(clock, lambda: directory.exists() and list(directory.iterdir()), "the relay to listen")
        until(clock, lambda: relay._lanes[feed].relay.due_in() > 0, "the relay to have told how quiet its feed is")
        commits(silent, feed.organisation, 1)
        clock.sleep(1.5)
        assert numbers_on(kafka_bootstrap, feed.topic) == []
        commits(ringing, feed.organisation, 1, first=2)
        until(clock, lambda: numbers_on(kafka_bootstrap, feed.topic) == [1, 2], "both events")
    finally:
        stop.set()
        running.join(PATIENCE_SECONDS)
    assert not running.is_alive()
    assert list(directory.iterdir()) == []


def test_transaction_rings_once_it_is_committed_and_for_nothing_that_was_rolled_back(mongo_client, organisation):
    """Who is rung for looks at once: an event that is not committed yet would not be found."""
    rung: list[tuple[FeedName, int]] = []
    clock = SystemClock()

    def ring(feed: FeedName) -> None:
        rung.append((feed, unit.database(organisation)[feed.pending].count_documents({})))

    unit = UnitOfWork(client=mongo_client, service="enrolment", clock=clock, new_identifier=new_identifier, ring=ring)
    with pytest.raises(ZeroDivisionError):
        unit.run(organisation, lambda work: work.emit(an_event("a")) or 1 / 0)
    unit.run(organisation, lambda work: work.rows("plain").insert_one({"_id": "nothing to tell"}))
    assert rung == []
    unit.run(organisation, lambda work: work.emit(an_event("a"), an_event("b", feed="out"), an_event("c")))
    assert rung == [(FeedName("org", organisation, "enrolment"), 1), (FeedName("out", organisation, "enrolment"), 1)]


@pytest.mark.parametrize(("step", "rest"), [(0.0, 0.0), (0.002, 0.0002), (0.02, 0.02), (0.06, 0.18), (4.0, 0.3)])
def test_feed_rests_longer_the_busier_the_database_is_and_never_long(step, rest):
    """What is committed meanwhile goes together; nobody waits for more than a third of a second for that."""
    assert rest_after(step) == pytest.approx(rest)


def until(clock, question, what: str) -> None:
    """Wait until the answer is true."""
    end = clock.monotonic() + PATIENCE_SECONDS
    while not question():
        assert clock.monotonic() < end, f"waited for {what}"
        clock.sleep(0.05)
