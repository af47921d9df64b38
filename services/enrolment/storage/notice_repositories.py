"""The digests by day and role, and where they go. No rule lives here."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.domain.notices import UNFINISHED, Notice, NoticeSettings
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.unit_of_work import Reading


class StoredNotices:
    """Digests by day and role; one document of settings at most."""

    def __init__(self, reading: Reading) -> None:
        self._notices = reading.rows("notices")
        self._settings = reading.rows("notice_settings")

    def settings(self) -> NoticeSettings:
        """Return to whom digests are sent; to nobody before anybody said so."""
        found = self._settings.find_one({"_id": "settings"})
        return value_of(found, NoticeSettings) if found else NoticeSettings()

    def set(self, settings: NoticeSettings) -> NoticeSettings:
        """Keep the settings as their next version and return that."""
        kept = replace(settings, version=settings.version + 1)
        keep_version(self._settings, document_of(kept, "settings"))
        return kept

    def find(self, notice_id: str) -> Notice | None:
        """Return the digest, or None."""
        found = self._notices.find_one({"_id": notice_id})
        return value_of(found, Notice) if found else None

    def page(self, after: str | None, limit: int) -> list[Notice]:
        """Return digests in order of day and role."""
        found = self._notices.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(document, Notice) for document in found]

    def unfinished(self) -> list[Notice]:
        """Return digests that are due or being sent, oldest first."""
        found = [value_of(row, Notice) for state in UNFINISHED for row in self._notices.find({"state": state})]
        return sorted(found, key=lambda notice: notice.notice_id)

    def add(self, notice: Notice) -> None:
        """Keep a new digest; one of the same role and day makes the transaction run again."""
        self._notices.insert_one(document_of(notice, notice.notice_id))

    def save(self, notice: Notice) -> Notice:
        """Keep the digest as its next version and return that."""
        kept = replace(notice, version=notice.version + 1)
        keep_version(self._notices, document_of(kept, kept.notice_id))
        return kept
