"""Fourth act: registration by release, work handed in, marks, the exam board, credit, and the registry's feed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from shared.local.play.doors import Caller
from shared.local.play.scenario import Person
from shared.local.play.stage import Stage

_ACADEMIC = "practice_and_academic"


def play_university(stage: Stage) -> None:
    """Register, mark and ratify; then wait for the credit that follows and read it from the ledger."""
    by_university: dict[str, list[Person]] = defaultdict(list)
    for person in stage.scenario.term.people:
        module = stage.scenario.module_of(person.course, person.intake)
        if person.route == _ACADEMIC and module is not None:
            by_university[module[0].awarding_hei].append(person)
        elif person.route == _ACADEMIC:
            _no_module(stage, person)
    for hei, people in by_university.items():
        registered = _registered(stage, hei, people)
        stage.for_each(lambda person: _mark(stage, hei, person, registered[stage.enrolment_id(person)]), people)  # noqa: B023 - done before the next university
        _hold_board(stage, hei)
        _await_practice(stage, hei, people)
        _observe(stage, hei, people)


def _no_module(stage: Stage, person: Person) -> None:
    """Note that nothing was handed in where no university runs a module for the course."""
    for outcome in stage.observed.outcomes:
        if all(outcome[name] == getattr(person, name) for name in ("organisation", "employee_ref", "course", "intake")):
            outcome["academic"] = "not_submitted"


def _hold_board(stage: Stage, hei: str) -> None:
    board_id = convene(stage, hei)
    if board_id is not None:
        ratify(stage, hei, board_id)


def registrar(stage: Stage, hei: str) -> Caller:
    """Return the accreditation doors as the awarding university's registrar sees them."""
    return stage.doors.as_("accreditation", hei, "registrar", "registrar-1")


def _registered(stage: Stage, hei: str, people: list[Person]) -> dict[str, dict[str, Any]]:
    wanted = {stage.enrolment_id(person) for person in people}
    tutor = stage.doors.as_("accreditation", hei, "tutor", "tutor-1")

    def all_there() -> dict[str, dict[str, Any]] | None:
        rows = {row["enrolment_id"]: row for row in tutor.pages(tutor.path("registrations"))}
        ready = {one for one, row in rows.items() if row["state"] != "identity_pending"}
        return rows if wanted <= ready else None

    return stage.doors.until("every academic enrolment to be registered", all_there)


def _mark(stage: Stage, hei: str, person: Person, registration: dict[str, Any]) -> None:
    if person.academic is None:
        return
    first = stage.doors.as_("accreditation", hei, "tutor", "tutor-1")
    second = stage.doors.as_("accreditation", hei, "tutor", "tutor-2")
    path = first.path(f"registrations/{registration['registration_id']}")
    work = person.academic
    first.post(f"{path}/submissions", {"submitted_on": work.submitted_on, "words": work.words})
    first.post(f"{path}/marks", {"kind": "first", "mark": work.first_mark})
    second.post(f"{path}/marks", {"kind": "agreed", "mark": work.agreed_mark})


def convene(stage: Stage, hei: str) -> str | None:
    """Return the board that the registrar convened for every instance not refused; None without board or instance."""
    desk, board = registrar(stage, hei), stage.scenario.term.board
    instances = [row["instance_id"] for row in desk.pages(desk.path("module-instances")) if row["state"] != "refused"]
    if board is None or not instances:
        return None
    return str(desk.post(desk.path("boards"), {"held_on": board.held_on, "instance_ids": instances})["board_id"])


def ratify(stage: Stage, hei: str, board_id: str) -> None:
    """The board ratifies, twice: the second time changes nothing."""
    desk = registrar(stage, hei)
    first = desk.post(desk.path(f"boards/{board_id}/ratify"), {})
    credits_before = len(_credits(stage, hei))
    second = desk.post(desk.path(f"boards/{board_id}/ratify"), {})
    if first != second:
        stage.surprises.append("the board's second ratification answered something else than the first")
    stage.refused.append(f"the board ratified twice: {credits_before} credits, then {len(_credits(stage, hei))}")
    if credits_before != len(_credits(stage, hei)):
        stage.surprises.append("the board's second ratification changed the ledger")


def _credits(stage: Stage, hei: str) -> list[dict[str, Any]]:
    desk = registrar(stage, hei)
    return list(desk.pages(desk.path("credits")))


def _await_practice(stage: Stage, hei: str, people: list[Person]) -> None:
    """Wait until the university has heard how the practice of everybody it registered ended."""
    confirmed = {stage.enrolment_id(person) for person in people if person.confirmed}
    desk = registrar(stage, hei)

    def heard() -> bool:
        rows = list(desk.pages(desk.path("registrations")))
        return confirmed <= {row["enrolment_id"] for row in rows if row["practice_outcome"]}

    stage.doors.until("the practice outcomes to reach the university", heard)


def _observe(stage: Stage, hei: str, people: list[Person]) -> None:
    desk = registrar(stage, hei)
    results = {row["enrolment_id"]: row["academic"] for row in desk.pages(desk.path("registrations"))}
    ledger = _credits(stage, hei)
    awarded: dict[str, int] = {}
    for credit in ledger:
        awarded[credit["enrolment_id"]] = awarded.get(credit["enrolment_id"], 0) + credit["credits"]
    by_seat = {person.seat: stage.enrolment_id(person) for person in people}
    for outcome in stage.observed.outcomes:
        seat = tuple(str(outcome[name]) for name in ("organisation", "employee_ref", "course", "intake"))
        enrolment_id = by_seat.get(seat)  # type: ignore[arg-type]  # four names make a seat
        if enrolment_id:
            outcome["academic"] = results[enrolment_id]
            outcome["credits"] = awarded.get(enrolment_id, 0)
    feed = list(desk.pages(desk.path("registry-feed")))
    stage.tell(f"{len(ledger)} credits awarded; the registry read {len(feed)} items of its feed")
    if len(feed) != len(ledger):
        stage.surprises.append(f"the registry's feed has {len(feed)} items, the ledger {len(ledger)}")
