"""Advice for one person from what their employer knows of them and of the catalogue."""

from __future__ import annotations

from services.enrolment.application import standings
from services.enrolment.application.facts import CourseDescribed, CoursePublished
from services.enrolment.application.ports import Books
from services.enrolment.domain import advice
from services.enrolment.domain.advice import Advice, Candidate, Learner
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.practitioners import Practitioner
from shared.clock import london_date


def recommendations(books: Books, person: Practitioner) -> Advice:
    """Return which combinations of courses suit the person today, and why."""
    standing, needs = standings.of_person(books, person.practitioner_id)
    learner = Learner(person.pcf_level, standing, needs.needs if needs else ())
    offered, told, described = books.catalogue.courses(), books.catalogue.titles(), books.catalogue.descriptions()
    catalogue = {
        code: _candidate(offered[code], told[code], described.get(code)) for code in sorted(offered) if code in told
    }
    programmes = {programme.programme: programme.strands for programme in books.catalogue.programmes()}
    return advice.advise(learner, catalogue, programmes, london_date(books.now))


def _candidate(offered: OfferedCourse, told: CoursePublished, described: CourseDescribed | None) -> Candidate:
    known = described or CourseDescribed(told.course, told.owner)
    return Candidate(
        code=offered.code,
        level=offered.level,
        kind=known.kind,
        credits=offered.credits,
        accreditation=told.accreditation,
        accredited_from=known.accredited_from,
        asked=offered.asked,
        in_house_routes=offered.prerequisite_routes,
        develops=known.develops,
        open_intakes=tuple(sorted(intake for intake, cohort in offered.cohorts.items() if not cohort.closed)),
    )
