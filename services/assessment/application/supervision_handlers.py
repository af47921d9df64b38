"""Supervision: recording sessions. The supervisor is whoever asks."""

from __future__ import annotations

from dataclasses import replace

from services.assessment.application.commands import RecordSupervision, SessionItem
from services.assessment.application.ports import Ports
from services.assessment.domain.errors import NoPractitioner, OwnSupervision, SessionTaken
from services.assessment.domain.supervision import Session, held
from shared.errors import Fault
from shared.storage.unit_of_work import Work


def record_supervision(ports: Ports, work: Work, command: RecordSupervision) -> tuple[Session, ...]:
    """Record all sessions of the command and return them, in its order.

    Raises:
        NoPractitioner: enrolment has not told of this person.
        OwnSupervision: the supervisor is the person supervised.
        SessionTaken: this supervisor already recorded a session with this person on that day.
    """
    practitioner_id = ports.person_id(work.organisation, command.practitioner_ref)
    supervisor_id = ports.person_id(work.organisation, command.actor.reference)
    if practitioner_id == supervisor_id:
        raise OwnSupervision("nobody supervises themselves")
    person = ports.people.find(work, practitioner_id)
    if person is None:
        raise NoPractitioner("there is no such practitioner")
    sessions = tuple(_session(work, practitioner_id, supervisor_id, item) for item in command.items)
    _refuse_taken(sessions, ports.sessions.of(work, practitioner_id))
    supervisee_id = person.value.supervisee_id or work.new_id()
    kept = ports.people.keep(work, replace(person.value, supervisee_id=supervisee_id), person.version)
    ports.sessions.add(work, sessions)
    work.emit(*(ports.publish(held(session, supervisee_id), kept.version) for session in sessions))
    return sessions


def _session(work: Work, practitioner_id: str, supervisor_id: str, item: SessionItem) -> Session:
    return Session(
        session_id=work.new_id(),
        practitioner_id=practitioner_id,
        supervisor_id=supervisor_id,
        held_on=item.held_on,
        minutes=item.minutes,
        uninterrupted=item.uninterrupted,
        pcf_discussed=item.pcf_discussed,
    )


def _refuse_taken(sessions: tuple[Session, ...], known: tuple[Session, ...]) -> None:
    taken = {(session.supervisor_id, session.held_on) for session in known}
    for place, session in enumerate(sessions):
        if (session.supervisor_id, session.held_on) in taken:
            where = Fault("session_taken", "a session of this day is already recorded", f"/items/{place}/held_on")
            raise SessionTaken("a session of this day is already recorded", faults=(where,))
        taken.add((session.supervisor_id, session.held_on))
