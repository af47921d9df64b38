"""A person's description as it was sent, read for the handlers; the same for one person and for a feed's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.enrolment.application.ports import Desk
from services.enrolment.application.practitioner_handlers import Numbers
from services.enrolment.domain.identifiers import HcpcNumber, swe_number
from services.enrolment.domain.practitioners import Practitioner, Telling
from shared.clock import london_date

_NUMBERS = ("hcpc_numbers", "uln", "husid", "sid")
_TELLING = ("effective_on", "said_at", "source_ref")


@dataclass(frozen=True, slots=True)
class Described:
    """What was said of a person, when, and who manages them."""

    details: dict[str, Any]
    told: dict[str, Any]
    line_manager_ref: str | None
    numbers: Numbers

    @property
    def is_message(self) -> bool:
        """Return whether it says itself what it is about: which message, and from which day it holds."""
        return self.told["source_ref"] is not None and self.told["effective_on"] is not None

    def person(self, at: Desk, employee_ref: str) -> Practitioner:
        """Return the person as described, not yet kept."""
        return Practitioner(practitioner_id=at.person_id(employee_ref), employee_ref=employee_ref, **self.details)

    def telling(self, at: Desk) -> Telling:
        """Return when it was told and from which day it holds."""
        return Telling(at.now, london_date(at.now), **self.told)


def described(body: dict[str, Any]) -> Described:
    """Return a description from a body that was read by its schema."""
    details = dict(body)
    manager_ref = details.pop("line_manager_ref")
    told = {name: details.pop(name) for name in _TELLING}
    said = {name: details.pop(name) for name in _NUMBERS if name in details}
    if "hcpc_numbers" in said:
        said["hcpc_numbers"] = tuple(HcpcNumber(**each) for each in said["hcpc_numbers"])
    number, fte = details["swe_number"], details["fte"]
    details["swe_number"] = swe_number(number) if number else None
    details["fte"] = None if fte is None else f"{fte.normalize():f}"
    return Described(details, told, manager_ref, Numbers(frozenset(said), **said))
