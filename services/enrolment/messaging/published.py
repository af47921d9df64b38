"""How enrolment's events are spelled on its feeds: type, key and data of each."""

from __future__ import annotations

import msgspec

from services.enrolment.domain import events
from services.enrolment.domain.events import EnrolmentEvent
from shared.events.envelope import Outgoing

_NAMES: dict[type[EnrolmentEvent], str] = {
    events.CoursePublished: "course-published",
    events.CourseDescribed: "course-described",
    events.ProgrammeDescribed: "programme-described",
    events.CohortOpened: "cohort-opened",
    events.CohortClosed: "cohort-closed",
    events.LineManagerAssigned: "line-manager-assigned",
    events.EmploymentDated: "employment-dated",
    events.PractitionerMerged: "practitioner-merged",
    events.PractitionerSplit: "practitioner-split",
    events.Requested: "requested",
    events.SeatConfirmed: "seat-confirmed",
    events.WaitListed: "wait-listed",
    events.SeatDeclined: "seat-declined",
    events.SeatPromoted: "seat-promoted",
    events.Confirmed: "confirmed",
    events.Withdrawn: "withdrawn",
    events.Completed: "completed",
    events.Started: "started",
    events.Deferred: "deferred",
    events.Resumed: "resumed",
    events.RouteChanged: "route-changed",
    events.Transferred: "transferred",
    events.TransferOffered: "transfer-offered",
    events.TransferAccepted: "transfer-accepted",
    events.TransferRefused: "transfer-refused",
    events.TransferClosed: "transfer-closed",
    events.CohortTermsSet: "cohort-terms-set",
    events.PlaceExplained: "place-explained",
    events.AttendanceRecorded: "attendance-recorded",
    events.RecordAccepted: "record-accepted",
    events.RecordRefused: "record-refused",
    events.RecordIneligible: "record-ineligible",
    events.PractitionerErased: "practitioner-erased",
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
        case events.CoursePublished() | events.CourseDescribed():
            return event.course
        case events.ProgrammeDescribed():
            return event.programme
        case events.CohortOpened() | events.CohortClosed() | events.CohortTermsSet():
            return f"{event.course}/{event.intake}"
        case events.AttendanceRecorded():
            return f"{event.enrolment_id}/{event.session}"
        case events.LineManagerAssigned() | events.PractitionerErased() | events.EmploymentDated():
            return event.practitioner_id
        case events.PractitionerMerged():
            return event.merged_id
        case events.PractitionerSplit():
            return event.split_id
        case events.RecordAccepted() | events.RecordRefused():
            return event.record_ref
        case _:
            return event.enrolment_id
