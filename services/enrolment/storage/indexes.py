"""The indexes of enrolment's collections. Making them again changes nothing."""

from __future__ import annotations

from shared.storage.mongo import MongoDatabase

_INDEXES: dict[str, list[list[tuple[str, int]]]] = {
    "places": [[("cohort", 1), ("state", 1), ("number", 1)]],
    "enrolments": [[("status", 1)], [("practitioner_id", 1)], [("course", 1), ("intake", 1)]],
    "uploads": [[("sha256", 1)], [("state", 1)]],
    "contents": [[("kept_at", 1)]],
    "upload_rows": [[("upload_id", 1), ("index", 1)], [("upload_id", 1), ("key", 1)]],
}


def prepare(database: MongoDatabase) -> None:
    """Make every index of one organisation's database."""
    for collection, indexes in _INDEXES.items():
        for keys in indexes:
            database[collection].create_index(keys)
