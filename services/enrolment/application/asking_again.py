"""Asking again for somebody whose earlier enrolment in the same intake came to nothing: a new enrolment, on purpose.

A repeated row stays what it is (a duplicate of what was taken); only this command, and taking somebody on with another
employer's place, put a new enrolment under the same nomination. Rule: decision 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.application import announcements, standings, taken_records
from services.enrolment.application.erasure import barred
from services.enrolment.application.handlers import of_employer
from services.enrolment.application.ports import Books, Desk
from services.enrolment.application.same_person import References
from services.enrolment.domain import enrolments, lifecycle, told_days
from services.enrolment.domain.decisions import decide
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import RecordRefused, RuleSaysNo, WrongState
from services.enrolment.domain.lifecycle import NOMINATED, REQUESTED
from services.enrolment.domain.records import ReadRow, Record, fingerprint, nomination_key
from services.enrolment.domain.taken import Taken
from services.enrolment.domain.told_days import Around
from shared.clock import london_date
from shared.errors import Fault


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Ask for a place again, as the manager approved on a day; `by` is who asks."""

    enrolment_id: str
    manager_approved_on: date
    by: str | None = None


def ask_again(desk: Desk, command: AskAgain) -> Enrolment:
    """Return a new enrolment for the same person, intake and route, decided by the same rules as a nomination.

    Raises:
        NoSuchThing: There is no enrolment of that id.
        WrongState: It did not come to nothing, or a later one of the person in this intake lives or was finished.
        RuleSaysNo: The approval lies in the future, before the earlier one, or the person is not known any more.
        RecordRefused: A nomination would be refused today; with every fault.
    """
    before = of_employer(desk, command.enrolment_id)
    taken = may_be_asked_again(desk, before)
    today = london_date(desk.now)
    earlier = taken[0].of(before.enrolment_id) if taken else None
    told_days.held_approval(
        command.manager_approved_on, Around(today, earlier.manager_approved_on if earlier else None)
    )
    record = _record(desk, before, earlier, command)
    enrolment_id = desk.new_id()
    days = (record.manager_approved_on, record.prerequisite_on)
    keep(desk, Taken(nomination_key(record), fingerprint(record), enrolment_id, *days))
    desk.people.hold([desk.person_id(before.employee_ref)])
    status = NOMINATED if desk.settings.find().asks_a_second_person else REQUESTED
    asking = Enrolment(
        enrolment_id=enrolment_id,
        practitioner_id=desk.own_id(before.employee_ref),
        employee_ref=before.employee_ref,
        cohort_owner=desk.catalogue.courses()[before.course].cohorts[before.intake].owner,
        course=before.course,
        intake=before.intake,
        route=before.route,
        pcf_level=before.pcf_level,
        requested_on=today,
        status=status,
        nominated_by=command.by,
        asked_again_after=before.enrolment_id,
    )
    enrolment = enrolments.opened(asking, today, desk.now)
    desk.enrolments.add([enrolment])
    if status == NOMINATED:
        desk.silent("nobody else hears of a nomination before a second person approved it")
    else:
        announcements.tell_requested(desk, enrolment)
    return enrolment


def may_be_asked_again(books: Books, before: Enrolment) -> list[Taken]:
    """Return what was taken for this person and intake, which all came to nothing.

    Raises:
        WrongState: It did not come to nothing, or a later one of the person in this intake lives or was finished.
    """
    if before.status not in lifecycle.CAME_TO_NOTHING:
        raise WrongState(
            f"this enrolment is {before.status}: only what was withdrawn, refused or declined is asked again"
        )
    place = Record(employee_ref=before.employee_ref, course=before.course, intake=before.intake)
    return nothing_lives(books, References(books, [place]).keys(place), lifecycle.CAME_TO_NOTHING)


def nothing_lives(books: Books, keys: Sequence[str], may_follow: frozenset[str]) -> list[Taken]:
    """Return what was taken under these keys, whose latest enrolments all ended so that another may follow.

    Raises:
        WrongState: One lives, or was finished.
    """
    known = books.nominations.known(keys)
    found = [known[key] for key in keys if key in known]
    for taken in found:
        latest = books.enrolments.find(taken.enrolment_id)
        if latest is not None and latest.status not in may_follow:
            raise WrongState(
                f"this person was nominated for this intake here already, and that is {latest.status}; "
                "go on with it, or withdraw it first"
            )
    return found


def keep(desk: Desk, taken: Taken) -> None:
    """Keep what stands under a nomination from now on; what stood there before is still known as a duplicate."""
    before = desk.nominations.known([taken.key]).get(taken.key)
    if before is None:
        desk.nominations.add([taken])
    else:
        desk.nominations.replace(taken.following(before))


def _record(desk: Desk, before: Enrolment, earlier: Taken | None, command: AskAgain) -> Record:
    person = desk.people.find(desk.person_id(before.employee_ref))
    if person is None:
        raise RuleSaysNo("this person is not known here any more; nominate them with their details")
    prerequisites = [each.prerequisite_on for each in before.route_changes if each.prerequisite_on]
    told = taken_records.record_of(before, person, earlier)
    record = replace(
        told,
        route=before.route,
        manager_approved_on=command.manager_approved_on,
        prerequisite_on=prerequisites[-1] if prerequisites else told.prerequisite_on,
    )
    row = ReadRow(1, record)
    if barred(desk, [row]):
        raise RuleSaysNo("this person was erased here; nobody is nominated again under this reference")
    catalogue = desk.catalogue.courses()
    known = standings.of_nominated(desk, [record], catalogue).get(record.employee_ref)
    verdict = decide(row, catalogue, None, known)
    if verdict.faults:
        faults = tuple(Fault(fault.code, fault.detail, pointer=_asked_of(fault.field)) for fault in verdict.faults)
        raise RecordRefused(f"refused: {', '.join(verdict.codes)}", faults=faults)
    return record


def _asked_of(field: str) -> str | None:
    """Return where a fault is in what was sent: only the day of approval is, the rest of the record is known here."""
    return f"/{field}" if field == "manager_approved_on" else None
