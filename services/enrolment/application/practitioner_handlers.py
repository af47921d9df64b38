"""What an employer does with its practitioners: details, line managers, employments, absences, identity's release."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.enrolment.application import people
from services.enrolment.application.commands import (
    AssignLineManager,
    ReleaseIdentity,
)
from services.enrolment.application.duplicates import find_person
from services.enrolment.application.ports import Desk, EnrolmentFilter
from services.enrolment.domain import employments, identifiers, practitioners
from services.enrolment.domain.employments import Absence, Employment
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo
from services.enrolment.domain.identifiers import HcpcNumber
from services.enrolment.domain.lifecycle import IS_KNOWN_TO_UNIVERSITY
from services.enrolment.domain.practitioners import LineManager, Practitioner, Telling
from services.enrolment.domain.records import ACADEMIC

REGISTRATION = "registration"
TAKEN = "taken"
REPEATED = "repeated"
OLDER = "older"
ANSWERS = (TAKEN, REPEATED, OLDER)
"""What a dated message of a person was: news, known, or a word about a day before the last one told of."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers to keep of a person; what is not in `said` stays as it is."""

    said: frozenset[str] = frozenset()
    hcpc_numbers: tuple[HcpcNumber, ...] = ()
    uln: str | None = None
    husid: str | None = None
    sid: str | None = None


def keep_practitioner(
    desk: Desk,
    described: Practitioner,
    line_manager_ref: str | None,
    telling: Telling | None = None,
    numbers: Numbers | None = None,
) -> Practitioner:
    """Return the person as kept; a line manager counts from the day that is told.

    Where none is told, a first line manager counts from the start of employment, another one from today.

    Raises:
        RuleSaysNo: A number's form or check digit is wrong, or somebody would manage themselves.
    """
    known = desk.people.find(described.practitioner_id)
    telling = telling or people.telling_now(desk)
    person = practitioners.described_again(known, described) if known else described
    told_at = practitioners.told_under(telling, known, described.employee_ref)
    person = practitioners.described_on(known, person, told_at)
    person = _numbered(person, numbers or Numbers(), desk.now)
    if line_manager_ref is not None:
        person = _managed(desk, person, line_manager_ref, telling)
    return _kept(desk, known, person)


def tell_message(
    desk: Desk, described: Practitioner, line_manager_ref: str | None, telling: Telling, numbers: Numbers
) -> tuple[Practitioner, str]:
    """Return the person as kept, and what their dated message was: taken, repeated, or older than what stands.

    Raises:
        RuleSaysNo: A number's form or check digit is wrong, or somebody would manage themselves.
        PersonErased: Nobody keeps anything of this person any more.
    """
    known = desk.people.find(described.practitioner_id)
    kept = keep_practitioner(desk, described, line_manager_ref, telling, numbers)
    if known is None:
        return kept, TAKEN
    if kept == known:
        return kept, REPEATED
    spoken = (telling.effective_on or telling.today, telling.said_at or telling.at)
    last = known.statements[-1] if known.statements else None
    return kept, OLDER if last is not None and spoken < (last.effective_on, last.said_at) else TAKEN


def _managed(desk: Desk, person: Practitioner, line_manager_ref: str, telling: Telling) -> Practitioner:
    manager_id = desk.person_id(line_manager_ref)
    if manager_id == person.practitioner_id:
        raise RuleSaysNo("nobody is their own line manager", about="line_manager_ref")
    if telling.effective_on is not None:
        said_at = telling.said_at or desk.now
        manager = LineManager(line_manager_ref, manager_id, telling.effective_on, desk.now, said_at, telling.source_ref)
        return practitioners.manager_told(person, manager)
    first_on = None if person.line_managers else person.employment_start
    from_on = first_on or telling.today
    standing = practitioners.manager_on(person, from_on)
    if standing is not None and standing.line_manager_id == manager_id:
        return person
    return practitioners.managed_by(person, LineManager(line_manager_ref, manager_id, from_on, desk.now))


def assign_line_manager(desk: Desk, command: AssignLineManager) -> Practitioner:
    """Return the person with their line manager from that day on.

    Raises:
        NoSuchThing: There is no such practitioner.
        RuleSaysNo: Somebody would manage themselves.
    """
    known = find_person(desk, command.employee_ref)
    manager_id = desk.person_id(command.line_manager_ref) if command.line_manager_ref else None
    if manager_id == known.practitioner_id:
        raise RuleSaysNo("nobody is their own line manager", about="line_manager_ref")
    manager = LineManager(command.line_manager_ref, manager_id, command.from_on, desk.now)
    return _kept(desk, known, practitioners.managed_by(known, manager))


def tell_employment(
    desk: Desk, name: str, started_on: date, ended_on: date | None, reason: str | None, *, stands: bool = True
) -> Practitioner:
    """Return the person with an employment from that day on, its end, or without it where it never was.

    Raises:
        NoSuchThing: There is no such practitioner, or no such employment to take back.
        RuleSaysNo: It overlaps another, or ends before it begins.
    """
    known = find_person(desk, name)
    told = known.employments
    if not told and known.employment_start is not None:
        told = (Employment(known.employment_start, desk.now),)
    if not stands and all(one.started_on != started_on for one in employments.employments_at(told)):
        raise NoSuchThing("no such employment")
    new = Employment(started_on, desk.now, ended_on, reason if ended_on else None, stands=stands)
    person = replace(known, employments=employments.told_employment(told, new))
    return _kept(desk, known, practitioners.on_day(person, people.telling_now(desk).today))


def tell_absence(desk: Desk, name: str, from_on: date, until_on: date | None, *, stands: bool = True) -> Practitioner:
    """Return the person with an absence from that day on, its end, or without it where it never was.

    Raises:
        NoSuchThing: There is no such practitioner, or no such absence to take back.
        RuleSaysNo: It ends before it begins.
    """
    known = find_person(desk, name)
    if not stands and all(one.from_on != from_on for one in employments.absences_at(known.absences)):
        raise NoSuchThing("no such absence")
    new = Absence(from_on, desk.now, until_on, stands=stands)
    return _kept(desk, known, replace(known, absences=employments.told_absence(known.absences, new)))


def _numbered(person: Practitioner, numbers: Numbers, at: datetime) -> Practitioner:
    identifiers.checked(numbers.uln, numbers.husid, numbers.sid)
    said = {name: getattr(numbers, name) for name in numbers.said}
    if "hcpc_numbers" in said:
        said["hcpc_numbers"] = identifiers.hcpc_told(person.hcpc_numbers, numbers.hcpc_numbers, at)
    return replace(person, **said)


def _kept(desk: Desk, known: Practitioner | None, person: Practitioner) -> Practitioner:
    if person == known:
        return known
    kept = desk.people.save([person])[0]
    if not people.tell(desk, known, kept):
        desk.silent("a person's details stay with their employer")
    return kept


def release_identity(desk: Desk, command: ReleaseIdentity) -> Practitioner:
    """Return the person whose identity is released, after writing down who asked and why.

    Raises:
        NoSuchThing: There is nobody of that id, or the asker awards no credit for a place that they have, or had to its
            end.
    """
    person = desk.people.find(command.practitioner_id)
    if person is None or command.purpose != REGISTRATION:
        raise NoSuchThing("nothing to release")
    courses = desk.catalogue.courses()
    wanted = EnrolmentFilter(practitioner_id=command.practitioner_id)
    held = desk.enrolments.page(None, 200, wanted)
    awarding = {
        course.awarding_hei
        for enrolment in held
        if enrolment.status in IS_KNOWN_TO_UNIVERSITY
        and enrolment.route == ACADEMIC
        and (course := courses.get(enrolment.course)) is not None
    }
    if command.asking not in awarding:
        raise NoSuchThing("nothing to release")
    desk.silent("the employer's own record of who was told, and why")
    desk.people.log_release(command.practitioner_id, command.asking, command.purpose)
    return person
