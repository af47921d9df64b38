"""The projections are built anew beside the running ones, compared, and swapped in one commit (fault P7 among them)."""

from __future__ import annotations

import subprocess
import sys
import threading
from itertools import cycle
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from services.reporting.api.bodies import projection_rows
from services.reporting.application.queries import rollups_of
from services.reporting.domain.publication import TITLES
from services.reporting.domain.tables import five_tables
from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from shared.errors import Unavailable
from shared.events import parking
from shared.events.deciding import discard
from shared.events.feed import feed_of
from shared.events.reader import followed_feeds, router_of
from shared.events.rebuild_requests import AlreadyRebuilding
from shared.events.records import structured
from shared.events.subscriptions import SubscriptionBook
from shared.events.turnstile import Turnstile
from shared.local.cli import main
from tests.reporting.messaging.rebuilt_board import Board, envelopes_of

BUILDER = Path(__file__).resolve().parents[1] / "a_builder.py"
BAD = "enrolment.confirmed.v1"
MOST_OF_A_FEED = 30
"""Enough for every kind of event; whole terms are other tests' business."""


@pytest.fixture
def board(house, tell, in_order) -> Board:
    """The board's service, and its owners' feeds; nothing is taken yet."""
    rows = subscriptions(house.desk.rooms.projections)
    book = SubscriptionBook(rows, IGNORED)
    partnership = house.story.partnership
    names = followed_feeds(partnership, FEEDS, (house.board,))
    routers = {name: router_of(name, book, allowed, partnership) for name, allowed in names.items()}
    absent = partnership.with_role("employer")[2:]
    feeds = {
        topic: events[:MOST_OF_A_FEED]
        for topic, events in house.story.feeds.items()
        if feed_of(topic).organisation not in absent
    }
    memory = tell(partnership, in_order(feeds))
    expected = five_tables(rollups_of(memory, house.story.terms))
    right = {name: projection_rows(expected, name) for name in TITLES}
    return Board(house, envelopes_of(feeds), routers, right)


def test_rebuild_of_a_sound_projection_says_the_same_and_reading_goes_on_in_the_new_one(board):
    """Nothing differs, nothing changes for whoever asks; what comes after the swap is counted; and again, back."""
    half = {topic: len(rows) // 2 for topic, rows in board.feeds.items()}
    for topic, most in half.items():
        board.take(topic, most=most)
    before = board.tables()
    done = board.rebuild()
    assert (done.state, done.differences, done.taken, done.left_out) == ("done", (), sum(half.values()), 0)
    assert board.tables() == before
    board.take_all()
    assert board.tables() == board.right
    again = board.rebuild()
    assert (again.state, again.differences) == ("done", ())
    assert board.tables() == board.right
    assert board.held() == ["rollups"]


def test_damaged_projection_is_mended_while_readers_read_all_the_time(board):
    """Readers see the damaged tables until the swap and the right ones after it, and nothing else at any time."""
    board.take_all()
    right = board.tables()
    assert right == board.right
    board.damage()
    damaged = board.tables()
    seen, stop = [], threading.Event()

    def read_on() -> None:
        while not stop.is_set():
            seen.append(board.tables())

    readers = [threading.Thread(target=read_on) for _ in range(2)]
    for reader in readers:
        reader.start()
    done = board.rebuild(linger_seconds=2.0)
    stop.set()
    for reader in readers:
        reader.join()
    assert done.state == "done"
    found = {one.what: (one.missing, one.extra, one.other) for one in done.differences}
    assert found.pop("enrolments")[0] > 20
    assert found == {"rollups": (1, 1, 1)}
    assert [one for one in seen if one not in (damaged, right)] == []
    assert damaged in seen
    assert right in seen
    assert board.tables() == right


def test_check_says_what_differs_and_swaps_nothing(board):
    """Only counts, and the running one stays what it was; a second rebuild at the same time is refused."""
    board.take_all()
    board.damage()
    damaged = board.tables()
    board.ask(is_check=True)
    with pytest.raises(AlreadyRebuilding):
        board.ask()
    board.rebuilder().look(threading.Event())
    assert board.state().state == "checked"
    assert {one.what for one in board.state().differences} == {"rollups", "enrolments"}
    assert board.tables() == damaged
    assert board.held() == ["rollups"]


def test_rebuild_follows_a_reader_that_reads_on_and_loses_nothing_at_the_swap(board):
    """The running one takes a few events at a time all the while; in the end every event is counted once."""
    for topic, rows in board.feeds.items():
        board.take(topic, most=len(rows) // 3)
    is_swapped = threading.Event()

    def read_on() -> None:
        while sum(board.take(topic, most=3) for topic in board.feeds):
            if is_swapped.is_set():
                board.take_all()

    reader = threading.Thread(target=read_on)
    reader.start()
    done = board.rebuild(at=lambda step: is_swapped.set() if step == "swapped" else None)
    is_swapped.set()
    reader.join()
    assert (done.state, done.differences) == ("done", ())
    assert board.tables() == board.right
    assert board.rebuild(is_check=True).differences == ()


def test_rebuild_ends_though_its_reader_never_rests(board):
    """Whenever it is let the running one moves on by an event: each time it would be further on, or in the way."""
    for topic in board.feeds:
        board.take(topic, most=5)
    turnstile, topics, is_over = Turnstile(), cycle(board.feeds), threading.Event()
    moved: list[int] = []

    def read_on() -> None:
        while not is_over.is_set():
            with turnstile.passing():
                moved.append(board.take(next(topics), most=1))

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        done = board.rebuild(standing=turnstile.held)
        assert sum(moved[-len(board.feeds) :]) > 0, "there was nothing more to read"
    finally:
        is_over.set()
        reader.join()
    assert (done.state, done.differences) == ("done", ())
    board.take_all()
    assert board.tables() == board.right
    assert board.rebuild(is_check=True).differences == ()


def test_what_waits_parked_is_left_out_and_what_is_replayed_meanwhile_is_not_lost(board):
    """A rebuild obeys: waiting events are not taken, one replayed between comparison and swap is."""
    board.take_all(breaks=BAD)
    waiting = parking.list_parked(board.unit, board.house.board)
    topic = waiting[0].feed
    waiting = [one for one in waiting if one.feed == topic]
    rest = len(parking.list_parked(board.unit, board.house.board)) - len(waiting)
    assert len(waiting) > 2

    def replay(step: str) -> None:
        if step == "compared":
            board.replay(*waiting[:2])

    done = board.rebuild(at=replay)
    assert (done.state, done.differences, done.left_out) == ("done", (), rest + len(waiting) - 2)
    assert board.rebuild(is_check=True).differences == ()
    board.replay(*parking.list_parked(board.unit, board.house.board))
    assert board.tables() == board.right
    assert board.rebuild(is_check=True).differences == ()


def test_discarded_event_stays_out_of_every_rebuild(board):
    """What two people gave up is not counted again."""
    board.take_all(breaks=BAD)
    [first, *_] = parking.list_parked(board.unit, board.house.board)
    discard(board.unit, board.house.board, first.id, by="one", confirmed_by="two", reason="sent by mistake")
    done = board.rebuild()
    assert (done.state, done.differences) == ("done", ())


def test_rebuild_that_cannot_take_what_was_taken_fails_and_changes_nothing(board):
    """It names the feed, the number and a code; the running one is what it was."""
    board.take_all()
    before = board.tables()
    topic = next(topic for topic in board.feeds if topic.endswith(".accreditation.v1"))
    spoiled = [msgspec.structs.replace(board.feeds[topic][0], data=b"{}"), *board.feeds[topic][1:]]

    def fetch(name, after, limit):
        rows = spoiled if name.topic == topic else board.feeds.get(name.topic, [])
        return rows[after : after + limit]

    failed = board.rebuild(fetch=fetch)
    assert failed.state == "failed"
    assert failed.code in (
        f"{topic}#1: malformed-data",
        "the owner's own feed does not continue what was taken before",
    )
    assert board.tables() == before


def test_rebuild_waits_for_a_door_that_does_not_answer(board):
    """It says for whose, and goes on when it answers again."""
    board.take_all()
    calls, waited = [], []

    def fetch(name, after, limit):
        calls.append(name)
        if len(calls) < 4:
            waited.append(board.state().waits_for)
            raise Unavailable("the owner's door does not answer")
        return board.fetch(name, after, limit)

    done = board.rebuild(fetch=fetch)
    assert done.state == "done"
    assert waited[-1] == calls[0].topic
    assert done.waits_for is None


@pytest.mark.parametrize("step", ["taken", "compared", "swapped"])
def test_p7_rebuild_that_is_killed_in_the_middle_shows_nothing_half_and_is_begun_again(board, step, tmp_path):
    """While it builds, before the swap and after it: readers see the old or the new, whole; the next one ends it."""
    board.take_all()
    right = board.tables()
    board.damage()
    damaged = board.tables()
    file = tmp_path / "feeds"
    file.write_bytes(b"\n".join(structured(event) for rows in board.feeds.values() for event in rows))
    board.ask()
    command = [sys.executable, str(BUILDER), str(file), step]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as builder:
        assert any(line.strip() == step.encode() for line in builder.stdout), "it never came to that step"
        assert board.tables() == (right if step == "swapped" else damaged)
        builder.kill()
    assert board.tables() == (right if step == "swapped" else damaged)
    assert board.state().is_open
    stop, second = threading.Event(), board.rebuilder(stale_seconds=0.3)
    assert not second.look(stop), "a builder is not given up at the first look"
    while not second.look(stop):
        stop.wait(0.05)
    assert board.state().state == "done"
    assert board.tables() == right
    assert board.held() == ["rollups_rebuilt"]


def test_p7_builder_that_was_given_up_for_dead_commits_nothing_any_more(board):
    """It wakes up when another one has begun again: its next step is refused, and the other one ends."""
    board.take_all()
    board.damage()
    other = board.rebuilder(stale_seconds=0.0)
    is_over = []

    def sleep_here(step: str) -> None:
        if step == "compared" and not is_over:
            is_over.append(other.look(threading.Event()) or other.look(threading.Event()))

    done = board.rebuild(at=sleep_here)
    assert is_over == [True]
    assert done.state == "done"
    assert done.begun == 2
    assert board.tables() == board.right
    assert board.rebuild(is_check=True).differences == ()


def test_publication_closed_right_after_a_swap_counts_the_rebuilt_one(board):
    """The officer's figures come from the same place as everybody's."""
    board.take_all()
    board.damage()
    board.rebuild()
    board.house.publish()
    rows = board.house.get("/v1/reports/funnel", "board").get_json()["rows"]
    assert rows
    assert board.house.get("/v1/projections/funnel", "operator").get_json()["rows"] == board.right["funnel"]


@pytest.mark.parametrize(("is_check", "code"), [(True, 1), (False, 0)])
def test_command_says_what_differs_before_the_swap_and_how_it_ended(board, tmp_path, is_check, code):
    """Plain lines where nobody watches; exit code 1 only where a check finds a difference."""
    board.take_all()
    board.damage()
    stop, worker = threading.Event(), board.rebuilder()

    def keep_looking() -> None:
        while not worker.look(stop):
            stop.wait(0.05)

    looking = threading.Thread(target=keep_looking)
    looking.start()
    options = ["--state", str(tmp_path), "--by", "one", *(["--check"] if is_check else [])]
    told = CliRunner().invoke(main, ["rebuild", *options, "reporting"])
    looking.join()
    assert told.exit_code == code, told.output
    lines = told.stdout.splitlines()
    assert any(line.startswith("DIFFERS rollups") and "1 missing" in line and "1 too many" in line for line in lines)
    assert lines[-1].startswith("checked" if is_check else "done")
    assert CliRunner().invoke(main, ["rebuild", "--help"]).exit_code == 0
