"""What a programme lead does with programmes."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from services.enrolment.application.facts import ProgrammeDescribed
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.programmes import Programme


def same_programme(one: Programme, other: Programme) -> bool:
    """Return whether two programmes say the same, whatever their versions."""
    return replace(one, version=0) == replace(other, version=0)


def describe_programme(desk: Desk, wanted: Programme) -> Programme:
    """Return the programme as kept; everybody is told when anything changed.

    Raises:
        RuleSaysNo: It has a course that its owner does not offer.
    """
    known = desk.programmes.find(wanted.code)
    if known is not None and same_programme(known, wanted):
        return known
    named = dict.fromkeys(code for strand in wanted.strands for code in strand.courses)
    missing = [code for code in named if desk.courses.find(code) is None]
    if missing:
        raise RuleSaysNo(f"there is no course {missing[0]}: publish it first")
    kept = desk.programmes.save(replace(wanted, version=known.version if known else 0))
    told = events.ProgrammeDescribed(kept.code, kept.title, desk.organisation, kept.delivery, kept.strands)
    desk.tell(told, kept.version)
    desk.catalogue.put_programme(msgspec.convert(msgspec.to_builtins(told), ProgrammeDescribed))
    return kept
