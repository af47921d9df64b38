"""What an accreditation process takes from its environment, and where the employers' doors are.

The common settings of every service, and how often the worker looks for identities to fetch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import msgspec
from environs import Env
from marshmallow.validate import Range

from shared.errors import Malformed
from shared.partnership import Partnership
from shared.process.settings import CommonSettings, load

SERVICE = "accreditation"

Doors = Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccreditationSettings(CommonSettings):
    """The common settings, and `identity_poll_seconds`: how long an idle worker waits. IDENTITY_POLL_SECONDS."""

    identity_poll_seconds: float

    @classmethod
    def read(cls, env: Env) -> Self:
        """Return the settings as `env` has them; wrong ones are None until `env.seal()` says so."""
        poll = env.float("IDENTITY_POLL_SECONDS", 0.5, validate=Range(min=0.05, max=600))
        return cls(**CommonSettings.variables(env), identity_poll_seconds=poll)


def settings() -> AccreditationSettings:
    """Return the settings.

    Raises:
        Malformed: with every missing or wrong variable in one message.
    """
    return load(AccreditationSettings.read)


def enrolment_address(given: CommonSettings, partnership: Partnership) -> Callable[[str], str | None]:
    """Return what knows the base address of an employer's enrolment service, or None for it.

    The instance's own doors file comes first (by organisation and service, or by service for all), then the
    partnership file's doors.

    Raises:
        Malformed: the doors file is no JSON object of addresses.
    """
    own = _doors_file(given)

    def address(employer: str) -> str | None:
        special = own.get(employer)
        if isinstance(special, Mapping) and "enrolment" in special:
            return special["enrolment"]
        everybody = own.get("enrolment")
        if isinstance(everybody, str):
            return everybody
        return partnership.doors.get(employer, {}).get("enrolment")

    return address


def _doors_file(given: CommonSettings) -> Doors:
    if given.doors_file is None:
        return {}
    try:
        return msgspec.json.decode(given.doors_file.read_bytes(), type=dict[str, str | dict[str, str]])
    except (OSError, msgspec.DecodeError) as error:
        raise Malformed("DOORS_FILE is not a JSON object of addresses.") from error
