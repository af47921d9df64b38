"""What a programme lead tells of its courses and programmes: field for field the data of their event contracts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.enrolment.domain.courses import Developed, Handbook
from services.enrolment.domain.eligibility import CourseFirst
from services.enrolment.domain.programmes import Strand


@dataclass(frozen=True, slots=True)
class CoursePublished:
    """A course as its owner offers it now."""

    course: str
    title: str
    level: str
    routes: tuple[str, ...]
    credits: int
    accreditation: str
    awarding_hei: str | None
    module: str | None
    prerequisite_routes: tuple[str, ...]
    evidence_set: str | None
    owner: str


@dataclass(frozen=True, slots=True)
class CourseDescribed:
    """What a course is in the catalogue, what it asks for, and since when it is accredited."""

    course: str
    owner: str
    kind: str
    minutes: int | None
    cpd_pieces: int
    cpd_pieces_with_peers: int
    micro_credential_by: str | None
    accredited_from: date | None
    develops: tuple[Developed, ...]
    handbooks: tuple[Handbook, ...]
    after: tuple[str, ...]
    courses_first: tuple[CourseFirst, ...]
    in_house_within_months: int | None
    roles: tuple[str, ...]
    open_to: tuple[str, ...]
    elements: tuple[str, ...]
    rated_domains: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProgrammeDescribed:
    """Courses in combination, as their owner offers them now."""

    programme: str
    title: str
    owner: str
    delivery: str
    strands: tuple[Strand, ...]
