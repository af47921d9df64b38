"""Second act: the employers' exports arrive by their doors, seats fill, people withdraw, the queue moves up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from shared.local.play import opening
from shared.local.play.doors import Caller
from shared.local.play.intake import HrSystem, decisions, read_lines
from shared.local.play.scenario import Export, Withdrawal
from shared.local.play.stage import Stage

_KINDS = ("accepted", "duplicate", "repeat", "refused")


def play_exports(stage: Stage) -> None:
    """Play every file to its end before the next; close what is closed before it."""
    for export in stage.scenario.term.exports:
        _close_before(stage, export)
        play = _by_intake if export.door == "intake" else _by_file
        rows = play(stage, export)
        counts = Counter(row["decision"] for row in rows)
        stage.observed.files[export.file] = {
            "organisation": export.organisation,
            "counts": {kind: counts[kind] for kind in _KINDS},
            "rows": rows,
        }
        _all_answered(stage, export.organisation)
        told = ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS if counts[kind])
        stage.tell(f"{export.file} by {export.door}: {told}")
    stage.observed.seats = _seats(stage)


def _close_before(stage: Stage, export: Export) -> None:
    lead = stage.doors.as_("enrolment", stage.lead, "programme_lead")
    for closing in stage.scenario.term.closings:
        if closing.before != export.file:
            continue
        lead.post(lead.path(f"courses/{closing.course}/cohorts/{closing.intake}/close"), {})
        _all_see_closed(stage, (closing.course, closing.intake))


def _all_see_closed(stage: Stage, cohort: tuple[str, str]) -> None:
    stage.doors.until(
        f"the closing of {cohort[0]} to reach every employer",
        lambda: all(opening.cohorts_seen(stage, employer)[cohort] for employer in stage.employers),
    )


def _by_file(stage: Stage, export: Export) -> list[dict[str, Any]]:
    hr = stage.hr(export.organisation)
    upload = _sent(hr, stage.scenario.folder / export.file)
    where = hr.path(f"enrolment-uploads/{upload['id']}")
    _until_state(stage, hr, where, "checked")
    hr.post(f"{where}/confirm", {})
    _until_state(stage, hr, where, "completed")
    return [_row(row) for row in hr.pages(f"{where}/rows")]


def _sent(hr: Caller, path: Path) -> Any:  # noqa: ANN401 - JSON
    answer = hr.ask(
        "POST",
        hr.path("enrolment-uploads"),
        params={"filename": path.name},
        content=path.read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    )
    return hr.good("POST", "enrolment-uploads", answer)


def _until_state(stage: Stage, hr: Caller, where: str, state: str) -> None:
    def reached() -> bool:
        found = hr.get(where)["state"]
        return found in {state, "failed"}

    stage.doors.until(f"the upload to be {state}", reached)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("line", "employee_ref", "course", "intake", "route", "decision")}
    return {**kept, **({"codes": row["codes"]} if row.get("codes") else {})}


def _by_intake(stage: Stage, export: Export) -> list[dict[str, Any]]:
    records = read_lines(stage.scenario.folder / export.file)
    broker, config = stage.platform.kafka_bootstrap, stage.platform.kafka_config(export.organisation)
    answers = HrSystem(broker, export.organisation, stage.clock, config).send_all(records)
    rows = []
    for record, decision, codes in decisions(records, answers):
        row = {"line": record.line, "record_ref": record.record_ref, "decision": decision, **record.names}
        rows.append({**row, **({"codes": codes} if codes else {})})
    return rows


def _all_answered(stage: Stage, employer: str) -> None:
    hr = stage.hr(employer)
    path = hr.path("enrolments")
    stage.doors.until(
        f"an answer to every request of {employer}",
        lambda: not hr.get(path, status="requested", limit=1)["items"],
    )
    stage.refresh(employer)


def _cohort(stage: Stage, course: str, intake: str) -> dict[str, Any]:
    lead = stage.doors.as_("enrolment", stage.lead, "programme_lead")
    return dict(lead.get(lead.path(f"courses/{course}/cohorts/{intake}")))


def _seats(stage: Stage) -> dict[str, dict[str, list[list[str]]]]:
    seats: dict[str, dict[str, list[list[str]]]] = {"confirmed": {}, "waiting": {}}
    for course in stage.scenario.term.courses:
        cohort = _cohort(stage, course.code, course.intake)
        for state, name in (("confirmed", "seats"), ("waiting", "waiting")):
            seats[state][course.code] = [list(stage.who(place["enrolment_id"])[:2]) for place in cohort[name]]
    return seats


def play_withdrawals(stage: Stage) -> None:
    """Play every withdrawal to its end, in order: the seat is free, the head of the queue has it."""
    for withdrawal in stage.scenario.term.withdrawals:
        _withdraw(stage, withdrawal)
    stage.observed.promotions = _promotions(stage)
    stage.tell(f"{len(stage.scenario.term.withdrawals)} withdrawals, {len(stage.observed.promotions)} promotions")


def _withdraw(stage: Stage, withdrawal: Withdrawal) -> None:
    hr = stage.hr(withdrawal.organisation)
    seat = (withdrawal.organisation, withdrawal.employee_ref, withdrawal.course, withdrawal.intake)
    leaving = stage.enrolments[seat]["enrolment_id"]
    body = {"reason": withdrawal.reason, "withdrawn_on": withdrawal.on}
    hr.post(hr.path(f"enrolments/{leaving}/withdraw"), body)
    stage.doors.until(f"the seats of {withdrawal.course} to settle", lambda: _is_settled(stage, withdrawal, leaving))


def _is_settled(stage: Stage, withdrawal: Withdrawal, leaving: str) -> bool:
    """Return True once who left is gone from the cohort and its seats are what the employers have confirmed."""
    cohort = _cohort(stage, withdrawal.course, withdrawal.intake)
    seated = {place["enrolment_id"] for place in cohort["seats"]}
    waiting = {place["enrolment_id"] for place in cohort["waiting"]}
    if leaving in seated | waiting:
        return False
    for enrolment_id in seated:
        if stage.enrolments[stage.who(enrolment_id)]["status"] != "confirmed":
            stage.refresh(stage.who(enrolment_id)[0])
    return all(stage.enrolments[stage.who(enrolment_id)]["status"] == "confirmed" for enrolment_id in seated)


def _promotions(stage: Stage) -> list[dict[str, Any]]:
    """Return the promotions as the cohort owner's own feed tells them, in its order."""
    operator = stage.doors.as_("enrolment", stage.lead, "operator")
    promoted: list[dict[str, Any]] = []
    after = 0
    while True:
        page = operator.get(operator.path("feed"), after=after, limit=200)
        for event in page["items"]:
            after = int(event["feedseq"])
            if event["type"] == "enrolment.seat-promoted.v1":
                promoted.append(_promotion(stage, event["data"]))
        if not page.get("next") or not page["items"]:
            return promoted


def _promotion(stage: Stage, data: dict[str, Any]) -> dict[str, Any]:
    organisation, employee_ref, course, intake = stage.who(data["enrolment_id"])
    left = stage.who(data["in_place_of"])
    return {
        "organisation": organisation,
        "employee_ref": employee_ref,
        "course": course,
        "intake": intake,
        "in_place_of": [left[0], left[1]],
    }
