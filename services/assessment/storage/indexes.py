"""The indexes of an employer's assessment database. `prepare` makes them; making them again changes nothing."""

from __future__ import annotations

from services.assessment.storage.repositories import PORTFOLIOS, SESSIONS
from shared.storage.mongo import MongoDatabase


def prepare(database: MongoDatabase) -> None:
    """Make every index of one employer's database."""
    database[PORTFOLIOS].create_index([("practitioner_id", 1)], name="practitioner")
    database[PORTFOLIOS].create_index([("course", 1), ("intake", 1)], name="course_intake")
    database[SESSIONS].create_index([("practitioner_id", 1)], name="practitioner")
