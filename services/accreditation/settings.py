"""What an accreditation process takes from its environment: what every service does, and how often its worker looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from environs import Env
from marshmallow.validate import Range

from shared.process.settings import CommonSettings, load

SERVICE = "accreditation"


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
