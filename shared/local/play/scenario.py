"""A scenario folder, read. What it means to play one stands in the other modules of this room."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec


class Prerequisite(msgspec.Struct, frozen=True):
    """What must have been done before, in words, and the routes that it binds."""

    text: str
    routes: list[str]


class Course(msgspec.Struct, frozen=True):
    """A course with its one intake."""

    code: str
    title: str
    level: str
    intake: str
    capacity: int
    academic: bool
    credits: int
    accreditation: str
    prerequisite: Prerequisite | None = None
    evidence_set: str | None = None


class Instance(msgspec.Struct, frozen=True):
    """A shell module filled in for one course and intake."""

    course: str
    intake: str
    proposed_by: str
    delivered_by: list[str]
    approved_on: str | None = None


class ShellModule(msgspec.Struct, frozen=True):
    """What the awarding university keeps: credits, level, pass mark."""

    code: str
    title: str
    words: int
    credits: int
    level: int
    pass_mark: int
    awarding_hei: str
    instances: list[Instance]


class Export(msgspec.Struct, frozen=True):
    """One employer's file and the door by which it arrives."""

    file: str
    organisation: str
    door: str


class Closing(msgspec.Struct, frozen=True):
    """A cohort that is closed before a file arrives."""

    course: str
    intake: str
    before: str


class Withdrawal(msgspec.Struct, frozen=True):
    """Somebody leaves a course, dated, with the employer's exact reason."""

    organisation: str
    employee_ref: str
    course: str
    intake: str
    on: str
    reason: str


class Board(msgspec.Struct, frozen=True):
    """The exam board of the awarding university."""

    organisation: str
    held_on: str


class Evidence(msgspec.Struct, frozen=True):
    """One piece of evidence as the candidate's file holds it."""

    ref: str
    kind: str
    author_role: str
    made_on: str
    domains: list[str]
    level: str
    author_ref: str | None = None


class Invalidated(msgspec.Struct, frozen=True):
    """A piece that may no longer be used, and since when."""

    ref: str
    on: str
    reason: str


class ManagerChange(msgspec.Struct, frozen=True):
    """Another line manager from a day on."""

    from_on: str
    line_manager_ref: str


class Step(msgspec.Struct, frozen=True):
    """Who did a step of the assessment, when, and with which outcome where it has one."""

    by_ref: str
    on: str
    outcome: str | None = None


class Supervision(msgspec.Struct, frozen=True):
    """One supervision session."""

    held_on: str
    minutes: int
    uninterrupted: bool
    supervisor_ref: str
    pcf_discussed: bool


class SelfAssessment(msgspec.Struct, frozen=True):
    """A wave of self-assessment: one rating per domain."""

    wave: str
    held_on: str
    ratings: dict[str, int]


class Academic(msgspec.Struct, frozen=True):
    """What was handed in at the university, and its marks (0 to 100)."""

    submitted_on: str
    words: int
    first_mark: int
    agreed_mark: int


class Person(msgspec.Struct, frozen=True):
    """What the holder of one seat, and the people around them, do in the term."""

    organisation: str
    employee_ref: str
    course: str
    intake: str
    route: str
    pcf_level: str
    line_manager_ref: str | None = None
    completed_on: str | None = None
    evidence: list[Evidence] = []
    manager_changes: list[ManagerChange] = []
    invalidated: list[Invalidated] = []
    submissions: list[str] = []
    verified: Step | None = None
    recommended: Step | None = None
    confirmed: Step | None = None
    supervision: list[Supervision] = []
    self_assessments: list[SelfAssessment] = []
    academic: Academic | None = None

    @property
    def seat(self) -> tuple[str, str, str, str]:
        """Return (organisation, employee reference, course, intake): what names a nomination."""
        return (self.organisation, self.employee_ref, self.course, self.intake)


class Term(msgspec.Struct, frozen=True):
    """The term as it happens."""

    courses: list[Course]
    shell_modules: list[ShellModule]
    exports: list[Export]
    closings: list[Closing]
    withdrawals: list[Withdrawal]
    board: Board | None
    people: list[Person]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One folder: its term, its truth and its files."""

    folder: Path
    term: Term
    expected: dict[str, Any] = field(repr=False)

    @property
    def partnership_file(self) -> Path:
        """Return the path of the partnership file."""
        return self.folder / "partnership.yaml"

    def module_of(self, course: str, intake: str) -> tuple[ShellModule, Instance] | None:
        """Return the shell module and instance that a course's intake runs under, None where it has none."""
        for module in self.term.shell_modules:
            for instance in module.instances:
                if (instance.course, instance.intake) == (course, intake):
                    return module, instance
        return None


class ScenarioError(Exception):
    """The folder cannot be played; the text says why and what a folder needs."""


def read_scenario(folder: Path) -> Scenario:
    """Return the scenario in `folder`.

    Raises:
        ScenarioError: if a file is missing or does not have the shape that `scenarios/README.md` describes.
    """
    for name in ("partnership.yaml", "term.json", "expected.json"):
        if not (folder / name).is_file():
            raise ScenarioError(f"{folder} is no scenario folder: it has no {name} (see scenarios/README.md)")
    try:
        term = msgspec.json.decode((folder / "term.json").read_bytes(), type=Term)
        expected = msgspec.json.decode((folder / "expected.json").read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ScenarioError(f"{folder}: {error}") from error
    missing = [export.file for export in term.exports if not (folder / export.file).is_file()]
    if missing:
        raise ScenarioError(f"{folder}: term.json names files that are not there: {', '.join(missing)}")
    return Scenario(folder=folder, term=term, expected=expected)
