"""Histories for reporting's tests: a scenario's truth told as the events that the owners' feeds would hold."""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from services.reporting import bootstrap
from services.reporting.application.desk import Desk
from services.reporting.application.ports import FeedState, KnownCourse, Terms
from services.reporting.bootstrap import terms_of
from services.reporting.domain.facts import EnrolmentFacts, EvaluationFacts
from services.reporting.domain.rollups import NOTHING, Bucket, ChangeBucket, ChangeCounts, Counts
from services.reporting.messaging.consumed import IGNORED, subscriptions
from services.reporting.settings import ReportingSettings, settings
from shared.clock import SystemClock
from shared.events.subscriptions import SubscriptionBook
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.partnership import Partnership, load
from shared.storage.unit_of_work import UnitOfWork, Work
from shared.testing.feeds import a_received
from shared.testing.pages import browser_of

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
PATHS = sorted(path.parent for path in SCENARIOS.glob("*/expected.json"))


@dataclass(frozen=True)
class Event:
    """One event of a feed."""

    type: str
    organisation: str
    data: Mapping[str, Any]


Feeds = dict[str, list[Event]]
"""Events by feed, each feed in its own order."""


@dataclass
class Memory:
    """Projections in memory; they pass the same suite as the database's."""

    enrolments: dict[tuple[str, str], EnrolmentFacts] = field(default_factory=dict)
    evaluations: dict[tuple[str, str], EvaluationFacts] = field(default_factory=dict)
    buckets: dict[Bucket, Counts] = field(default_factory=dict)
    change_buckets: dict[ChangeBucket, ChangeCounts] = field(default_factory=dict)
    known: dict[str, KnownCourse] = field(default_factory=dict)

    def enrolment(self, organisation, enrolment_id):
        """What is known of an enrolment."""
        return self.enrolments.get((organisation, enrolment_id), EnrolmentFacts())

    def keep_enrolment(self, organisation, enrolment_id, facts):
        """Keep it."""
        self.enrolments[organisation, enrolment_id] = facts

    def evaluation(self, organisation, evaluation_id):
        """What is known of an evaluation."""
        return self.evaluations.get((organisation, evaluation_id), EvaluationFacts())

    def keep_evaluation(self, organisation, evaluation_id, facts):
        """Keep it."""
        self.evaluations[organisation, evaluation_id] = facts

    def move(self, bucket, by):
        """Add to a bucket."""
        self.buckets[bucket] = self.buckets.get(bucket, NOTHING).plus(by)

    def move_change(self, bucket, by):
        """Add to a bucket."""
        self.change_buckets[bucket] = self.change_buckets.get(bucket, ChangeCounts()).plus(by)

    def course(self, code):
        """A course."""
        return self.known.get(code)

    def keep_course(self, course):
        """Keep it."""
        self.known[course.code] = course

    def courses(self):
        """All courses, in order."""
        return tuple(sorted(self.known.values(), key=lambda course: (course.owner, course.position)))

    def counts(self):
        """All buckets."""
        return self.buckets

    def changes(self):
        """All buckets."""
        return self.change_buckets


class Teller:
    """Tells events to reactions as the reader would: decoded by the service's own structs, asked whom they concern."""

    def __init__(self, partnership: Partnership, open_projections) -> None:
        self.partnership = partnership
        self.book = SubscriptionBook(subscriptions(open_projections), IGNORED)
        self.numbers: dict[str, int] = defaultdict(int)

    def tell(self, work, feed: str, event: Event, number: int | None = None) -> None:
        """Tell one event."""
        subscription = self.book.find(event.type)
        if subscription is None:
            assert self.book.ignores(event.type), event.type
            return
        self.numbers[feed] += 1
        number = number or self.numbers[feed]
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{feed}{number}"))
        received = a_received(subscription, event.data, owner=event.organisation, number=number, identifier=name)
        for _ in subscription.concerns(received, self.partnership):
            subscription.reaction(work, received)


def told(partnership: Partnership, order: Iterable[tuple[str, int, Event]]) -> Memory:
    """Return what is known after the events."""
    memory = Memory()
    teller = Teller(partnership, lambda _: memory)
    for feed, number, event in order:
        teller.tell(None, feed, event, number)
    return memory


def one_after_the_other(feeds: Feeds) -> list[tuple[str, int, Event]]:
    """Return all events, feed by feed."""
    return [(feed, number, event) for feed in feeds for number, event in enumerate(feeds[feed], start=1)]


def interleaved(feeds: Feeds, chance: random.Random) -> list[tuple[str, int, Event]]:
    """Return all events in some order that keeps each feed's own."""
    turns = [feed for feed, events in feeds.items() for _ in events]
    chance.shuffle(turns)
    seen: dict[str, int] = defaultdict(int)
    order = []
    for feed in turns:
        seen[feed] += 1
        order.append((feed, seen[feed], feeds[feed][seen[feed] - 1]))
    return order


class Storyteller:
    """Turns a scenario's truth into feeds."""

    def __init__(self, folder: Path) -> None:
        self.partnership = load(folder / "partnership.yaml")
        self.term = json.loads((folder / "term.json").read_text(encoding="utf-8"))
        self.expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        self.lead = self.partnership.programme_lead
        self.courses = {course["code"]: course for course in self.term["courses"]}
        self.feeds: Feeds = defaultdict(list)
        self.routes: dict[str, str] = {}

    def say(self, organisation: str, kind: str, **data: object) -> None:
        """Add an event to its owner's feed."""
        service = kind.split(".")[0]
        self.feeds[f"org.{organisation}.{service}.v1"].append(Event(f"{kind}.v1", organisation, data))

    def tell(self) -> Feeds:
        """Return the whole term."""
        for course in self.term["courses"]:
            self._publish(course)
        for file in self.expected["files"].values():
            for row in file["rows"]:
                if row["decision"] == "accepted":
                    self._nominate(file["organisation"], row)
        for withdrawal in self.term["withdrawals"]:
            self._withdraw(withdrawal)
        outcomes = {self._person(each): each for each in self.expected["outcomes"]}
        for person in self.term["people"]:
            self._practise(person, outcomes[self._person(person)])
        return dict(self.feeds)

    @staticmethod
    def _person(row: Mapping[str, Any]) -> tuple[str, str, str]:
        return row["organisation"], row["employee_ref"], row["course"]

    @staticmethod
    def _id(*parts: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)))

    def _publish(self, course: Mapping[str, Any]) -> None:
        routes = ["practice_only", *(["practice_and_academic"] if course["academic"] else [])]
        self.say(
            self.lead,
            "enrolment.course-published",
            course=course["code"],
            title=course["title"],
            level=course["level"],
            routes=routes,
            credits=course["credits"],
            accreditation=course["accreditation"],
            evidence_set=course["evidence_set"],
            owner=self.lead,
            awarding_hei=None,
            module=None,
            prerequisite_routes=[],
        )
        self.say(self.lead, "enrolment.cohort-opened", course=course["code"])

    def _nominate(self, organisation: str, row: Mapping[str, Any]) -> None:
        course, ref = row["course"], row["employee_ref"]
        enrolment = self._id(organisation, ref, course)
        self.routes[enrolment] = row["route"]
        common = {"course": course, "intake": row["intake"], "route": row["route"], "pcf_level": "SW"}
        requested = {"enrolment_id": enrolment, "practitioner_id": self._id(organisation, ref), **common}
        self.say(organisation, "enrolment.requested", requested_on="2025-06-20", cohort_owner=self.lead, **requested)
        answer = {"enrolment_id": enrolment, "employer": organisation, "course": course, "request_id": enrolment}
        if [organisation, ref] in self.expected["seats"]["confirmed"][course]:
            self.say(self.lead, "enrolment.seat-confirmed", **answer)
            self.say(organisation, "enrolment.confirmed", confirmed_on="2025-06-21", **requested)
        else:
            self.say(self.lead, "enrolment.wait-listed", position=1, **answer)

    def _withdraw(self, withdrawal: Mapping[str, Any]) -> None:
        gone = self._person(withdrawal)
        self.say(gone[0], "enrolment.withdrawn", enrolment_id=self._id(*gone), held_seat=True, reason="workload")
        for promotion in self.expected["promotions"]:
            if promotion["course"] == gone[2] and promotion["in_place_of"] == list(gone[:2]):
                enrolment = self._id(*self._person(promotion))
                organisation = promotion["organisation"]
                self.say(self.lead, "enrolment.seat-promoted", enrolment_id=enrolment, employer=organisation)
                self.say(organisation, "enrolment.confirmed", enrolment_id=enrolment, route=self.routes[enrolment])

    def _practise(self, person: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        organisation, enrolment = person["organisation"], self._id(*self._person(person))
        evidence_set = self.courses[person["course"]]["evidence_set"]
        framework = self.partnership.evidence_sets[evidence_set].framework if evidence_set else ""
        for wave in person.get("self_assessments", []):
            self.say(
                organisation,
                "assessment.self-assessment-recorded",
                evaluation_id=self._id("evaluation", enrolment),
                course=person["course"],
                framework=framework,
                **wave,
            )
        for attempt, on in enumerate(person.get("submissions", []), start=1):
            self.say(
                organisation, "assessment.portfolio-submitted", portfolio_id=enrolment, attempt=attempt, submitted_on=on
            )
        if outcome["practice"].startswith("confirmed_"):
            came = outcome["practice"].removeprefix("confirmed_")
            self.say(organisation, "assessment.practice-confirmed", enrolment_id=enrolment, outcome=came)
        elif outcome["practice"] in ("completed", "not_completed"):
            self.say(organisation, "enrolment.completed", enrolment_id=enrolment, outcome=outcome["practice"])
        if outcome["credits"]:
            university = self.term["board"]["organisation"]
            self.say(
                university,
                "accreditation.credit-awarded",
                credit_id=self._id("credit", enrolment),
                enrolment_id=enrolment,
                employer=organisation,
                credits=outcome["credits"],
            )


@dataclass(frozen=True)
class Story:
    """A scenario as reporting hears it, and the reports that must come of it."""

    name: str
    partnership: Partnership
    terms: Terms
    feeds: Feeds
    reports: Mapping[str, Any]


def story_of(folder: Path) -> Story:
    """Return a scenario's story."""
    teller = Storyteller(folder)
    feeds = teller.tell()
    return Story(folder.name, teller.partnership, terms_of(teller.partnership), feeds, teller.expected["reports"])


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
    given = {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(SCENARIOS / "north-west-london" / "partnership.yaml"),
        "MONGODB_URI": mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": "localhost:9",
        "DATABASE_PREFIX": database_prefix[-10:],
        "TRUSTED_ISSUERS_FILE": str(reporting_issuer.trusted_issuers_file),
        "ORGANISATION_KEYS_DIR": str(reporting_issuer.keys_dir),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
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
