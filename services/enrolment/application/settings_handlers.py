"""What an employer decides about its enrolments, once for all of them."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.ports import Desk
from services.enrolment.domain.lifecycle_settings import LifecycleSettings


def keep_settings(desk: Desk, wanted: LifecycleSettings) -> LifecycleSettings:
    """Return the employer's settings as kept; they count for what happens from now on."""
    standing = desk.settings.find()
    if replace(wanted, version=standing.version) == standing:
        return standing
    desk.silent("how an employer approves and accepts is its own business")
    return desk.settings.save(replace(wanted, version=standing.version))
