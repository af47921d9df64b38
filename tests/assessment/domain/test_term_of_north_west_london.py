"""Every person of the North West London term, played through the pure domain, ends as the truth says."""

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

SCENARIO = Path(__file__).parents[3] / "scenarios" / "north-west-london"


@dataclass(frozen=True)
class Played:
    """What became of one person."""

    practice: str
    returned: list[dict[str, Any]]


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _rules() -> EvidenceRules:
    file = yaml.safe_load((SCENARIO / "partnership.yaml").read_text("utf-8"))
    wanted = file["evidence_sets"]["cpd-portfolio"]
    return EvidenceRules(
        evidence_set="cpd-portfolio",
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


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    """Everybody with a portfolio."""
    term = json.loads((SCENARIO / "term.json").read_text("utf-8"))
    return [person for person in term["people"] if "evidence" in person]


def test_term_gives_every_portfolio_its_expected_outcome_and_returns(people):
    """Each person's practice outcome and returns, with everything missing named in order, are the scenario's truth."""
    expected = json.loads((SCENARIO / "expected.json").read_text("utf-8"))["outcomes"]
    truth = {(one["organisation"], one["employee_ref"], one["course"], one["intake"]): one for one in expected}
    rules = _rules()
    different = {}
    for person in people:
        key = (person["organisation"], person["employee_ref"], person["course"], person["intake"])
        played = play(person, rules)
        if (played.practice, played.returned) != (truth[key]["practice"], truth[key]["returned"]):
            different[key] = (played, truth[key])
    assert len(people) == 82
    assert not different


def test_term_self_assessments_are_all_taken(people):
    """Each wave of each person rates every domain of the framework."""
    rules = _rules()
    for person in people:
        evaluation = Evaluation("enrolment", "random", person["course"], person["intake"])
        for said in person["self_assessments"]:
            answer = SelfAssessment(said["wave"], _day(said["held_on"]), rules.framework, said["ratings"])
            evaluation, event = record(evaluation, answer, rules)
            assert tuple(event.ratings) == rules.domains


def test_term_supervision_counts_only_ninety_uninterrupted_minutes(people):
    """A session meets the standard when it lasted at least 90 minutes without interruption (BR-4)."""
    for person in people:
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
