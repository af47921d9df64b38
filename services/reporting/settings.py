"""What a reporting process takes from its environment: what every service does, and the secret of its pages' cookie."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from environs import Env

from shared.process.settings import CommonSettings, load

SERVICE = "reporting"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingSettings(CommonSettings):
    """The common settings and one more.

    board_session_secret: signs the session cookie of the board's pages; empty makes one per process, so that sessions
        end with it. BOARD_SESSION_SECRET
    """

    board_session_secret: str = field(default="", repr=False)

    @classmethod
    def read(cls, env: Env) -> Self:
        """Return the settings as `env` has them; wrong ones are None until `env.seal()` says so."""
        return cls(**CommonSettings.variables(env), board_session_secret=env.str("BOARD_SESSION_SECRET", ""))


def settings() -> ReportingSettings:
    """Return the settings.

    Raises:
        Malformed: with every missing or wrong variable in one message.
    """
    return load(ReportingSettings.read)
