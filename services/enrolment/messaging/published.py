"""How enrolment's events are spelled on its feeds: type, key and data of each."""

from __future__ import annotations

import msgspec

from services.enrolment.domain import events
from services.enrolment.domain.events import EnrolmentEvent
from shared.events.envelope import Outgoing

_NAMES: dict[type[EnrolmentEvent], str] = {
    events.CoursePublished: "course-published",
    events.CohortOpened: "cohort-opened",
    events.CohortClosed: "cohort-closed",
    events.LineManagerAssigned: "line-manager-assigned",
    events.Requested: "requested",
    events.SeatConfirmed: "seat-confirmed",
    events.WaitListed: "wait-listed",
    events.SeatDeclined: "seat-declined",
    events.SeatPromoted: "seat-promoted",
    events.Confirmed: "confirmed",
    events.Withdrawn: "withdrawn",
    events.Completed: "completed",
    events.RecordAccepted: "record-accepted",
    events.RecordRefused: "record-refused",
}


def outgoing(event: EnrolmentEvent, version: int) -> Outgoing:
    """Return the event as its feed holds it; `version` is the aggregate's version that this commit made."""
    return Outgoing(
        type=f"enrolment.{_NAMES[type(event)]}.v1",
        key=_key(event),
        version=version,
        data=msgspec.json.encode(event),
        feed="out" if isinstance(event, events.RecordAccepted | events.RecordRefused) else "org",
    )


def _key(event: EnrolmentEvent) -> str:
    match event:
        case events.CoursePublished():
            return event.course
        case events.CohortOpened() | events.CohortClosed():
            return f"{event.course}/{event.intake}"
        case events.LineManagerAssigned():
            return event.practitioner_id
        case events.RecordAccepted() | events.RecordRefused():
            return event.record_ref
        case _:
            return event.enrolment_id
