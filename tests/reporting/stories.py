"""Histories for reporting's tests: a scenario's truth told as the events that the owners' feeds would hold."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.reporting.application.ports import Terms
from services.reporting.bootstrap import terms_of
from shared.partnership import Partnership, load

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
