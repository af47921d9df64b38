"""The one list of what a nomination says: validation, templates, guide, preview and OneRoster are made from it.

A field has a name, what it means, how it is written, whether it is needed, and the words that other systems use for it.
Source: partnership data rules ("How a row is decided").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MANDATORY: Final = "mandatory"
CONDITIONAL: Final = "conditional"
OPTIONAL: Final = "optional"
NEEDS: Final = (MANDATORY, CONDITIONAL, OPTIONAL)

TEXT: Final = "text"
DATE: Final = "date"
NUMBER: Final = "number"
REGISTRATION: Final = "registration"
WORD: Final = "word"
COURSE: Final = "course"
INTAKE: Final = "intake"
KINDS: Final = (TEXT, DATE, NUMBER, REGISTRATION, WORD, COURSE, INTAKE)

LONGEST_TEXT: Final = 500
LEVELS: Final = ("ASYE", "SW", "ESW", "ADVANCED", "STRATEGIC")
PRACTICE_ONLY: Final = "practice_only"
ACADEMIC: Final = "practice_and_academic"
ROUTES: Final = (PRACTICE_ONLY, ACADEMIC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One field. `also` are headings that mean the same; `words` are all that it may say, with what others call them.

    `condition` says when a conditional field is needed, for people to read; the rule itself is in `decisions`.
    """

    name: str
    title: str
    description: str
    example: str
    kind: str = TEXT
    need: str = MANDATORY
    condition: str | None = None
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


FIELD_LIST: Final = (
    Entry(
        "employee_ref",
        "Employee reference",
        "Your own number for this person. It never changes and is never used again for somebody else.",
        "E10001",
        also=(
            "employee number", "employee no", "employee id", "emp no", "emp id", "staff number", "staff no", "staff id",
            "personnel number", "pers no", "payroll number", "payroll no", "payroll ref", "assignment number",
            "person number", "worker id", "employee", "personal reference", "person ref", "person id", "hr number",
        ),
    ),
    Entry(
        "given_name",
        "Given name",
        "First name, as the person is known.",
        "Maya",
        also=("first name", "forename", "forenames", "known as", "preferred name", "first", "christian name"),
    ),
    Entry(
        "family_name",
        "Family name",
        "Surname.",
        "Example",
        also=("surname", "last name", "last", "family"),
    ),
    Entry(
        "email",
        "E-mail",
        "The person's work address.",
        "maya@borough.example",
        also=("e mail", "email address", "e mail address", "work email", "mail", "work e mail", "contact email"),
    ),
    Entry(
        "date_of_birth",
        "Date of birth",
        "The day the person was born.",
        "1985-04-30",
        kind=DATE,
        also=("birth date", "dob", "d o b", "birthdate", "birthday", "born", "born on"),
    ),
    Entry(
        "swe_number",
        "Social Work England number",
        "The registration number: SW and up to six digits.",
        "SW123456",
        kind=REGISTRATION,
        also=(
            "swe registration", "registration number", "registration no", "prof reg no", "swe no", "swe reg",
            "professional registration", "social work england", "swe reg no", "reg no", "swe registration number",
            "social work england registration", "professional registration number", "swe id", "swe",
        ),
    ),
    Entry(
        "job_title",
        "Job title",
        "What the person's post is called.",
        "Social Worker",
        need=OPTIONAL,
        also=("job", "position", "position title", "post", "post title", "role", "role title", "designation"),
    ),
    Entry(
        "team",
        "Team",
        "The team the person works in.",
        "Example North Team",
        need=OPTIONAL,
        also=("team name", "org unit", "organisation unit", "department", "service", "cost centre name", "unit"),
    ),
    Entry(
        "pcf_level",
        "PCF level",
        "The person's level in the Professional Capabilities Framework.",
        "SW",
        kind=WORD,
        words=LEVELS,
        also=("level", "pcf", "capability level", "career level", "professional level", "grade level", "pcf grade"),
    ),
    Entry(
        "line_manager_ref",
        "Line manager's reference",
        "Your own number for the line manager: a reference, not a name.",
        "E90001",
        need=OPTIONAL,
        also=(
            "manager", "line manager", "manager no", "manager number", "manager id", "reports to", "supervisor ref",
            "line manager number", "reports to emp no", "line manager id", "manager ref", "line mgr", "managers number",
            "line manager no", "manager employee number",
        ),
    ),
    Entry(
        "employment_start",
        "Employment start",
        "The first day of this employment.",
        "2018-01-03",
        kind=DATE,
        also=(
            "start date", "entry date", "date started", "hire date", "employment start date", "started", "date of hire",
            "continuous service", "continuous service date", "joined", "date joined", "joining date", "in post since",
        ),
    ),
    Entry(
        "fte",
        "Full-time equivalent",
        "1 is full time, 0.5 half time. Percentages or hours need a scale in the column mapping.",
        "0.8",
        kind=NUMBER,
        need=OPTIONAL,
        also=("full time equivalent", "capacity", "working time", "contracted fte", "wte", "whole time equivalent",
              "hours", "part time", "employment percentage"),
    ),
    Entry(
        "course",
        "Course",
        "The code of the course.",
        "SAR",
        kind=COURSE,
        also=("course code", "course title", "course name", "module", "programme", "training course", "training",
              "module code", "course id"),
    ),
    Entry(
        "intake",
        "Intake",
        "Which start of the course: the year and month.",
        "2026-09",
        kind=INTAKE,
        also=("cohort", "course start", "term", "run", "course date", "intake date", "course intake", "session"),
    ),
    Entry(
        "route",
        "Route",
        "Assessment in practice alone, or with the academic element.",
        PRACTICE_ONLY,
        kind=WORD,
        words=ROUTES,
        also=("academic route", "academic", "assessment route", "study route", "pathway", "with academic", "option",
              "academic element", "academic route y n"),
    ),
    Entry(
        "manager_approved_on",
        "Manager approved on",
        "The day the line manager approved the nomination.",
        "2026-07-01",
        kind=DATE,
        need=CONDITIONAL,
        condition="a row is refused until the line manager has approved it",
        also=(
            "approved", "approval date", "manager approval date", "manager approval", "approved on", "date approved",
            "authorised", "authorised on", "date authorised", "approved date", "sign off date", "signed off",
        ),
    ),
    Entry(
        "prerequisite_on",
        "Prerequisite met on",
        "The day the course's prerequisite was met.",
        "2026-03-15",
        kind=DATE,
        need=CONDITIONAL,
        condition="needed where the course has a prerequisite that binds the route",
        also=(
            "prerequisite", "prerequisite date", "in house course attended", "in house course", "prior course date",
            "prerequisite met", "prerequisite met on", "in house training", "in house training attended",
        ),
    ),
)  # fmt: skip

BY_NAME: Final = {entry.name: entry for entry in FIELD_LIST}
WORDS_ELSEWHERE: Final = {
    "pcf_level": {
        "nqsw": "ASYE",
        "newly qualified social worker": "ASYE",
        "newly qualified": "ASYE",
        "asye": "ASYE",
        "social worker": "SW",
        "sw": "SW",
        "experienced social worker": "ESW",
        "experienced": "ESW",
        "esw": "ESW",
        "advanced": "ADVANCED",
        "advanced social worker": "ADVANCED",
        "advanced practitioner": "ADVANCED",
        "strategic": "STRATEGIC",
        "strategic social worker": "STRATEGIC",
    },
    "route": {
        "practice only": PRACTICE_ONLY,
        "practice": PRACTICE_ONLY,
        "without academic": PRACTICE_ONLY,
        "non academic": PRACTICE_ONLY,
        "practice and academic": ACADEMIC,
        "academic": ACADEMIC,
        "with academic": ACADEMIC,
        "practice academic": ACADEMIC,
    },
}
"""What other systems write for our words, as `heading_matching.plain` spells it. Nothing is read by it: it suggests."""
