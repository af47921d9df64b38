"""The indexes of an awarding university's database, made by `prepare`; the unique ones guard rules by themselves."""

from __future__ import annotations

from pymongo import IndexModel

from shared.storage.mongo import MongoDatabase

INDEXES: dict[str, tuple[IndexModel, ...]] = {
    "module_instances": (
        IndexModel(
            [("run", 1), ("module", 1)], name="one_live", unique=True, partialFilterExpression={"is_live": True}
        ),
        IndexModel([("module", 1)], name="by_module"),
        IndexModel([("partners", 1), ("_id", 1)], name="by_partner"),
    ),
    "candidacies": (
        IndexModel(
            [("registration_id", 1)],
            name="by_registration",
            unique=True,
            partialFilterExpression={"registration_id": {"$exists": True}},
        ),
        IndexModel([("run", 1)], name="by_run"),
        IndexModel([("instance_id", 1)], name="by_instance"),
        IndexModel([("enrolment_id", 1)], name="by_enrolment"),
        IndexModel([("body.enrolment.practitioner_id", 1)], name="by_practitioner"),
        IndexModel([("body.person_id", 1)], name="by_person"),
    ),
    "people": (IndexModel([("registration_number", 1)], name="one_number", unique=True),),
    "credits": (
        IndexModel([("person_id", 1), ("module", 1)], name="once", unique=True),
        IndexModel([("sequence", 1)], name="in_order", unique=True),
    ),
    "releases": (IndexModel([("due_at", 1)], name="by_due"),),
}


def ensure_indexes(database: MongoDatabase) -> None:
    """Make every index that is not there yet; may be called again at any time."""
    for name, indexes in INDEXES.items():
        database[name].create_indexes(list(indexes))
