"""Which erasures a university has answered, and which collection holds what of a person.

`PLACES` names every collection of an accreditation database; docs/personal-data.md says the same to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.storage import erasures
from shared.storage.unit_of_work import Reading, Work

PLACES: Final[Mapping[str, str]] = {
    "people": "names and registration numbers: removed, or kept with a student record",
    "candidacies": "opaque ids, marks, who marked: the tie to the person is removed, or kept with a student record",
    "releases": "opaque ids of identities still to be fetched: removed",
    "credits": "opaque ids: kept, the ledger of awards",
    "shell_modules": "nothing of a person",
    "module_instances": "nothing of a person",
    "runs": "nothing of a person",
    "boards": "nothing of a candidate",
    "counters": "nothing of a person",
    "brought_back": "opaque ids: kept, events that a feed knew and a backup did not",
}


class StoredErasures:
    """Erasure in one university's database."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._candidacies = reading.rows("candidacies")

    def is_news(self, employer: str, practitioner_id: str, number: int) -> bool:
        """Return whether this erasure is still to be answered, and keep that it was. Only inside a transaction."""
        assert isinstance(self._reading, Work)  # noqa: S101 - a desk is always a transaction's
        return erasures.is_news(self._reading, employer, practitioner_id, number)

    def is_somebodys(self, person_id: str) -> bool:
        """Return whether any candidacy is of this person."""
        return self._candidacies.find_one({"body.person_id": person_id}, {"_id": 1}) is not None
