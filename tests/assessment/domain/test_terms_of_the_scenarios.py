"""Every person of each scenario's term, played through the pure domain, ends as the truth says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.assessment.domain import portfolio as practice
from services.assessment.domain.evaluation import Evaluation, SelfAssessment, record
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import Assignment, LineManagers
from services.assessment.domain.portfolio import Candidacy, Decision, Outcome, Portfolio
from services.assessment.domain.sufficiency import EvidenceRules, ItemRule
from services.assessment.domain.supervision import Session, held

SCENARIOS = sorted(path.parent for path in (Path(__file__).parents[3] / "scenarios").glob("*/term.json"))


@dataclass(frozen=True)
class Played:
    """What became of one person."""

    practice: str
    returned: list[dict[str, Any]]


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _rules(scenario: Path) -> dict[str, EvidenceRules]:
    """Return each course's rules by the course's code; courses without an evidence set are absent."""
    file = yaml.safe_load((scenario / "partnership.yaml").read_text("utf-8"))
    courses = json.loads((scenario / "term.json").read_text("utf-8"))["courses"]
    named = {course["code"]: course["evidence_set"] for course in courses if course["evidence_set"]}
    return {code: _rules_of(file, evidence_set) for code, evidence_set in named.items()}


def _rules_of(file: dict[str, Any], evidence_set: str) -> EvidenceRules:
    wanted = file["evidence_sets"][evidence_set]
    return EvidenceRules(
        evidence_set=evidence_set,
        framework=wanted["framework"],
        domains=tuple(file["frameworks"][wanted["framework"]]["domains"]),
        every_domain=wanted["every_domain"],
        items=tuple(ItemRule(kind, **numbers) for kind, numbers in wanted["items"].items()),
    )


def _managers(person: dict[str, Any]) -> LineManagers:
    managers = LineManagers().assigned(Assignment(date(2020, 1, 1), person["line_manager_ref"]))
    for change in person["manager_changes"]:
        managers = managers.assigned(Assignment(_day(change["from_on"]), change["line_manager_ref"]))
    return managers


def _pieces(person: dict[str, Any]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            evidence_id=f"id-{piece['ref']}",
            ref=piece["ref"],
            kind=piece["kind"],
            domains=tuple(piece["domains"]),
            author_role=piece["author_role"],
            author_id=piece["author_ref"],
            made_on=_day(piece["made_on"]),
            level=piece["level"],
        )
        for piece in person["evidence"]
    )


def _decision(said: dict[str, Any]) -> Decision:
    return Decision(said["by_ref"], _day(said["on"]), Outcome(said["outcome"]) if "outcome" in said else None)


def _decided(portfolio: Portfolio, person: dict[str, Any], rules: EvidenceRules, managers: LineManagers) -> Portfolio:
    if person["verified"]:
        portfolio, _ = practice.verify(portfolio, _decision(person["verified"]), rules, managers)
    if person["recommended"]:
        portfolio, _ = practice.recommend(portfolio, _decision(person["recommended"]), rules, managers)
    if person["confirmed"]:
        portfolio, _ = practice.confirm(portfolio, _decision(person["confirmed"]), rules, managers)
    return portfolio


def play(person: dict[str, Any], rules: EvidenceRules) -> Played:
    """Return what becomes of `person` when the term is played in its order."""
    facts = (person["employee_ref"], person["course"], person["intake"], person["route"], person["pcf_level"])
    portfolio, _ = practice.open_portfolio(Candidacy("enrolment", *facts, rules.evidence_set))
    managers = _managers(person)
    portfolio, _ = practice.add_evidence(portfolio, _pieces(person), rules)
    for withdrawn in person["invalidated"]:
        portfolio, _ = practice.invalidate_evidence(
            portfolio, withdrawn["ref"], withdrawn["reason"], _day(withdrawn["on"])
        )
    returned = []
    for submitted_on in person["submissions"]:
        portfolio, events = practice.submit(portfolio, _day(submitted_on), rules, managers)
        returned += [
            {"on": event.returned_on.isoformat(), "missing": list(event.missing)}
            for event in events
            if isinstance(event, practice.PortfolioReturned)
        ]
    return Played(_decided(portfolio, person, rules, managers).practice, returned)


def people_of(scenario: Path) -> list[dict[str, Any]]:
    """Return everybody with a portfolio."""
    term = json.loads((scenario / "term.json").read_text("utf-8"))
    return [person for person in term["people"] if "evidence" in person]


@pytest.fixture(params=SCENARIOS, ids=lambda path: path.name)
def scenario(request: pytest.FixtureRequest) -> Path:
    """One scenario folder after another."""
    return Path(request.param)


def test_term_gives_every_portfolio_its_expected_outcome_and_returns(scenario):
    """Each person's practice outcome and returns, with everything missing named in order, are the scenario's truth."""
    expected = json.loads((scenario / "expected.json").read_text("utf-8"))["outcomes"]
    truth = {(one["organisation"], one["employee_ref"], one["course"], one["intake"]): one for one in expected}
    rules = _rules(scenario)
    people = people_of(scenario)
    different = {}
    for person in people:
        key = (person["organisation"], person["employee_ref"], person["course"], person["intake"])
        played = play(person, rules[person["course"]])
        if (played.practice, played.returned) != (truth[key]["practice"], truth[key]["returned"]):
            different[key] = (played, truth[key])
    assert people
    assert not different


def test_term_self_assessments_are_all_taken(scenario):
    """Each wave of each person rates every domain of the framework."""
    rules = _rules(scenario)
    for person in people_of(scenario):
        of_course = rules[person["course"]]
        evaluation = Evaluation("enrolment", "random", person["course"], person["intake"])
        for said in person["self_assessments"]:
            answer = SelfAssessment(said["wave"], _day(said["held_on"]), of_course.framework, said["ratings"])
            evaluation, event = record(evaluation, answer, of_course)
            assert tuple(event.ratings) == of_course.domains


def test_term_supervision_counts_only_ninety_uninterrupted_minutes(scenario):
    """A session meets the standard when it lasted at least 90 minutes without interruption (BR-4)."""
    for person in people_of(scenario):
        for number, said in enumerate(person["supervision"]):
            session = Session(
                session_id=str(number),
                practitioner_id="p",
                supervisor_id=said["supervisor_ref"],
                held_on=_day(said["held_on"]),
                minutes=said["minutes"],
                uninterrupted=said["uninterrupted"],
                pcf_discussed=said["pcf_discussed"],
            )
            assert held(session, "random").is_standard_met == (said["minutes"] >= 90 and said["uninterrupted"])
