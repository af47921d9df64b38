"""An HR feed's messages about its people, many at once: in any order, any number of times, each answered by itself."""

from __future__ import annotations

from typing import Any

from services.enrolment.api.descriptions import described
from services.enrolment.api.practitioner_schemas import MESSAGE_IN
from services.enrolment.application import practitioner_handlers as handlers
from services.enrolment.application.ports import Desk
from services.enrolment.domain.errors import PersonErased, RuleSaysNo
from shared.errors import Fault
from shared.http.bodies import loaded
from shared.http.errors import Invalid

REFUSED = "refused"
Message = dict[str, Any] | tuple[Fault, ...]
"""A message as read, or what is wrong with it."""


def read_message(place: int, message: dict[str, Any]) -> Message:
    """Return a message as its schema reads it, or its faults, which point into the request."""
    try:
        return loaded(MESSAGE_IN, message)
    except Invalid as refused:
        return tuple(Fault(one.code, one.detail, pointer=f"/messages/{place}{one.pointer}") for one in refused.faults)


def answer(at: Desk, place: int, message: Message) -> dict[str, Any]:
    """Return what became of a message; one that is refused has kept nothing."""
    if isinstance(message, tuple):
        return _answered(place, REFUSED, message)
    body = dict(message)
    employee_ref = body.pop("employee_ref")
    told = described(body)
    try:
        person = told.person(at, employee_ref)
        _, decision = handlers.tell_message(at, person, told.line_manager_ref, told.telling(at), told.numbers)
    except (RuleSaysNo, PersonErased) as refused:
        return _answered(place, REFUSED, (Fault(refused.slug, str(refused), pointer=f"/messages/{place}"),))
    return _answered(place, decision)


def _answered(place: int, decision: str, faults: tuple[Fault, ...] = ()) -> dict[str, Any]:
    errors = [{"code": one.code, "detail": one.detail, "pointer": one.pointer} for one in faults]
    return {"message": place, "decision": decision, "errors": errors}
