"""What the two employers of a transfer do: give a place over, take the person on, or not.

The person's place moves; what the old employer wrote down about them stays there. The owner's side, and what each
hears of the other, is in `transfer_reactions`. Rule: decision 16.
"""

from __future__ import annotations

from services.enrolment.application import asking_again, people, standings
from services.enrolment.application.commands import GiveOver, TakeOn
from services.enrolment.application.handlers import around_days, of_employer
from services.enrolment.application.ports import Desk
from services.enrolment.application.same_person import References
from services.enrolment.domain import decisions, enrolments, events, lifecycle, told_days, transfers
from services.enrolment.domain.enrolment_parts import Origin
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RecordRefused, RuleSaysNo
from services.enrolment.domain.records import Record, fingerprint, nomination_key
from services.enrolment.domain.taken import Taken
from services.enrolment.domain.transfers import Incoming
from shared.clock import london_date
from shared.errors import Fault

KNOWN_HERE = "transferred"
"""Stands for the fingerprint of a nomination that no record made; every record for the same place differs from it."""


def give_over(desk: Desk, command: GiveOver) -> Enrolment:
    """Return the enrolment given over to another employer, which the cohort's owner tells.

    Raises:
        RuleSaysNo: That is no other employer of this partnership, or the day cannot be.
    """
    before = of_employer(desk, command.enrolment_id)
    if command.to_employer not in command.employers or command.to_employer == desk.organisation:
        raise RuleSaysNo("give the name of another employer of this partnership", about="to_employer")
    after = enrolments.transfer(
        before,
        command.to_employer,
        command.reason,
        command.transferred_on,
        desk.settings.find(),
        desk.now,
        london_date(desk.now),
    )
    told_days.held_end(before, command.transferred_on, around_days(desk, before), "transferred_on")
    desk.enrolments.save(after)
    accept_by = after.transfer.accept_by if after.transfer else command.transferred_on
    told = events.Transferred(
        enrolment_id=after.enrolment_id,
        cohort_owner=after.cohort_owner,
        course=after.course,
        intake=after.intake,
        route=after.route,
        pcf_level=after.pcf_level,
        to_employer=command.to_employer,
        transferred_on=command.transferred_on,
        accept_by=accept_by,
    )
    desk.tell(told, after.version)
    return after


def take_on(desk: Desk, command: TakeOn) -> tuple[Incoming, Enrolment]:
    """Return the transfer accepted, and the new enrolment that asks the owner for the old one's place.

    Raises:
        NoSuchThing: Nothing of that id was given over to this employer.
        WrongState: It was answered before, or the person has an enrolment in this intake already.
        RuleSaysNo: Its last day is over, or the person is not known here and not described.
        RecordRefused: The description has faults, or the course is not for this employer's person.
    """
    incoming = _incoming(desk, command.from_enrolment_id)
    today = london_date(desk.now)
    enrolment_id = desk.new_id()
    accepted = transfers.accept(incoming, enrolment_id, today)
    record = _described(desk, command)
    _may_be_taken_on(desk, command, incoming)
    place = Record(employee_ref=command.employee_ref, course=incoming.course, intake=incoming.intake)
    key = nomination_key(place)
    asking_again.nothing_lives(desk, References(desk, [place]).keys(place), lifecycle.MAY_BE_TAKEN_ON)
    if record is not None:
        people.keep_described(desk, [record])
    else:
        desk.people.hold([desk.person_id(command.employee_ref)])  # nobody merges them, or nominates them, meanwhile
    asking_again.keep(desk, Taken(key, fingerprint(record) if record else KNOWN_HERE, enrolment_id))
    enrolment = enrolments.opened(
        Enrolment(
            enrolment_id=enrolment_id,
            practitioner_id=desk.own_id(command.employee_ref),
            employee_ref=command.employee_ref,
            cohort_owner=incoming.cohort_owner,
            course=incoming.course,
            intake=incoming.intake,
            route=incoming.route,
            pcf_level=incoming.pcf_level,
            requested_on=today,
            transferred_from=Origin(incoming.from_employer, incoming.from_enrolment_id),
        ),
        today,
        desk.now,
    )
    desk.enrolments.add([enrolment])
    kept = desk.incoming.save(accepted)
    told = events.TransferAccepted(
        enrolment_id=enrolment_id,
        practitioner_id=enrolment.practitioner_id,
        from_enrolment_id=incoming.from_enrolment_id,
        from_employer=incoming.from_employer,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        requested_on=today,
    )
    desk.tell(told, enrolment.version)
    return kept, enrolment


def turn_away(desk: Desk, from_enrolment_id: str) -> Incoming:
    """Return the transfer refused; the place goes back to the cohort.

    Raises:
        NoSuchThing: Nothing of that id was given over to this employer.
        WrongState: It was answered before.
    """
    incoming = _incoming(desk, from_enrolment_id)
    kept = desk.incoming.save(transfers.refuse(incoming))
    told = events.TransferRefused(
        enrolment_id=incoming.from_enrolment_id,
        from_employer=incoming.from_employer,
        cohort_owner=incoming.cohort_owner,
        course=incoming.course,
        intake=incoming.intake,
        refused_on=london_date(desk.now),
    )
    desk.tell(told, kept.version)
    return kept


def _incoming(desk: Desk, from_enrolment_id: str) -> Incoming:
    found = desk.incoming.find(from_enrolment_id)
    if found is None:
        raise NoSuchThing("no such transfer")
    return found


def _may_be_taken_on(desk: Desk, command: TakeOn, incoming: Incoming) -> None:
    """Refuse whom the course or its cohort is not open to here, by the rules that a nomination is decided by."""
    course = desk.catalogue.course(incoming.course)
    asking = Record(
        employee_ref=command.employee_ref,
        pcf_level=incoming.pcf_level,
        course=incoming.course,
        intake=incoming.intake,
        route=incoming.route,
    )
    known = standings.of_nominated(desk, [asking], {course.code: course}) if course else {}
    found = decisions.transfer_faults(asking, course, known.get(command.employee_ref))
    if found:
        faults = tuple(Fault(each.code, each.detail, pointer="/employee_ref") for each in found)
        raise RecordRefused("the person cannot be taken on with this place; the reasons are named", faults=faults)


def _described(desk: Desk, command: TakeOn) -> Record | None:
    if command.described is None:
        if desk.people.find(desk.person_id(command.employee_ref)) is None:
            raise RuleSaysNo(
                "this person is not known here; send their details with the acceptance", about="employee_ref"
            )
        return None
    if command.described.faults:
        faults = tuple(
            Fault(each.code, each.detail, pointer=f"/person/{each.field}") for each in command.described.faults
        )
        raise RecordRefused("the person's details cannot be taken; correct what is named", faults=faults)
    return command.described.record
