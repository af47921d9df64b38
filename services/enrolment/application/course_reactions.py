"""What enrolment does when a catalogue grows, and when a university decides about a run of its module.

A university's decisions concern the programme lead whose course it is; descriptions concern every employer.
"""

from __future__ import annotations

from services.enrolment.application import facts
from services.enrolment.application.course_handlers import heed
from services.enrolment.application.ports import Desk
from services.enrolment.domain.courses import ModuleDecision
from shared.events.envelope import Received


def when_course_described(desk: Desk, event: Received[facts.CourseDescribed]) -> None:
    """Know what the course is and asks for, as an employer."""
    desk.catalogue.put_description(event.data)


def when_programme_described(desk: Desk, event: Received[facts.ProgrammeDescribed]) -> None:
    """Know the programme, as an employer."""
    desk.catalogue.put_programme(event.data)


def when_module_approved(desk: Desk, event: Received[facts.ModuleApproved]) -> None:
    """Let one's own course follow the approval, from the day that it states."""
    told = event.data
    heed(
        desk,
        ModuleDecision(event.organisation, told.instance_id, told.module, told.course, told.intake, told.approved_on),
    )


def when_module_refused(desk: Desk, event: Received[facts.ModuleRefused]) -> None:
    """Let one's own course follow the refusal."""
    told = event.data
    heed(desk, ModuleDecision(event.organisation, told.instance_id, told.module, told.course, told.intake, None))
