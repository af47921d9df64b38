"""An employer's settings, and transfers as both employers and the cohort's owner keep them. No rule lives here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.enrolment.domain.lifecycle_settings import LifecycleSettings
from services.enrolment.domain.transfers import Handover, Incoming
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.unit_of_work import Reading

OWN_SETTINGS = "own"


class StoredSettings:
    """One document."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("enrolment_settings")

    def find(self) -> LifecycleSettings:
        """Return its decisions, the defaults (version 0) where it has made none."""
        found = self._rows.find_one({"_id": OWN_SETTINGS})
        return value_of(found, LifecycleSettings) if found else LifecycleSettings()

    def save(self, settings: LifecycleSettings) -> LifecycleSettings:
        """Keep them as the next version and return that."""
        kept = replace(settings, version=settings.version + 1)
        keep_version(self._rows, document_of(kept, OWN_SETTINGS))
        return kept


class StoredIncoming:
    """Transfers to this employer, by the id of the enrolment at the other."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("incoming_transfers")

    def find(self, enrolment_id: str) -> Incoming | None:
        """Return the transfer, or None."""
        found = self._rows.find_one({"_id": enrolment_id})
        return value_of(found, Incoming) if found else None

    def page(self, after: str | None, limit: int, state: str | None) -> list[Incoming]:
        """Return transfers in order of id, of one state where given."""
        asked = {} if state is None else {"state": state}
        found = self._rows.find({**asked, **following(after)}, sort=[("_id", 1)], limit=limit)
        return [value_of(row, Incoming) for row in found]

    def save(self, incoming: Incoming) -> Incoming:
        """Keep it as its next version and return that."""
        kept = replace(incoming, version=incoming.version + 1)
        keep_version(self._rows, document_of(kept, kept.from_enrolment_id))
        return kept


class StoredHandovers:
    """Places on their way, by the id of the old enrolment; to be found by their last day."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("handovers")

    def find(self, enrolment_id: str) -> Handover | None:
        """Return the handover of the place of that (old) enrolment, or None."""
        found = self._rows.find_one({"_id": enrolment_id})
        return value_of(found, Handover) if found else None

    def overdue(self, today: date, limit: int) -> list[Handover]:
        """Return handovers that nobody accepted until their last day, which is over."""
        found = self._rows.find({"due_on": {"$gt": "", "$lt": today.isoformat()}}, sort=[("due_on", 1)], limit=limit)
        return [value_of(row, Handover) for row in found]

    def save(self, handover: Handover) -> Handover:
        """Keep it as its next version and return that."""
        kept = replace(handover, version=handover.version + 1)
        last = kept.lapses_after
        keep_version(
            self._rows, document_of(kept, kept.enrolment_id, due_on=last.isoformat() if last is not None else None)
        )
        return kept
