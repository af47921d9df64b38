"""The employers' part of a whole term, through the doors, against the scenario's truth."""

from __future__ import annotations

import json
from pathlib import Path

SCENARIO = Path(__file__).parents[3] / "scenarios" / "north-west-london"
TERM = json.loads((SCENARIO / "term.json").read_text(encoding="utf-8"))
EXPECTED = json.loads((SCENARIO / "expected.json").read_text(encoding="utf-8"))


def _publish(house) -> None:
    module = TERM["shell_modules"][0]
    for course in TERM["courses"]:
        house.open_course(
            course["code"],
            course["capacity"],
            course["intake"],
            title=course["title"],
            level=course["level"],
            routes=["practice_only", *(["practice_and_academic"] if course["academic"] else [])],
            credits=course["credits"],
            accreditation=course["accreditation"],
            awarding_hei="goldsmiths" if course["academic"] else None,
            module=module["code"] if course["academic"] else None,
            prerequisite=course["prerequisite"],
            evidence_set=course["evidence_set"],
        )


def _by_file(house, export) -> list[dict]:
    org = export["organisation"]
    job = house.upload((SCENARIO / export["file"]).read_bytes(), export["file"], org)
    assert job["state"] == "checked", job
    assert house.confirm(job["id"], org)["state"] == "completed"
    names = ("line", "employee_ref", "course", "intake", "route", "decision")
    rows = house.pages(f"enrolment-uploads/{job['id']}/rows", org)
    return [{n: row[n] for n in names} | ({"codes": row["codes"]} if row["codes"] else {}) for row in rows]


def _by_intake(house, export) -> list[dict]:
    org = export["organisation"]
    rows = []
    for line, text in enumerate((SCENARIO / export["file"]).read_text(encoding="utf-8").splitlines(), start=1):
        message = json.loads(text)
        before = len(house.events(org, "out"))
        house.intake(org, text.encode())
        answers = house.events(org, "out")[before:]
        row = {"line": line, **{n: message["record"][n] for n in ("employee_ref", "course", "intake", "route")}}
        rows.append(row | {"decision": _decision(answers), "record_ref": message["record_ref"]} | _codes(answers))
    return rows


def _decision(answers) -> str:
    if not answers:
        return "repeat"
    if answers[0]["type"] == "enrolment.record-refused.v1":
        return "refused"
    return "duplicate" if answers[0]["data"]["duplicate"] else "accepted"


def _codes(answers) -> dict:
    return {"codes": answers[0]["data"]["codes"]} if answers and "codes" in answers[0]["data"] else {}


def _people(house) -> dict[str, list[str]]:
    return {
        found["enrolment_id"]: [export["organisation"], found["employee_ref"]]
        for export in TERM["exports"]
        for found in house.pages("enrolments", export["organisation"])
    }


def _places(house, people, name: str) -> dict[str, list[list[str]]]:
    found = {}
    for course in TERM["courses"]:
        path = f"courses/{course['code']}/cohorts/{course['intake']}"
        cohort = house.good("GET", path, "programme_lead")
        found[course["code"]] = [people[place["enrolment_id"]] for place in cohort[name]]
    return found


def test_a_whole_term_has_the_rows_seats_and_promotions_of_the_scenario(house):
    """Files and intake, closings, seats, waiting lists, withdrawals and promotions come out as the truth says."""
    _publish(house)
    for export in TERM["exports"]:
        for closing in TERM["closings"]:
            if closing["before"] == export["file"]:
                path = f"courses/{closing['course']}/cohorts/{closing['intake']}/close"
                house.good("POST", path, "programme_lead", json={})
                house.settle()
        rows = _by_file(house, export) if export["door"] == "file" else _by_intake(house, export)
        assert rows == EXPECTED["files"][export["file"]]["rows"]
        house.settle()
    people = _people(house)
    assert _places(house, people, "seats") == EXPECTED["seats"]["confirmed"]
    assert _places(house, people, "waiting") == EXPECTED["seats"]["waiting"]
    _withdraw_all(house, people)
    _nothing_personal_on_the_bus(house)
    before = {org: len(house.events(org)) for org in house.partnership.owners("enrolment")}
    house.settle(again=True)
    assert {org: len(house.events(org)) for org in before} == before


def _withdraw_all(house, people) -> None:
    ids = {
        (*person, enrolment["course"]): enrolment["enrolment_id"]
        for org in {export["organisation"] for export in TERM["exports"]}
        for enrolment in house.pages("enrolments", org)
        for person in [people[enrolment["enrolment_id"]]]
    }
    for leaving in TERM["withdrawals"]:
        which = ids[(leaving["organisation"], leaving["employee_ref"], leaving["course"])]
        body = {"reason": leaving["reason"], "withdrawn_on": leaving["on"]}
        house.good("POST", f"enrolments/{which}/withdraw", org=leaving["organisation"], json=body)
        house.settle()
    promoted = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.seat-promoted.v1"]
    found = [
        {
            "organisation": people[event["enrolment_id"]][0],
            "employee_ref": people[event["enrolment_id"]][1],
            "course": event["course"],
            "intake": event["intake"],
            "in_place_of": people[event["in_place_of"]],
        }
        for event in promoted
    ]
    assert found == EXPECTED["promotions"]
    statuses = [
        found["status"] for org in house.partnership.owners("enrolment") for found in house.pages("enrolments", org)
    ]
    seats = sum(len(found) for found in EXPECTED["seats"]["confirmed"].values())
    assert statuses.count("confirmed") == seats
    assert "requested" not in statuses


def _nothing_personal_on_the_bus(house) -> None:
    for org in house.partnership.owners("enrolment"):
        told = json.dumps([event["data"] for event in [*house.events(org), *house.events(org, "out")]])
        for person in house.pages("practitioners", org):
            for value in (person["family_name"], person["email"], person["swe_number"], person["date_of_birth"]):
                assert f'"{value}"' not in told
            assert f'"{person["employee_ref"]}"' not in told
