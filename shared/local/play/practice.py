"""Third act: portfolios fill, managers change, practice is assessed; who takes a course without one completes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from shared.local.play.doors import Caller
from shared.local.play.scenario import Evidence, Person, Supervision
from shared.local.play.stage import Stage

Deed = tuple[str, int, Callable[[], object]]


def play_practice(stage: Stage) -> None:
    """Let every person and those around them do what the scenario says, each in the order of its dates."""
    with_portfolio = [person for person in stage.scenario.term.people if _has_portfolio(stage, person)]
    without = [person for person in stage.scenario.term.people if not _has_portfolio(stage, person)]
    stage.for_each(lambda person: change_managers(stage, person), with_portfolio)
    stage.for_each(lambda person: _portfolio_open(stage, person), with_portfolio)
    stage.for_each(lambda person: assess(stage, person), with_portfolio)
    stage.for_each(lambda person: complete(stage, person), without)
    stage.tell(f"{len(with_portfolio)} portfolios, {sum(len(person.evidence) for person in with_portfolio)} pieces")


def _has_portfolio(stage: Stage, person: Person) -> bool:
    return stage.course(person.course).evidence_set is not None


def assessment(stage: Stage, person: Person, role: str, subject: str | None = None) -> Caller:
    """Return the assessment doors of a person's employer as somebody there sees them."""
    return stage.doors.as_("assessment", person.organisation, role, subject)


def candidate(stage: Stage, person: Person) -> Caller:
    """Return the assessment doors as the candidate sees them."""
    return assessment(stage, person, "practitioner", person.employee_ref)


def portfolio_path(stage: Stage, person: Person) -> str:
    """Return the path of a person's portfolio."""
    return candidate(stage, person).path(f"portfolios/{stage.enrolment_id(person)}")


def change_managers(stage: Stage, person: Person) -> None:
    """HR dates each new line manager in the employee's record."""
    hr = stage.hr(person.organisation)
    for change in person.manager_changes:
        body = {"line_manager_ref": change.line_manager_ref, "from_on": change.from_on}
        hr.post(hr.path(f"practitioners/{quote(person.employee_ref, safe='')}/line-managers"), body)


def _portfolio_open(stage: Stage, person: Person) -> None:
    """Wait until the employer's assessment knows the portfolio and every dated line manager."""
    supervisor = assessment(stage, person, "supervisor")
    path = portfolio_path(stage, person)
    dates = {change.from_on for change in person.manager_changes}

    def known() -> bool:
        answer = supervisor.ask("GET", path)
        if answer.status == 404:
            return False
        portfolio = supervisor.good("GET", path, answer)
        return dates <= {manager["from_on"] for manager in portfolio["line_managers"]}

    stage.doors.until(f"the portfolios of {person.organisation} to open", known)


def assess(stage: Stage, person: Person) -> None:
    """Play one person's term: evidence, supervision, self-assessments, submissions and what follows them."""
    path = portfolio_path(stage, person)
    deeds: list[Deed] = [
        *_evidence(stage, person, path),
        *_supervision(stage, person),
        *_self_assessments(stage, person, path),
        *_invalidations(stage, person, path),
        *_steps(stage, person, path),
    ]
    for _, _, deed in sorted(deeds, key=lambda deed: deed[:2]):
        deed()
    stage.observed.outcomes.append(_outcome(stage, person))


def _evidence(stage: Stage, person: Person, path: str) -> list[Deed]:
    """Return the candidate's visits: what was made by then is put in before anything is handed in or invalidated."""
    ends = {*person.submissions, *(gone.on for gone in person.invalidated)}
    ends |= {step.on for step in (person.verified, person.recommended, person.confirmed) if step}
    bounds = [*sorted(ends), "9999-12-31"]
    visits: dict[str, list[Evidence]] = defaultdict(list)
    for piece in person.evidence:
        visits[next(bound for bound in bounds if piece.made_on <= bound)].append(piece)

    def put(pieces: list[Evidence]) -> Callable[[], object]:
        items = [
            {
                "ref": piece.ref,
                "kind": piece.kind,
                "author_role": piece.author_role,
                "author_ref": piece.author_ref,
                "made_on": piece.made_on,
                "domains": piece.domains,
                "level": piece.level,
            }
            for piece in pieces
        ]
        return lambda: candidate(stage, person).post(f"{path}/evidence", {"items": items})

    return [(max(piece.made_on for piece in pieces), 0, put(pieces)) for pieces in visits.values()]


def _supervision(stage: Stage, person: Person) -> list[Deed]:
    by_supervisor: dict[str, list[Supervision]] = defaultdict(list)
    for session in person.supervision:
        by_supervisor[session.supervisor_ref].append(session)

    def put(supervisor_ref: str, sessions: list[Supervision]) -> Callable[[], object]:
        supervisor = assessment(stage, person, "supervisor", supervisor_ref)
        items = [
            {
                "held_on": session.held_on,
                "minutes": session.minutes,
                "uninterrupted": session.uninterrupted,
                "pcf_discussed": session.pcf_discussed,
            }
            for session in sessions
        ]
        body = {"practitioner_ref": person.employee_ref, "items": items}
        return lambda: supervisor.post(supervisor.path("supervision-sessions"), body)

    return [
        (max(session.held_on for session in sessions), 1, put(supervisor_ref, sessions))
        for supervisor_ref, sessions in by_supervisor.items()
    ]


def _self_assessments(stage: Stage, person: Person, path: str) -> list[Deed]:
    def put(body: dict[str, Any]) -> Callable[[], object]:
        return lambda: candidate(stage, person).post(f"{path}/self-assessments", body)

    return [
        (wave.held_on, 2, put({"items": [{"wave": wave.wave, "held_on": wave.held_on, "ratings": wave.ratings}]}))
        for wave in person.self_assessments
    ]


def _invalidations(stage: Stage, person: Person, path: str) -> list[Deed]:
    def put(ref: str, body: dict[str, str]) -> Callable[[], object]:
        return lambda: assessment(stage, person, "supervisor").post(f"{path}/evidence/{ref}/invalidate", body)

    return [(gone.on, 3, put(gone.ref, {"reason": gone.reason, "on": gone.on})) for gone in person.invalidated]


def _steps(stage: Stage, person: Person, path: str) -> list[Deed]:
    def put(caller: Caller, step: str, body: dict[str, Any]) -> Callable[[], object]:
        return lambda: caller.post(f"{path}/{step}", body)

    deeds = [(on, 4, put(candidate(stage, person), "submit", {"submitted_on": on})) for on in person.submissions]
    if person.verified:
        supervisor = assessment(stage, person, "supervisor", person.verified.by_ref)
        deeds.append((person.verified.on, 5, put(supervisor, "verify", {"verified_on": person.verified.on})))
    if person.recommended:
        assessor = assessment(stage, person, "assessor", person.recommended.by_ref)
        body = {"recommended_on": person.recommended.on, "outcome": person.recommended.outcome}
        deeds.append((person.recommended.on, 6, put(assessor, "recommend", body)))
    if person.confirmed:
        moderator = assessment(stage, person, "moderator", person.confirmed.by_ref)
        body = {"confirmed_on": person.confirmed.on, "outcome": person.confirmed.outcome}
        deeds.append((person.confirmed.on, 7, put(moderator, "confirm", body)))
    return deeds


def _outcome(stage: Stage, person: Person) -> dict[str, Any]:
    portfolio = assessment(stage, person, "supervisor").get(portfolio_path(stage, person))
    returned = [{"on": one["returned_on"], "missing": one["missing"]} for one in portfolio["returns"]]
    return {**_named(person), "credits": 0, "returned": returned, "practice": portfolio["practice"]}


def complete(stage: Stage, person: Person) -> None:
    """HR records that somebody completed a course without an assessment; who did not stays as they are."""
    hr = stage.hr(person.organisation)
    path = hr.path(f"enrolments/{stage.enrolment_id(person)}")
    if person.completed_on:
        hr.post(f"{path}/complete", {"completed_on": person.completed_on, "outcome": "completed"})
    practice = "completed" if hr.get(path)["status"] == "completed" else "not_completed"
    stage.observed.outcomes.append({**_named(person), "credits": 0, "practice": practice})


def _named(person: Person) -> dict[str, Any]:
    return {
        "organisation": person.organisation,
        "employee_ref": person.employee_ref,
        "course": person.course,
        "intake": person.intake,
    }
