"""How enrolment's values look as JSON. No decision here."""

from __future__ import annotations

from typing import Any

import msgspec

from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.lifecycle_settings import LifecycleSettings
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.transfers import Incoming

Body = dict[str, Any]


def enrolment(found: Enrolment, explanation: str | None = None) -> Body:
    """Return an enrolment as its employer sees it; `explanation` says why it has a seat, waits or has neither."""
    return {**_without(found, "version", "request_id", "nominated_by"), "explanation": explanation}


def lifecycle_settings(found: LifecycleSettings) -> Body:
    """Return what an employer has decided about its enrolments."""
    return _without(found, "version")


def incoming_transfer(found: Incoming) -> Body:
    """Return a place that another employer gives over."""
    return _without(found, "version")


def practitioner(found: Practitioner) -> Body:
    """Return a person as their employer sees them."""
    return _without(found, "version")


def identity(found: Practitioner) -> Body:
    """Return what a university is given for registration, and nothing else."""
    return {
        "practitioner_id": found.practitioner_id,
        "given_name": found.given_name,
        "family_name": found.family_name,
        "registration_number": found.swe_number,
    }


def _without(value: object, *names: str) -> Body:
    found: Body = msgspec.to_builtins(value)
    return {name: each for name, each in found.items() if name not in names}
