"""Taking nominations, whatever door they came through: decide each row, keep the good ones, ask for their places.

One call is one transaction's worth: the decisions see each other in the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.enrolment.application.ports import Desk, Taken
from services.enrolment.domain import practitioners
from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE, OfferedCourse, Verdict, decide
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.events import LineManagerAssigned, Requested
from services.enrolment.domain.practitioners import LineManager, Practitioner
from services.enrolment.domain.records import ReadRow, Record, fingerprint, nomination_key
from shared.clock import london_date


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row; `enrolment_id` is its own when accepted, the first one's when duplicate, else None."""

    verdict: Verdict
    enrolment_id: str | None = None


def take(desk: Desk, rows: Sequence[ReadRow]) -> list[Outcome]:
    """Return what became of each row, in their order; the accepted ones are enrolments that ask for a place."""
    catalogue = desk.catalogue.courses()
    known = desk.nominations.known([nomination_key(row.record) for row in rows if not row.faults])
    outcomes: list[Outcome] = []
    accepted: list[tuple[Record, Taken]] = []
    for row in rows:
        key = nomination_key(row.record)
        before = known.get(key)
        verdict = decide(row, catalogue, before.fingerprint if before else None)
        if verdict.decision == ACCEPTED:
            known[key] = Taken(key, fingerprint(row.record), desk.new_id())
            accepted.append((row.record, known[key]))
        stands = verdict.decision in (ACCEPTED, DUPLICATE)
        outcomes.append(Outcome(verdict, known[key].enrolment_id if stands else None))
    if accepted:
        _keep(desk, accepted, catalogue)
    return outcomes


def _keep(desk: Desk, accepted: Sequence[tuple[Record, Taken]], catalogue: dict[str, OfferedCourse]) -> None:
    _keep_people(desk, [record for record, _ in accepted])
    desk.nominations.add([taken for _, taken in accepted])
    enrolments = [_enrolment(desk, record, taken, catalogue) for record, taken in accepted]
    desk.enrolments.add(enrolments)
    for enrolment in enrolments:
        desk.tell(_requested(enrolment), enrolment.version)


def _keep_people(desk: Desk, described: Sequence[Record]) -> None:
    """Keep who was described, each once, and tell of line managers that are new."""
    ids = [desk.person_id(record.employee_ref or "") for record in described]
    people: dict[str, Practitioner] = dict(desk.people.many(list(dict.fromkeys(ids))))
    before = dict(people)
    for practitioner_id, record in zip(ids, described, strict=True):
        person = practitioners.from_record(practitioner_id, record)
        known = people.get(practitioner_id)
        if known is not None:
            person = practitioners.described_again(known, person)
        people[practitioner_id] = _managed(desk, person, record)
    changed = [person for name, person in people.items() if person != before.get(name)]
    for kept in desk.people.save(changed):
        told = before[kept.practitioner_id].line_managers if kept.practitioner_id in before else ()
        for manager in kept.line_managers:
            if manager not in told:
                desk.tell(
                    LineManagerAssigned(kept.practitioner_id, manager.line_manager_id, manager.from_on), kept.version
                )


def _managed(desk: Desk, person: Practitioner, record: Record) -> Practitioner:
    """Return the person with the record's line manager, if that is news.

    The first record says who manages from the start of employment; a later one that names somebody else speaks of the
    day on which the nomination was approved. That nobody manages somebody from the start is told as well: whoever is
    named later was not the manager before.
    """
    first = not person.line_managers
    if record.employment_start is None or (record.line_manager_ref is None and not first):
        return person
    if record.line_manager_ref is None:
        return practitioners.managed_by(person, LineManager(None, None, record.employment_start))
    manager_id = desk.person_id(record.line_manager_ref)
    from_on = record.employment_start if first else record.manager_approved_on or record.employment_start
    if any(known.line_manager_id == manager_id for known in person.line_managers):
        return person
    return practitioners.managed_by(person, LineManager(record.line_manager_ref, manager_id, from_on))


def _enrolment(desk: Desk, record: Record, taken: Taken, catalogue: dict[str, OfferedCourse]) -> Enrolment:
    course = catalogue[record.course or ""]
    intake = record.intake or ""
    return Enrolment(
        enrolment_id=taken.enrolment_id,
        practitioner_id=desk.person_id(record.employee_ref or ""),
        employee_ref=record.employee_ref or "",
        cohort_owner=course.cohorts[intake].owner,
        course=course.code,
        intake=intake,
        route=record.route or "",
        pcf_level=record.pcf_level or "",
        requested_on=london_date(desk.now),
    )


def _requested(enrolment: Enrolment) -> Requested:
    return Requested(
        enrolment_id=enrolment.enrolment_id,
        practitioner_id=enrolment.practitioner_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        requested_on=enrolment.requested_on,
    )
