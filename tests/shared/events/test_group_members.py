"""Reader processes that share feeds as a group: members die, come and go, and every effect happens once, in order."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.errors import GroupIdNotFoundError

import shared
from shared.clock import SystemClock

ROOT = Path(shared.__file__).parent.parent
CLOCK = SystemClock()
CHANGES = 20
PATIENCE_SECONDS = 40.0
GIVEN_UP = "poll timeout has expired"


@dataclass
class Members:
    """Processes of one reader group, and the owners whose feeds they share."""

    told: dict[str, object]
    log: Path
    owners: list
    running: list[subprocess.Popen] = field(default_factory=list)

    @property
    def group(self) -> str:
        """The group's name."""
        return str(self.told["group"])

    def join(self) -> subprocess.Popen:
        """Start one more."""
        with self.log.open("ab") as log:
            command = [sys.executable, str(Path(__file__).with_name("a_reader.py")), json.dumps(self.told)]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # noqa: TID251 - handed on, not read
            self.running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return self.running[-1]

    def leave(self, member: subprocess.Popen) -> None:
        """Ask one to leave."""
        self.running.remove(member)
        member.terminate()
        member.wait(30)

    def die(self, member: subprocess.Popen) -> None:
        """Kill one as a power cut would."""
        self.running.remove(member)
        member.kill()
        member.wait()

    def send(self, count: int) -> None:
        """Let every owner send that many more events."""
        for owner in self.owners:
            owner.send(*(owner.make(key=f"k{turn % 3}") for turn in range(count)))


@pytest.fixture
def members(tmp_path, new_owner, kafka_bootstrap, mongodb_uri) -> Iterator[Members]:
    """No process yet; four feeds that are open."""
    owners = [new_owner("brent") for _ in range(4)]
    told = {
        "mongodb": mongodb_uri,
        "bootstrap": kafka_bootstrap,
        "group": f"enrolment.{owners[0].organisation}",
        "organisations": [owner.organisation for owner in owners],
    }
    made = Members(told, tmp_path / "readers.log", owners)
    yield made
    for member in made.running:
        member.kill()
        member.wait()


def wait_until(question, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return when the answer is yes; fail when it never is."""
    until = CLOCK.monotonic() + seconds
    while not question():
        assert CLOCK.monotonic() < until, what
        CLOCK.sleep(0.1)


def is_through(desk, owner) -> bool:
    """Return whether every event of an owner had its effect."""
    return desk.position(owner)["number"] == owner.number


def happened_once_and_in_order(desk, owner) -> bool:
    """Return whether each event has one effect, and each key's are in the owner's order."""
    effects = desk.unit.database(owner.organisation)["effects"].count_documents({})
    orders = {doc["_id"]: doc["order"] for doc in desk.rows(owner.organisation, "sums")}
    made: dict[str, list[int]] = {}
    for envelope in owner.made:
        made.setdefault(envelope.subject, []).append(envelope.feedseq)
    return effects == owner.number and orders == made


@pytest.mark.kafka
@pytest.mark.timeout(180)
def test_survivors_take_the_feeds_of_a_member_that_was_killed(members, desk):
    """The dead member's feeds go on in the survivor, from where the dead one was."""
    killed = members.join()
    members.send(5)
    wait_until(lambda: all(is_through(desk, owner) for owner in members.owners), "one member does not read everything")
    members.join()
    wait_until(lambda: len({desk.position(one).get("session") for one in members.owners}) == 2, "no feed is handed on")
    members.die(killed)
    members.send(5)
    wait_until(lambda: all(is_through(desk, owner) for owner in members.owners), "the dead member's feeds stand still")
    assert all(happened_once_and_in_order(desk, owner) for owner in members.owners)


@pytest.mark.beyond_local("Tansu's answer about a group cannot be read by the client", raises=ValueError)
def test_dead_member_is_evicted_from_its_group(members, kafka_bootstrap):
    """The broker counts a member that was killed no longer, once its session is over."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    try:
        killed = members.join()
        wait_until(lambda: _count(admin, members.group) == 1, "the member is not in its group")
        members.die(killed)
        wait_until(lambda: _count(admin, members.group) == 0, "the dead member is still in its group")
    finally:
        admin.close()


@pytest.mark.kafka
@pytest.mark.timeout(240)
def test_p17_twenty_joins_and_leaves_skip_nothing_and_double_nothing(members, desk):
    """While members join, leave and are killed twenty times, every event has its effect once, and in order."""
    chance = random.Random(17)  # noqa: S311 - a seed, so that a run can be had again
    members.join()
    members.join()
    for _turn in range(CHANGES):
        members.send(3)
        choices = [members.join] if len(members.running) < 2 else [members.leave, members.die]
        if len(members.running) < 4:
            choices.append(members.join)
        change = chance.choice(choices)
        if change == members.join:
            change()
        else:
            change(chance.choice(members.running))
        CLOCK.sleep(0.5)
        members.send(2)
    if not members.running:
        members.join()
    wait_until(lambda: all(is_through(desk, owner) for owner in members.owners), "a feed stands still", 90.0)
    assert all(happened_once_and_in_order(desk, owner) for owner in members.owners)


@pytest.mark.kafka
@pytest.mark.timeout(400)
def test_p16_batch_longer_than_the_group_waits_is_given_up_and_taken_once_by_somebody(members, desk):
    """The group gives every member up in the middle of its batch, again and again: nothing is lost, doubled or stuck.

    Each event takes half a second, a batch of six longer than the two seconds that a member has between two polls.
    """
    members.told |= {"seconds": 0.5, "batch_events": 6, "max_poll_interval_ms": 2000}
    members.send(24)
    members.join()
    members.join()
    wait_until(lambda: all(is_through(desk, owner) for owner in members.owners), "the batches are not taken", 240.0)
    said = members.log.read_text(errors="replace")
    assert GIVEN_UP in said, "no batch was longer than its group waits"
    assert said.count("feed.taken") > len(members.owners), "nobody took a feed over"
    assert all(member.poll() is None for member in members.running)
    assert all(happened_once_and_in_order(desk, owner) for owner in members.owners)


def _count(admin: KafkaAdminClient, group: str) -> int:
    """Return how many members the broker counts; one without any may be forgotten altogether."""
    try:
        described = admin.describe_groups([group])
    except GroupIdNotFoundError:
        return 0
    return len(described[group].get("members") or ())
