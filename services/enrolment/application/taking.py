"""Taking nominations, whatever door they came through: decide each row, keep the good ones, ask for their places.

One call is one transaction's worth: the decisions see each other in the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.enrolment.application import announcements, people, standings
from services.enrolment.application.erasure import ERASED_VERDICT, barred
from services.enrolment.application.ports import Desk
from services.enrolment.application.same_person import References
from services.enrolment.domain import enrolments
from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE, OfferedCourse, Verdict, decide
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.lifecycle import NOMINATED, REQUESTED
from services.enrolment.domain.records import ReadRow, Record, fingerprint
from services.enrolment.domain.taken import Taken
from shared.clock import london_date


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row; `enrolment_id` is its own when accepted, the first one's when duplicate, else None."""

    verdict: Verdict
    enrolment_id: str | None = None


def take(desk: Desk, rows: Sequence[ReadRow], *, nominated_by: str | None = None) -> list[Outcome]:
    """Return what became of each row, in their order; the accepted ones are enrolments that ask for a place.

    Where the employer has two stages of approval they are nominations first, which somebody else than `nominated_by`
    approves.
    """
    catalogue = _offered(desk, rows)
    same = References(desk, [row.record for row in rows])
    known = desk.nominations.known([key for row in rows if not row.faults for key in same.keys(row.record)])
    found = standings.of_nominated(desk, [row.record for row in rows], catalogue)
    erased = barred(desk, rows)
    outcomes: list[Outcome] = []
    accepted: list[tuple[Record, Taken]] = []
    for row in rows:
        as_taken, key = same.as_taken(row, known)
        mark = known[key].mark_for(fingerprint(as_taken.record)) if key in known else None
        known_of = found.get(row.record.employee_ref)
        verdict = decide(as_taken, catalogue, mark, known_of)
        if row.record.employee_ref in erased:
            verdict = ERASED_VERDICT
        if verdict.decision == ACCEPTED:
            record = row.record
            days = (record.manager_approved_on, record.prerequisite_on)
            known[key] = Taken(key, fingerprint(record), desk.new_id(), *days)
            accepted.append((row.record, known[key]))
        stands = verdict.decision in (ACCEPTED, DUPLICATE)
        outcomes.append(Outcome(verdict, known[key].enrolment_id if stands else None))
    if accepted:
        _keep(desk, accepted, catalogue, nominated_by)
    return outcomes


def _offered(desk: Desk, rows: Sequence[ReadRow]) -> dict[str, OfferedCourse]:
    """Return the courses that the rows name, as far as there are any; of one course not all the others are read.

    For a single row all that it will be decided by is read on the way.
    """
    named = {row.record.course for row in rows if row.record.course}
    if len(named) > 1:
        return desk.catalogue.courses()
    intake = None
    if len(rows) == 1:
        record = rows[0].record
        intake = record.intake
        if record.course and intake and record.employee_ref:
            desk.nominations.read_ahead(record, desk.person_id(record.employee_ref))
    return {code: course for code in named if (course := desk.catalogue.course(code, intake)) is not None}


def _keep(
    desk: Desk, accepted: Sequence[tuple[Record, Taken]], catalogue: dict[str, OfferedCourse], nominated_by: str | None
) -> None:
    people.keep_described(desk, [record for record, _ in accepted])
    desk.nominations.add([taken for _, taken in accepted])
    status = NOMINATED if desk.settings.find().asks_a_second_person else REQUESTED
    asking = [_enrolment(desk, record, taken, catalogue, (status, nominated_by)) for record, taken in accepted]
    desk.enrolments.add(asking)
    if status == NOMINATED:
        desk.silent("nobody else hears of a nomination before a second person approved it")
        return
    for enrolment in asking:
        announcements.tell_requested(desk, enrolment)


def _enrolment(
    desk: Desk,
    record: Record,
    taken: Taken,
    catalogue: dict[str, OfferedCourse],
    nomination: tuple[str, str | None],
) -> Enrolment:
    course = catalogue[record.course or ""]
    intake = record.intake or ""
    status, nominated_by = nomination
    today = london_date(desk.now)
    enrolment = Enrolment(
        enrolment_id=taken.enrolment_id,
        practitioner_id=desk.own_id(record.employee_ref or ""),
        employee_ref=record.employee_ref or "",
        cohort_owner=course.cohorts[intake].owner,
        course=course.code,
        intake=intake,
        route=record.route or "",
        pcf_level=record.pcf_level or "",
        requested_on=today,
        status=status,
        nominated_by=nominated_by,
    )
    return enrolments.opened(enrolment, today, desk.now)
