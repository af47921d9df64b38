"""What everybody sees of courses: the catalogue with cohorts and programmes, one course with what it asks for."""

from __future__ import annotations

from typing import Final

from flask import request

from services.enrolment.application import queries
from services.enrolment.application.facts import CourseDescribed
from services.enrolment.application.ports import Books
from services.enrolment.domain.courses import BITE_SIZE_MINUTES, COURSE_LEVELS, handbook_on
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.domain.eligibility import AFTER_ASYE
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.programmes import Strand
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web import people_wording
from services.enrolment.web.asking import may_do, today
from services.enrolment.web.rooms import books, names
from shared.http import current_service
from shared.web import Page, PageRoutes, blank, page, page_read, who_asks

course_pages = PageRoutes("course_pages", __name__)

DONE: Final = {
    "published": "The course is published. Open an intake, so that people can be nominated.",
    "changed": "The course is kept. Every employer is told what changed.",
}
ACCREDITATION: Final = {
    "none": ("No credit", "grey"),
    "pending": ("Accreditation pending", "yellow"),
    "approved": ("Accredited", "green"),
}


@course_pages.show("/courses", "catalogue.read")
def courses() -> Page:
    """Show every published course, narrowed by level, and the programmes."""
    level = request.args.get("level", "")
    return page_read(lambda reading: _list(books(reading), level))


def _list(at: Books, level: str) -> Page:
    found = queries.catalogue(at, lambda told, offered: (told, offered))
    described = at.catalogue.descriptions()
    wanted = level if level in COURSE_LEVELS else None
    rows = [
        [
            {"text": told.title, "href": f"/courses/{told.course}"},
            told.course,
            words.said(words.LEVELS, offered.level),
            _length(offered, described.get(told.course)),
            ", ".join(intake for intake, cohort in sorted(offered.cohorts.items()) if not cohort.closed) or "–",
            {"tag": ACCREDITATION.get(told.accreditation, (told.accreditation, "grey"))},
        ]
        for told, offered in found
        if wanted is None or offered.level in ("ALL", wanted)
    ]
    called = names()
    programmes = [
        [one.title, called.get(one.owner, one.owner), "; ".join(_strand(strand) for strand in one.strands)]
        for one in at.catalogue.programmes()
    ]
    return page(
        "courses/list.html",
        form=blank(level=level),
        rows=rows,
        total=len(found),
        levels=words.options(words.LEVELS, COURSE_LEVELS),
        programmes=programmes,
        may_publish=may_do("courses.publish")
        and current_service().partnership.has_role(who_asks().organisation, "programme_lead"),
    )


def _strand(strand: Strand) -> str:
    return f"{words.said(words.LEVELS, strand.level)}: {', '.join(strand.courses)}"


def _length(offered: OfferedCourse, said: CourseDescribed | None) -> str:
    if offered.credits:
        return f"{offered.credits} credits"
    if said is None or said.minutes is None:
        return "–"
    bite = ", bite-size" if said.minutes <= BITE_SIZE_MINUTES else ""
    return f"{said.minutes} minutes{bite}"


@course_pages.show("/courses/<code>", "catalogue.read")
def course(code: str) -> Page:
    """Show one course: what it is, what it asks for, and its intakes."""
    return page_read(lambda reading: _one(books(reading), code))


def _one(at: Books, code: str) -> Page:
    told, offered = at.catalogue.titles().get(code), at.catalogue.course(code)
    if told is None or offered is None:
        raise NoSuchThing("no such course")
    said, called = at.catalogue.descriptions().get(code), names()
    handbook = handbook_on(said.handbooks, today()) if said else None
    rows = [
        ("Code", code),
        ("Offered by", called.get(told.owner, told.owner)),
        ("What it is", words.said(words.COURSE_KINDS, said.kind) if said else None),
        ("Level", words.said(words.LEVELS, offered.level)),
        ("Routes", ", ".join(words.said(words.ROUTES, route) for route in offered.routes)),
        ("Length", _length(offered, said)),
        ("University", called.get(offered.awarding_hei or "", offered.awarding_hei)),
        ("Handbook", f"{handbook.version}, in force since {handbook.valid_from}" if handbook else None),
    ]
    leads = may_do("courses.read") and told.owner == who_asks().organisation
    terms = at.news.terms()
    cohorts = []
    for intake, cohort in sorted(offered.cohorts.items()):
        known = terms.get((code, intake))
        link = {"text": intake, "href": f"/courses/{code}/cohorts/{intake}"} if leads else intake
        tag = ("Closed", "grey") if cohort.closed else ("Open", "green")
        days = {"from": known.starts_on if known else None, "until": known.ends_on if known else None}
        cohorts.append(
            [link, days, {"text": cohort.capacity, "number": True}, _quota(at, code, intake, cohort), {"tag": tag}]
        )
    return page(
        "courses/one.html",
        code=code,
        title=told.title,
        tag=ACCREDITATION.get(told.accreditation, (told.accreditation, "grey")),
        rows=[row for row in rows if row[1]],
        asks=_asks(offered),
        cohorts=cohorts,
        may_open=may_do("cohorts.open") and told.owner == who_asks().organisation,
        may_change=may_do("courses.publish") and told.owner == who_asks().organisation,
        done=DONE.get(request.args.get("done", "")),
        may_nominate=may_do("enrolments.create"),
    )


def _quota(at: Books, code: str, intake: str, cohort: OfferedCohort) -> str:
    """Return what the viewer's own organisation may have of the seats."""
    known = at.news.terms().get((code, intake))
    if known is None or known.owner != cohort.owner:
        return "–"
    own = who_asks().organisation
    if known.invited is not None and own not in known.invited:
        return "Not invited"
    quota = next((one for one in known.quotas if one.employer == own), None)
    if quota is None:
        return "No limit"
    limit = f"at most {quota.at_most}" if quota.at_most is not None else "no limit"
    return f"{limit}, {quota.reserved} reserved" if quota.reserved else limit.capitalize()


def _asks(offered: OfferedCourse) -> list[str]:
    """Return what the course asks of whoever takes it, in sentences."""
    asked, found = offered.asked, []
    for code in asked.after:
        found.append("It comes after the ASYE" if code == AFTER_ASYE else f"It comes after {code}")
    found += [f"{first.course} comes first" for first in asked.courses_first]
    if asked.roles:
        found.append(f"It is for: {', '.join(words.said(people_wording.ROLES, role) for role in asked.roles)}")
    if asked.rated_domains:
        domains = ", ".join(str(number) for number in asked.rated_domains)
        found.append(f"Domains {domains} of the framework are rated first")
    if offered.prerequisite_routes:
        routes = ", ".join(words.said(words.ROUTES, route).lower() for route in offered.prerequisite_routes)
        found.append(f"Something has to be met in-house first, on: {routes}")
    return found
