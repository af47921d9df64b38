"""Registrations and checks of the register; ASYE agreements, days of CPD, and what was used of them. No rule here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.domain.entitlements import AsyeAgreement, CpdEntitlement, CpdItem
from services.enrolment.domain.registrations import Registration
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, replacements
from shared.storage.unit_of_work import Reading

_OWN = "own"
_AT_WORK = 1000


class StoredRegistrations:
    """What register files said of people, by opaque id."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("registrations")
        self._checks = reading.rows("register_checks")

    def many(self, ids: Sequence[str]) -> dict[str, Registration]:
        """Return what was found, by person."""
        return {row["_id"]: value_of(row, Registration) for row in self._rows.by_ids(ids)}

    def save(self, known: Sequence[Registration], new: Sequence[Registration]) -> None:
        """Keep changed ones and first ones."""
        self._rows.bulk_write(replacements([document_of(one, one.practitioner_id) for one in known]))
        self._rows.insert_many([document_of(one, one.practitioner_id) for one in new])

    def page(self, status: str, after: str | None, limit: int) -> list[Registration]:
        """Return people's findings of one status, in order of id."""
        found = self._rows.find({"status": status, **following(after)}, sort=[("_id", 1)], limit=limit)
        return [value_of(row, Registration) for row in found]

    def save_check(self, check: RegisterCheck) -> None:
        """Keep a check, in place of itself as it was before."""
        self._checks.replace_one({"_id": check.check_id}, document_of(check, check.check_id), upsert=True)

    def check(self, check_id: str) -> RegisterCheck | None:
        """Return a check, or None."""
        found = self._checks.find_one({"_id": check_id})
        return value_of(found, RegisterCheck) if found else None

    def checks(self, after: str | None, limit: int) -> list[RegisterCheck]:
        """Return checks, oldest first."""
        found = self._checks.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(row, RegisterCheck) for row in found]

    def checks_at_work(self) -> list[RegisterCheck]:
        """Return checks for which what was read of their file is still kept, oldest first."""
        found = self._checks.find({"content_id": {"$gt": ""}}, sort=[("_id", 1)], limit=_AT_WORK)
        return [value_of(row, RegisterCheck) for row in found]


class StoredEntitlements:
    """Agreements and used days by opaque id; one entitlement of the employer for everybody."""

    def __init__(self, reading: Reading) -> None:
        self._agreements = reading.rows("asye_agreements")
        self._entitlement = reading.rows("cpd_entitlement")
        self._items = reading.rows("cpd_items")

    def agreement(self, practitioner_id: str) -> AsyeAgreement | None:
        """Return what was agreed with one person, or None."""
        found = self._agreements.find_one({"_id": practitioner_id})
        return value_of(found, AsyeAgreement) if found else None

    def save_agreement(self, agreement: AsyeAgreement) -> None:
        """Keep it in place of the one before."""
        name = agreement.practitioner_id
        self._agreements.replace_one({"_id": name}, document_of(agreement, name), upsert=True)

    def cpd(self) -> CpdEntitlement | None:
        """Return the employer's days a year, or None."""
        found = self._entitlement.find_one({"_id": _OWN})
        return value_of(found, CpdEntitlement) if found else None

    def save_cpd(self, entitlement: CpdEntitlement) -> None:
        """Keep them in place of those before."""
        self._entitlement.replace_one({"_id": _OWN}, document_of(entitlement, _OWN), upsert=True)

    def add_item(self, item: CpdItem) -> None:
        """Keep a used day."""
        self._items.insert_one(document_of(item, item.item_id))

    def items(self, practitioner_id: str, from_on: date, until_on: date, limit: int) -> list[CpdItem]:
        """Return a person's used days between two days, both included, in order of day."""
        days = {"$gte": from_on.isoformat(), "$lte": until_on.isoformat()}
        wanted = {"practitioner_id": practitioner_id, "held_on": days}
        return [value_of(row, CpdItem) for row in self._items.find(wanted, sort=[("held_on", 1)], limit=limit)]
