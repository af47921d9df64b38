"""Courses as their owner, the programme lead, keeps them."""

from __future__ import annotations

from dataclasses import dataclass

from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.records import ACADEMIC, LEVELS, ROUTES

COURSE_LEVELS = ("ALL", *LEVELS)
ACCREDITATIONS = ("none", "pending", "approved")


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """What a course asks for first, and on which routes it binds."""

    text: str
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """One course. `evidence_set` None: it ends by completion, without a portfolio."""

    code: str
    title: str
    level: str
    routes: tuple[str, ...]
    credits: int = 0
    accreditation: str = "none"
    awarding_hei: str | None = None
    module: str | None = None
    prerequisite: Prerequisite | None = None
    evidence_set: str | None = None
    version: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.routes) - set(ROUTES)
        if unknown or not self.routes or len(set(self.routes)) != len(self.routes):
            raise RuleSaysNo("a course has one or both routes, each once")
        if self.awarding_hei is not None and ACADEMIC not in self.routes:
            raise RuleSaysNo("only a course with the academic route has an awarding university")
