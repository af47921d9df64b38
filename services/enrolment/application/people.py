"""Keeping people, whatever door their description came through, and telling others what they may know of it."""

from __future__ import annotations

from collections.abc import Sequence

from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain import practitioners
from services.enrolment.domain.employments import absences_at, employments_at
from services.enrolment.domain.events import AbsentDays, EmploymentDated, LineManagerAssigned
from services.enrolment.domain.practitioners import LineManager, Practitioner, Telling
from services.enrolment.domain.records import Record
from shared.clock import london_date


def telling_now(desk: Books) -> Telling:
    """Return what says that something is told now and names no day."""
    return Telling(at=desk.now, today=london_date(desk.now))


def keep_described(desk: Desk, described: Sequence[Record]) -> None:
    """Keep who is described by taken records, each once, and tell what others may know.

    Of whom there is no news is held all the same, so that nobody merges, or nominates under another name, meanwhile.
    """
    ids = [desk.person_id(record.employee_ref or "") for record in described]
    people: dict[str, Practitioner] = dict(desk.people.many(list(dict.fromkeys(ids))))
    before = dict(people)
    telling = telling_now(desk)
    for practitioner_id, record in zip(ids, described, strict=True):
        known = people.get(practitioner_id)
        person = practitioners.from_record(practitioner_id, record)
        if known is not None:
            person = practitioners.described_again(known, person)
        told = practitioners.told_under(telling, known, record.employee_ref or "")
        person = practitioners.described_on(known, person, told)
        people[practitioner_id] = _managed(desk, person, record)
    changed = [person for name, person in people.items() if person != before.get(name)]
    desk.people.hold([name for name, person in people.items() if person == before.get(name)])
    for kept in desk.people.save(changed):
        tell(desk, before.get(kept.practitioner_id), kept)


def tell(desk: Desk, before: Practitioner | None, kept: Practitioner) -> bool:
    """Tell what is new of a kept person to those who may know; return whether there was anything.

    A first employment is not told by itself where its first line manager is: that one counts from the same day.
    """
    news = practitioners.managers_to_tell(before, kept)
    for manager in news:
        desk.tell(LineManagerAssigned(kept.practitioner_id, manager.line_manager_id, manager.from_on), kept.version)
    if news:
        _tell_of_merged(desk, kept, news)
    dates = _employment_dates(kept)
    first_on = news[0].from_on if before is None and news and not kept.absences else None
    is_told_by_manager = dates is not None and first_on == dates.started_on
    if dates is None or is_told_by_manager or (before is not None and dates == _employment_dates(before)):
        return bool(news)
    desk.tell(dates, kept.version)
    return True


def _tell_of_merged(desk: Desk, kept: Practitioner, news: Sequence[LineManager]) -> None:
    """Tell the same managers under every id that leads to this person: others know their work under the old id."""
    for other in desk.people.merged_into(kept.practitioner_id):
        also = other
        for manager in news:
            also = practitioners.managed_by(also, manager)
        if also == other:
            continue
        saved = desk.people.save([also])[0]
        for manager in news:
            if manager not in other.line_managers:
                desk.tell(
                    LineManagerAssigned(saved.practitioner_id, manager.line_manager_id, manager.from_on), saved.version
                )


def _employment_dates(person: Practitioner) -> EmploymentDated | None:
    """Return what others may know of the latest employment; absences only where days are counted by them.

    Source: BR-26; only a newly qualified person's supervision is counted in days.
    """
    known = employments_at(person.employments)
    if not known:
        return None
    absences = absences_at(person.absences) if practitioners.has_been_newly_qualified(person) else ()
    return EmploymentDated(
        practitioner_id=person.practitioner_id,
        started_on=known[-1].started_on,
        ended_on=known[-1].ended_on,
        absences=tuple(AbsentDays(one.from_on, one.until_on) for one in absences),
    )


def _managed(desk: Desk, person: Practitioner, record: Record) -> Practitioner:
    """Return the person with the record's line manager, if that is news.

    The first record says who manages from the start of employment; a later one speaks of the day on which the
    nomination was approved, and is news where it names somebody else than who manages on that day. That nobody manages
    somebody from the start is told as well: whoever is named later was not the manager before.
    """
    first = not person.line_managers
    if record.employment_start is None or (record.line_manager_ref is None and not first):
        return person
    if record.line_manager_ref is None:
        return practitioners.managed_by(person, LineManager(None, None, record.employment_start, desk.now))
    manager_id = desk.person_id(record.line_manager_ref)
    from_on = record.employment_start if first else record.manager_approved_on or record.employment_start
    standing = None if first else practitioners.manager_on(person, from_on) or person.line_managers[0]
    if standing is not None and standing.line_manager_id == manager_id:
        return person
    return practitioners.managed_by(person, LineManager(record.line_manager_ref, manager_id, from_on, desk.now))
