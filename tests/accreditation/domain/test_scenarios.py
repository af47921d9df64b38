"""Every scenario's academic route, played through the pure rules."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from services.accreditation.domain.boards import convene, ratify
from services.accreditation.domain.candidacy import (
    Candidacy,
    Enrolment,
    Mark,
    MarkKind,
    Outcome,
    Practice,
    Submission,
)
from services.accreditation.domain.credit import award
from services.accreditation.domain.modules import Partners, Proposal, Run, ShellModule, propose

SCENARIOS = sorted((Path(__file__).parents[3] / "scenarios").glob("*/term.json"))


def _instances(term):
    """The approved instance and its university for each (course, intake)."""
    found = {}
    for shell in term["shell_modules"]:
        module = ShellModule(
            code=shell["code"],
            title=shell["title"],
            credits=shell["credits"],
            level=shell["level"],
            pass_mark=shell["pass_mark"],
            words=shell["words"],
        )
        for wanted in shell["instances"]:
            run = Run("lead", wanted["course"], wanted["intake"])
            everyone = frozenset({"lead", wanted["proposed_by"], *wanted["delivered_by"]})
            proposal = Proposal(module.code, run, wanted["proposed_by"], tuple(wanted["delivered_by"]))
            partners = Partners(everyone, frozenset({wanted["proposed_by"]}))
            instance = propose(f"i-{len(found)}", module, proposal, partners, shell["awarding_hei"])
            found[wanted["course"], wanted["intake"]] = instance.approved(date.fromisoformat(wanted["approved_on"]))
    return found


def _candidacy(person, instance, practice):
    """What the university knows of one person when the board sits."""
    key = f"{person['organisation']}/{person['employee_ref']}"
    enrolment = Enrolment(f"r-{key}", f"p-{key}", instance.run, instance.module, date(2025, 9, 1))
    candidacy = Candidacy(person["organisation"], key).confirmed(enrolment).placed(instance.terms())
    candidacy = candidacy.identified(f"person-{key}")
    if practice.startswith("confirmed_"):
        outcome = Outcome(practice.removeprefix("confirmed_"))
        candidacy = candidacy.practised(Practice(outcome, date.fromisoformat(person["confirmed"]["on"])))
    work = person.get("academic")
    if work:
        candidacy = candidacy.handed_in(Submission(date.fromisoformat(work["submitted_on"]), work["words"]))
        candidacy = candidacy.marked(MarkKind.FIRST, Mark(work["first_mark"], "tutor-1"))
        candidacy = candidacy.marked(MarkKind.AGREED, Mark(work["agreed_mark"], "tutor-2"))
    return candidacy


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_scenario_gives_everybody_the_academic_outcome_and_the_credits_that_are_true(path):
    """The rules give `academic` and `credits` of expected.json for every person of every scenario."""
    term = json.loads(path.read_text(encoding="utf-8"))
    expected = json.loads(path.with_name("expected.json").read_text(encoding="utf-8"))
    truth = {(o["organisation"], o["employee_ref"], o["course"], o["intake"]): o for o in expected["outcomes"]}
    instances = _instances(term)
    before = {}
    for person in term["people"]:
        key = (person["organisation"], person["employee_ref"], person["course"], person["intake"])
        if person["route"] == "practice_and_academic":
            instance = instances[person["course"], person["intake"]]
            before[key] = _candidacy(person, instance, truth[key]["practice"])
    board = convene("b-1", date.fromisoformat(term["board"]["held_on"]), instances.values())
    _, frozen = ratify(board, before.values(), "registrar")
    after = {candidacy.enrolment_id: candidacy for candidacy in frozen}
    for key, standing in before.items():
        candidacy = after.get(standing.enrolment_id, standing)
        due = candidacy.credit_due()
        credits_ = award(candidacy, due, credit_id="c", sequence=1)[1].credits if due else 0
        assert candidacy.academic(instances[key[2:]].pass_mark) == truth[key]["academic"], key
        assert credits_ == truth[key]["credits"], key
    assert all("academic" not in outcome for key, outcome in truth.items() if key not in before)
    assert sum(outcome["credits"] for key, outcome in truth.items() if key not in before) == 0
