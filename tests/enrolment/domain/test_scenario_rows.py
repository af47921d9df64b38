"""Every row of every employer's file of every scenario, against the scenario's truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from services.enrolment.application.column_mappings import mapping_for, mapping_from
from services.enrolment.domain import decisions, records
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse, decide
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.storage.files import read_file

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"
FILES = [
    (folder.name, export["file"])
    for folder in sorted(SCENARIOS.iterdir())
    if (folder / "term.json").exists()
    for export in json.loads((folder / "term.json").read_text(encoding="utf-8"))["exports"]
]


def _catalogue(term: dict, lead: str, before: str) -> dict[str, OfferedCourse]:
    files = [export["file"] for export in term["exports"]]
    closed = {
        (closing["course"], closing["intake"])
        for closing in term["closings"]
        if files.index(closing["before"]) <= files.index(before)
    }
    return {
        course["code"]: OfferedCourse(
            code=course["code"],
            owner=lead,
            level=course["level"],
            routes=("practice_only", "practice_and_academic") if course["academic"] else ("practice_only",),
            prerequisite_routes=tuple((course["prerequisite"] or {}).get("routes", ())),
            cohorts={
                course["intake"]: OfferedCohort(
                    lead, course["capacity"], closed=(course["code"], course["intake"]) in closed
                )
            },
        )
        for course in term["courses"]
    }


def _rows(folder: Path, name: str, mapping: FileMapping | None, door: str):
    content = (folder / name).read_bytes()
    if door == "intake":
        for line, text in enumerate(content.decode().splitlines(), start=1):
            message = json.loads(text)
            yield message["record_ref"], read_row(line, message["record"], FileMapping())
    else:
        rule = mapping_for(mapping, name)
        for row in read_file(content, rule):
            yield None, read_row(row.line, row.cells, rule)


@pytest.mark.parametrize(("scenario", "name"), FILES)
def test_rows_are_decided_as_the_scenario_says(scenario, name):
    """Each row gets the line, canonical values, decision and codes that the scenario's truth holds."""
    folder = SCENARIOS / scenario
    term = json.loads((folder / "term.json").read_text(encoding="utf-8"))
    partnership = yaml.safe_load((folder / "partnership.yaml").read_text(encoding="utf-8"))
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["files"][name]
    export = next(found for found in term["exports"] if found["file"] == name)
    declared = partnership.get("column_mappings", {}).get(export["organisation"])
    catalogue = _catalogue(term, partnership["programme_lead"], name)
    taken: dict[str, str] = {}
    seen: dict[str, str] = {}
    found = []
    for ref, row in _rows(folder, name, mapping_from(declared) if declared else None, export["door"]):
        key = records.nomination_key(row.record)
        if ref in seen and seen[ref] == records.fingerprint(row.record):
            verdict = decisions.Verdict(decisions.REPEAT)
        else:
            verdict = decide(row, catalogue, taken.get(key))
        if verdict.decision == decisions.ACCEPTED:
            taken[key] = records.fingerprint(row.record)
        entry = {"line": row.line, "employee_ref": row.record.employee_ref, "course": row.record.course}
        entry |= {"intake": row.record.intake, "route": row.record.route, "decision": verdict.decision}
        if ref is not None:
            entry["record_ref"] = ref
            seen[ref] = records.fingerprint(row.record)
        if verdict.codes:
            entry["codes"] = list(verdict.codes)
        found.append(entry)
    assert found == expected["rows"]


def test_refused_fields_are_named_with_their_code():
    """A fault names the canonical field that it is about."""
    row = read_row(2, {}, replace(FileMapping()))
    assert {fault.field for fault in row.faults} == set(records.REQUIRED)
