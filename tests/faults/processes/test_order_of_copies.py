"""Every database is lost, and what there is was copied one service after the other while people went on working.

The order of `docs/runbooks/backup-and-restore.md` is held to what it says: readers before owners.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence

import pytest

from shared.events.feed import FeedName
from shared.testing.history import Kind, Outcome, Violation
from tests.faults.processes.awarding import CREDIT
from tests.faults.processes.collecting import EVIDENCE
from tests.faults.processes.copying import Copy, standing_aside
from tests.faults.processes.load import NOMINATE, WITHDRAW, Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.owners import VALE, WESTBRIDGE, Owner, partnership
from tests.faults.processes.stage import CLOCK, Stage, a_stage, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

READERS_FIRST = ("reporting", "accreditation", "assessment", "enrolment")
ROW = "the employer's rows"
AFTER_THE_ROW = {"confirmations", "portfolios", "portfolios' feed"}
ROWS_OF_PEOPLE = VALE.rows_of_people | WESTBRIDGE.rows_of_people | {"evidence in portfolios"}
"""Where what people did since the copies is missed although the log brought the feeds back."""
BETWEEN_COPIES = 10
"""So many writes are acknowledged before the first copy is made, between two, and after the last."""


class Accident:
    """A platform at work, copied one service after the other; `strike` loses everything but the copies."""

    def __init__(self, stage: Stage, order: Sequence[str], *, awards: bool) -> None:
        self._stage = stage
        self._copies: list[Copy] = []
        load = Load(stage, stage.history, per_second=10, awards=awards, pieces_each=2)
        load.open_portfolios(12)
        with load.running(), stage.client() as client:
            self.work(load)
            self.sure = {id(one) for one in self._asked() if one.outcome is Outcome.OK}
            for service in order:
                owners = stage.platform.partnership.owners(service)
                self._copies.append(Copy(client, [f"{service}__{owner}" for owner in owners]))
                self.work(load)

    @staticmethod
    def work(load: Load) -> None:
        """Let clients write for a while."""
        before = load.acknowledged()
        until(lambda: load.acknowledged() >= before + BETWEEN_COPIES, "clients to be served")

    def _asked(self) -> list:
        return [one for kind in (NOMINATE, WITHDRAW, EVIDENCE, CREDIT) for one in self._stage.history.of(kind)]

    @contextlib.contextmanager
    def strike(self, *, with_the_log: bool) -> Iterator[None]:
        """Put the copies in the place of all databases, and an empty cluster in that of the log; then begin again."""
        stage = self._stage
        with standing_aside(stage, stage.programs()), stage.client() as client:
            for copy in self._copies:
                copy.restore(client)
            if with_the_log:
                was = stage.lose_cluster()
                until(lambda: stage.platform.pid("kafka") != was, "an empty cluster")
            yield

    def doubt_what_came_later(self) -> None:
        """Hold only what was acknowledged before the first copy for certain; the rest is there for all or for none."""
        for one in self._asked():
            if id(one) not in self.sure:
                one.outcome = Outcome.UNKNOWN


def test_p14_all_databases_and_the_log_lost_copied_readers_first(tmp_path, figures):
    """Nobody has read further than its owner has told: everybody goes on by themselves, and everything is equal."""
    with a_stage(tmp_path) as stage:
        stage.figures = figures
        open_cohorts(stage)
        accident = Accident(stage, READERS_FIRST, awards=False)
        with accident.strike(with_the_log=True):
            began = CLOCK.monotonic()
        stage.quiet()
        stage.figure("P14", f"all databases and the log lost: equal again {CLOCK.monotonic() - began:.1f} s after")
        assert stage.forked() == []
        accident.doubt_what_came_later()
        findings(stage, stage.history).require_none()
        with Load(stage, stage.history, per_second=10).running() as load:
            accident.work(load)
        stage.quiet()
        findings(stage, stage.history).require_none()


def test_p14_all_databases_and_the_log_lost_copied_owners_first(tmp_path, figures):
    """In the opposite order readers know what their owners have forgotten: they notice, and those feeds stand."""
    with a_stage(tmp_path) as stage:
        stage.figures = figures
        open_cohorts(stage)
        accident = Accident(stage, READERS_FIRST[::-1], awards=False)
        with accident.strike(with_the_log=True):
            began = CLOCK.monotonic()
        until(lambda: {service for service, _ in stage.forked()} >= {"reporting", "assessment"}, "the fork alarms")
        stage.figure("P14", f"copied owners first: readers' fork alarms after {CLOCK.monotonic() - began:.1f} s")
        standing = {(service, feed): _taken(stage, service, feed) for service, feed in stage.forked()}
        others = {(service, feed.topic) for service in READERS_FIRST for feed in stage.feeds()} - standing.keys()
        going_on = {(service, feed): _taken(stage, service, feed) for service, feed in others}
        with Load(stage, stage.history, per_second=10).running() as load:
            accident.work(load)
            until(
                lambda: any(_taken(stage, *one) > number for one, number in going_on.items()), "another feed to go on"
            )
        assert any(standing.values())
        assert {(service, feed): _taken(stage, service, feed) for service, feed in standing} == standing


def test_p14_all_databases_lost_and_every_feed_brought_back_from_the_log(tmp_path, figures):
    """Where the log is left nothing that was told is lost; only rows that people made since the copies are missed."""
    with a_stage(tmp_path) as stage:
        stage.figures = figures
        open_cohorts(stage)
        accident = Accident(stage, READERS_FIRST, awards=True)
        began = CLOCK.monotonic()
        with accident.strike(with_the_log=False):
            for feed in stage.feeds():
                _bring_back(stage, feed)
        stage.quiet()
        stage.figure("P14", f"all databases lost: equal again after {CLOCK.monotonic() - began:.1f} s")
        assert stage.forked() == []
        found = findings(stage, stage.history)
        lost = {one.what for one in found.violations if one.where == ROW and one.kind is Kind.LOST}
        rest = [one for one in found.violations if one.where not in ROWS_OF_PEOPLE and not _is_without_row(one, lost)]
        assert not rest, "\n".join(str(one) for one in rest[:30])
        assert found.violations, "the rows since the copies are missed"


def _taken(stage: Stage, service: str, feed: str) -> int:
    """Return how far a service's databases have taken a feed, all of them together."""
    with stage.client() as client:
        owners = stage.platform.partnership.owners(service)
        positions = (client[f"{service}__{owner}"]["positions"].find_one({"_id": feed}) for owner in owners)
        return sum(position["number"] for position in positions if position is not None)


def _is_without_row(found: Violation, lost: Collection[str]) -> bool:
    """Say whether this is so because a row is lost: a piece on a feed that nobody can name any more, or a seat.

    Who has lost the row of somebody, whose request its feed still tells of, cannot confirm the seat that was given.
    """
    if found.kind is Kind.LOST:
        return found.where in AFTER_THE_ROW and found.what in lost
    return found.kind is Kind.PHANTOM and found.where == "the employers' feeds of evidence"


def _bring_back(stage: Stage, feed: FeedName) -> None:
    owner = Owner(feed.service, feed.organisation, frozenset())
    done = partnership(stage, owner, "recover-feed", "--apply", "--reason", "a test")
    assert done.exit_code == 0, done.output
