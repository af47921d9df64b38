"""Reporting on the real database, and the scenarios' stories that are told to it or to projections in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask

from services.reporting import bootstrap
from services.reporting.application.desk import Desk
from services.reporting.application.ports import FeedState
from services.reporting.settings import ReportingSettings, settings
from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.storage.unit_of_work import UnitOfWork, Work
from shared.testing.pages import browser_of
from tests.environment import tell_environment
from tests.reporting.stories import PATHS, SCENARIOS, Event, Story, story_of
from tests.reporting.telling import Memory, Teller, interleaved, one_after_the_other, told


@pytest.fixture(scope="session", params=PATHS, ids=lambda path: path.name)
def story(request) -> Story:
    """Each scenario in turn."""
    return story_of(request.param)


@pytest.fixture(scope="session")
def north_west_london() -> Story:
    """The default scenario."""
    return story_of(SCENARIOS / "north-west-london")


@pytest.fixture
def tell():
    """`tell(partnership, order)` -> what is known."""
    return told


@pytest.fixture
def in_order():
    """`in_order(feeds)` -> events feed by feed."""
    return one_after_the_other


@pytest.fixture
def shuffled():
    """`shuffled(feeds, chance)` -> events in some order that keeps each feed's own."""
    return interleaved


@pytest.fixture
def teller():
    """The class that tells events to reactions."""
    return Teller


@pytest.fixture
def memory():
    """Projections in memory."""
    return Memory()


@pytest.fixture
def feed_states() -> tuple[FeedState, ...]:
    """Two feeds, one of them fully read."""
    heard = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
    return (
        FeedState("org.brent.enrolment.v1", 118, "a" * 64, 119, 120, heard),
        FeedState("org.ealing.assessment.v1", 12, None, 0, None, None),
    )


@dataclass
class House:
    """One running reporting service with a scenario told to it, as its callers meet it."""

    app: Flask
    issuer: LocalIssuer
    unit: UnitOfWork
    desk: Desk
    story: Story

    @property
    def board(self) -> str:
        """The board's slug."""
        return self.story.terms.board

    def ask(self, method: str, path: str, *roles: str, org: str | None = None, body: object = None, key: str = ""):
        """Return the answer to somebody of `org` (the board where not given) in `roles`."""
        headers = {
            "Authorization": f"Bearer {self.issuer.mint(org or self.board, roles, 'somebody', 'reporting')}",
            "Idempotency-Key": key or new_identifier(),
        }
        return self.app.test_client().open(path, method=method, headers=headers, json=body)

    def get(self, path: str, *roles: str, org: str | None = None):
        """Return the answer to a GET."""
        return self.ask("GET", path, *roles, org=org)

    def publish(self, title: str = "Autumn term", *, key: str = ""):
        """Close a publication as the board's officer."""
        return self.ask("POST", f"/v1/organisations/{self.board}/publications", "board", body={"title": title}, key=key)

    def tell(self, order: Iterable[tuple[str, int, Event]], batch: int = 200) -> None:
        """Tell events to the board's database, as many in a transaction as the reader would."""
        teller = Teller(self.story.partnership, self.desk.rooms.projections)
        events = list(order)
        for start in range(0, len(events), batch):
            chunk = events[start : start + batch]
            self.unit.run(self.board, lambda work, chunk=chunk: _tell_all(teller, work, chunk))

    def browser(self, role: str | None = "board"):
        """Return a browser, signed in where a role is given."""
        return browser_of(self.app, self.board, role) if role else self.app.test_client()


def _tell_all(teller: Teller, work: Work, chunk: list[tuple[str, int, Event]]) -> None:
    for feed, number, event in chunk:
        teller.tell(work, feed, event, number)


@pytest.fixture(scope="session")
def reporting_issuer(tmp_path_factory) -> LocalIssuer:
    """Keys of the board, an employer and the university."""
    issuer = LocalIssuer(tmp_path_factory.mktemp("keys"), "local", SystemClock(), new_identifier)
    issuer.prepare(["nwl-board", "brent", "goldsmiths"])
    return issuer


@pytest.fixture
def reporting_settings(mongodb_uri, database_prefix, reporting_issuer, monkeypatch) -> ReportingSettings:
    """The settings of a local instance."""
    tell_environment(monkeypatch, reporting_issuer, mongodb_uri, database_prefix)
    return settings()


@pytest.fixture
def house(reporting_settings, reporting_issuer, mongo_client, north_west_london) -> House:
    """The board's service before anything was told to it."""
    unit = bootstrap.unit_of_work(reporting_settings, mongo_client)
    desk = bootstrap.desk_of(north_west_london.partnership)
    app = bootstrap.build_web_app(reporting_settings, mongo_client)
    return House(app, reporting_issuer, unit, desk, north_west_london)


@pytest.fixture
def told_house(house) -> House:
    """The board's service after the whole term."""
    house.tell(one_after_the_other(house.story.feeds))
    return house
