"""What the task list and the notices need from outside, as protocols."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from services.enrolment.domain.notices import Notice, NoticeSettings
from services.enrolment.domain.tasks import OpenTask


class OpenTasks(Protocol):
    """What waits in one organisation's data, kind by kind, in order of id."""

    def count(self, kind: str, most: int) -> int:
        """Return how many wait, counted up to `most`."""

    def oldest(self, kind: str) -> date | None:
        """Return since when the oldest waits, None where nothing does."""

    def some(self, kind: str, after: str | None, limit: int) -> list[OpenTask]:
        """Return up to `limit` that came after the one about `after`, in order."""


class Notices(Protocol):
    """The digests of one organisation, and where they go."""

    def settings(self) -> NoticeSettings:
        """Return to whom digests are sent; to nobody before anybody said so."""

    def set(self, settings: NoticeSettings) -> NoticeSettings:
        """Keep the settings as their next version and return that."""

    def find(self, notice_id: str) -> Notice | None:
        """Return the digest, or None."""

    def page(self, after: str | None, limit: int) -> list[Notice]:
        """Return digests in order of day and role."""

    def unfinished(self) -> list[Notice]:
        """Return digests that are due or being sent, oldest first."""

    def add(self, notice: Notice) -> None:
        """Keep a new digest; one of the same role and day makes the transaction run again."""

    def save(self, notice: Notice) -> Notice:
        """Keep the digest as its next version and return that."""
