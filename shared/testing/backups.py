"""A database as it was: taken aside and put back, as a backup that is restored is."""

from __future__ import annotations

from shared.storage.mongo import Document, MongoDatabase

Backup = dict[str, list[Document]]


def backup_of(database: MongoDatabase) -> Backup:
    """Return everything that the database holds now."""
    return {name: list(database[name].find({})) for name in database.list_collection_names()}


def restore(database: MongoDatabase, backup: Backup) -> None:
    """Make the database what it was when the backup was taken."""
    for name in database.list_collection_names():
        database[name].delete_many({})
    for name, documents in backup.items():
        if documents:
            database[name].insert_many(documents)
