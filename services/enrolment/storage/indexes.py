"""The indexes of enrolment's collections. Making them again changes nothing."""

from __future__ import annotations

from shared.storage.mongo import MongoDatabase
from shared.storage.pages import MILESTONE_INDEX, WHOLE_LIST_INDEX

_INDEXES: dict[str, list[list[tuple[str, int]]]] = {
    "places": [
        [("cohort", 1), ("state", 1), ("number", 1)],
        [("cohort", 1), ("state", 1), ("employer", 1), ("number", 1)],
    ],
    "cohorts": [[("in_turn", 1)]],
    "sessions": [[("cohort", 1), ("_id", 1)]],
    "attendance": [[("place", 1), ("_id", 1)], [("enrolment_id", 1), ("_id", 1)]],
    "attendance_heard": [[("enrolment_id", 1), ("_id", 1)]],
    "enrolments": [
        # each list is in order of _id, so _id ends every index that serves one
        [("status", 1), ("_id", 1)],
        [("practitioner_id", 1), ("_id", 1)],
        [("employee_ref", 1), ("_id", 1)],
        [("course", 1), ("intake", 1), ("_id", 1)],
        [("course", 1), ("_id", 1)],
        [("intake", 1), ("_id", 1)],
        [("course", 1), ("status", 1), ("_id", 1)],
        [("pcf_level", 1), ("_id", 1)],
        [("route", 1), ("_id", 1)],
        [("status", 1), ("requested_on", 1)],
        [("due_on", 1)],
        WHOLE_LIST_INDEX,
    ],
    "module_decisions": [[("course", 1)]],
    "notices": [[("state", 1)]],
    "incoming_transfers": [[("state", 1), ("_id", 1)]],
    "handovers": [[("due_on", 1)]],
    "practitioners": [
        [("merged_into", 1), ("_id", 1)],
        [("merged_into", 1), ("called", 1)],
        [("merged_into", 1), ("team", 1), ("called", 1)],
        [("merged_into", 1), ("pcf_level", 1), ("called", 1)],
        [("merged_into", 1), ("team", 1), ("pcf_level", 1), ("called", 1)],
    ],
    "practitioner_match_keys": [
        [("same_registration_number", 1)],
        [("same_name_and_date_of_birth", 1)],
        [("same_email", 1)],
    ],
    "practitioner_duplicates": [[("kept_apart", 1), ("_id", 1)], [("one_id", 1)], [("other_id", 1)]],
    "registrations": [[("status", 1), ("_id", 1)]],
    "register_checks": [[("content_id", 1), ("_id", 1)]],
    "cpd_items": [[("practitioner_id", 1), ("held_on", 1)]],
    "uploads": [[("sha256", 1)], [("state", 1), ("_id", 1)]],
    "contents": [[("kept_at", 1)]],
    "erasures": [[("ids", 1), ("_id", 1)], [("state", 1), ("_id", 1)]],
    "identity_releases": [[("practitioner_id", 1)], [("released_at", 1)]],
    "retention": [[("state", 1)]],
    "upload_rows": [
        [("upload_id", 1), ("key", 1)],
        [("upload_id", 1), ("record.employee_ref", 1)],
        [("upload_id", 1), ("decision", 1), ("index", 1)],
    ],
    "upload_withdrawals": [[("upload_id", 1), ("enrolment_id", 1)]],
}


_WITH_MILESTONES: tuple[str, ...] = ("enrolments", "practitioners")


def prepare(database: MongoDatabase) -> None:
    """Make every index of one organisation's database."""
    for collection, indexes in _INDEXES.items():
        for keys in indexes:
            database[collection].create_index(keys)
    for collection in _WITH_MILESTONES:
        database[collection].create_index(MILESTONE_INDEX, sparse=True)
