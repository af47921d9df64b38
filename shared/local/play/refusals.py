"""What must not be possible, tried on the way with real tokens, and shown refused."""

from __future__ import annotations

from urllib.parse import quote

from shared.local.play.doors import Answer, Caller
from shared.local.play.practice import portfolio_path
from shared.local.play.scenario import Instance, Person, ShellModule
from shared.local.play.stage import Stage

_REFUSALS = frozenset({403, 404, 405, 409, 422})


def try_refusals(stage: Stage) -> None:
    """Try each forbidden thing once; what is not refused becomes a surprise, and the play fails."""
    person = _somebody_submitted(stage)
    if person is not None:
        _own_portfolio(stage, person)
        _another_employers_person(stage, person)
        _university_reads_supervision(stage, person)
    for module in stage.scenario.term.shell_modules:
        for instance in module.instances:
            _partner_approves_and_awards(stage, module, instance)


def _somebody_submitted(stage: Stage) -> Person | None:
    people = [person for person in stage.scenario.term.people if person.submissions]
    unverified = [person for person in people if person.verified is None]
    return next(iter([*unverified, *people]), None)


def _tried(stage: Stage, what: str, caller: Caller, answer: Answer) -> None:
    if answer.status in _REFUSALS:
        stage.refused.append(f"{what}: {answer.status} {answer.slug}".rstrip())
    else:
        stage.surprises.append(f"{what} was not refused: {answer.status} for {caller.role} of {caller.organisation}")


def _own_portfolio(stage: Stage, person: Person) -> None:
    path = f"{portfolio_path(stage, person)}/verify"
    as_supervisor = stage.doors.as_("assessment", person.organisation, "supervisor", person.employee_ref)
    answer = as_supervisor.ask("POST", path, json={"verified_on": person.submissions[-1]})
    _tried(stage, "a candidate verifying their own portfolio", as_supervisor, answer)


def _another_employers_person(stage: Stage, person: Person) -> None:
    for other in stage.partnership.with_role("employer"):
        if other != person.organisation:
            nosy = stage.hr(other)
            path = nosy.path(f"practitioners/{quote(person.employee_ref, safe='')}", person.organisation)
            _tried(stage, "an employer reading another's person", nosy, nosy.ask("GET", path))
            return


def _university_reads_supervision(stage: Stage, person: Person) -> None:
    for hei in stage.partnership.with_role("awarding_hei"):
        tutor = stage.doors.as_("assessment", hei, "tutor")
        path = tutor.path("supervision-sessions", person.organisation)
        answer = tutor.ask("GET", path, params={"practitioner_ref": person.employee_ref})
        _tried(stage, "a university reading an employer's supervision", tutor, answer)


def _partner_approves_and_awards(stage: Stage, module: ShellModule, instance: Instance) -> None:
    desk = stage.doors.as_("accreditation", module.awarding_hei, "registrar", "registrar-1")
    rows = desk.pages(desk.path("module-instances"))
    instance_id = next(row["instance_id"] for row in rows if row["course"] == instance.course)
    partners = [
        slug for slug in (instance.proposed_by, *instance.delivered_by, stage.lead) if slug != module.awarding_hei
    ]
    for role in ("registrar", "programme_lead"):
        partner = stage.doors.as_("accreditation", partners[0], role)
        path = partner.path(f"module-instances/{instance_id}/approve", module.awarding_hei)
        answer = partner.ask("POST", path, json={"approved_on": instance.approved_on or "2025-01-01"})
        _tried(stage, f"a delivering partner's {role} approving an instance", partner, answer)
        path = partner.path("credits", module.awarding_hei)
        answer = partner.ask("POST", path, json={"module": module.code, "credits": module.credits})
        _tried(stage, f"a delivering partner's {role} awarding credit", partner, answer)
