"""What a reporting process takes from its environment: what every service with pages does, and nothing more yet."""

from __future__ import annotations

from shared.process.settings import PagesSettings, load

SERVICE = "reporting"
ReportingSettings = PagesSettings


def settings() -> ReportingSettings:
    """Return the settings.

    Raises:
        Malformed: with every missing or wrong variable in one message.
    """
    return load(ReportingSettings.read)
