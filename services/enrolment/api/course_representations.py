"""How courses, the catalogue, programmes and advice look as JSON. No decision here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from services.enrolment.application.facts import CohortTermsSet, CourseDescribed, CoursePublished, ProgrammeDescribed
from services.enrolment.domain.advice import Advice
from services.enrolment.domain.courses import BITE_SIZE_MINUTES, Course, Handbook, handbook_on
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.domain.learning_needs import Background, LearningNeeds
from services.enrolment.domain.programmes import Programme

Body = dict[str, Any]


def course(found: Course, owner: str) -> Body:
    """Return a course as its owner sees it."""
    return {**_without(found, "version"), "owner": owner}


def handbook(found: Handbook) -> Body:
    """Return one version of a handbook."""
    return _without(found)


def catalogue_course(
    told: CoursePublished,
    offered: OfferedCourse,
    said: CourseDescribed | None,
    terms: Mapping[tuple[str, str], CohortTermsSet],
    on: date,
) -> Body:
    """Return a course with its cohorts as everybody sees it on a day."""
    known = said or CourseDescribed(told.course, told.owner)
    cohorts = [
        _catalogue_cohort(intake, cohort, terms.get((told.course, intake)))
        for intake, cohort in sorted(offered.cohorts.items())
    ]
    body: Body = msgspec.to_builtins(told)
    body["code"] = body.pop("course")
    in_force = handbook_on(known.handbooks, on)
    return {
        **body,
        "accredited_from": known.accredited_from.isoformat() if known.accredited_from else None,
        "kind": known.kind,
        "minutes": known.minutes,
        "bite_size": known.minutes is not None and known.minutes <= BITE_SIZE_MINUTES,
        "cpd_pieces": known.cpd_pieces,
        "cpd_pieces_with_peers": known.cpd_pieces_with_peers,
        "micro_credential_by": known.micro_credential_by,
        "develops": _all(known.develops),
        "handbook": handbook(in_force) if in_force else None,
        "handbooks": _all(known.handbooks),
        "eligibility": _without(offered.asked),
        "cohorts": cohorts,
    }


def _catalogue_cohort(intake: str, cohort: OfferedCohort, terms: CohortTermsSet | None) -> Body:
    """Return a cohort with its days, and who may have how many of its seats, as its owner told it."""
    said = terms if terms is not None and terms.owner == cohort.owner else None
    return {
        "intake": intake,
        "owner": cohort.owner,
        "capacity": cohort.capacity,
        "closed": cohort.closed,
        "starts_on": said.starts_on.isoformat() if said and said.starts_on else None,
        "ends_on": said.ends_on.isoformat() if said and said.ends_on else None,
        "invited": list(said.invited) if said and said.invited is not None else None,
        "quotas": msgspec.to_builtins(said.quotas) if said else [],
    }


def programme(found: Programme, owner: str) -> Body:
    """Return a programme as its owner sees it."""
    return {**_without(found, "version"), "owner": owner}


def known_programme(told: ProgrammeDescribed) -> Body:
    """Return a programme as everybody sees it."""
    body: Body = msgspec.to_builtins(told)
    body["code"] = body.pop("programme")
    return body


def needs(found: LearningNeeds) -> Body:
    """Return a self-audit."""
    return _without(found, "version")


def background(found: Background) -> Body:
    """Return what HR vouches for."""
    return _without(found, "version")


def recommendations(practitioner_id: str, found: Advice) -> Body:
    """Return the advice for a person, the most fitting combination first, and why other courses are left out."""
    return {
        "practitioner_id": practitioner_id,
        "items": _all(found.combinations),
        "left_out": _all(found.left_out),
        "next": None,
    }


def _all(values: Iterable[object]) -> list[Body]:
    return [_without(value) for value in values]


def _without(value: object, *names: str) -> Body:
    found: Body = msgspec.to_builtins(value)
    return {name: each for name, each in found.items() if name not in names}
