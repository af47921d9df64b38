"""What an enrolment process takes from its environment: what every service does, and nothing more yet."""

from __future__ import annotations

from shared.process.run import common_settings
from shared.process.settings import CommonSettings

SERVICE = "enrolment"
EnrolmentSettings = CommonSettings


def settings() -> EnrolmentSettings:
    """Return the settings.

    Raises:
        Malformed: with every missing or wrong variable in one message.
    """
    return common_settings()
