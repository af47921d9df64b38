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

_KEYS: dict[type[EnrolmentEvent], tuple[str, ...]] = {
    events.CoursePublished: ("course",),
    events.CourseDescribed: ("course",),
    events.ProgrammeDescribed: ("programme",),
    events.CohortOpened: ("course", "intake"),
    events.CohortClosed: ("course", "intake"),
    events.CohortTermsSet: ("course", "intake"),
    events.AttendanceRecorded: ("enrolment_id", "session"),
    events.LineManagerAssigned: ("practitioner_id",),
    events.EmploymentDated: ("practitioner_id",),
    events.PractitionerErased: ("practitioner_id",),
    events.PractitionerMerged: ("merged_id",),
    events.PractitionerSplit: ("split_id",),
    events.RecordAccepted: ("record_ref",),
    events.RecordRefused: ("record_ref",),
    events.RecordIneligible: ("record_ref",),
}
"""What an event is about; every other one is about an enrolment."""


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
    return "/".join(getattr(event, name) for name in _KEYS.get(type(event), ("enrolment_id",)))
