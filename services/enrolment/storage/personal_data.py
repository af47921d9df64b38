"""Every collection of an employer's enrolment database: what it holds of a person, and what an erasure does to it.

The one list that erasure and access reports go through. A collection that is in no row here fails a test, so that
nobody adds a place for names without saying how they leave it; docs/personal-data.md says the same to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OPAQUE: Final = "opaque"
"""Opaque ids at most: nothing is done, and nothing is shown to anybody but the person."""
CLEANED: Final = "cleaned"
"""Gone through row by row; what tells of the person is replaced, the row stays and counts."""
REMOVED: Final = "removed"
"""The person's own rows go, as the last thing."""
DROPPED: Final = "dropped"
"""A row that tells of the person goes as a whole."""
WAITED_FOR: Final = "waited_for"
"""Files as they were sent: an erasure waits until what came before it has been read and let go."""


@dataclass(frozen=True, slots=True)
class Place:
    """One collection. `found_by` are the fields by which a person's rows are found for an access report.

    With `by_enrolment` they hold ids of enrolments, not of persons.
    """

    does: str
    purpose: str
    found_by: tuple[str, ...] = ()
    by_enrolment: bool = False


PLACES: Final[Mapping[str, Place]] = {
    "practitioners": Place(REMOVED, "who the person is: details with their history, employments, managers", ("_id",)),
    "practitioner_duplicates": Place(REMOVED, "pairs of opaque ids that may be one person", ("one_id", "other_id")),
    "practitioner_match_keys": Place(REMOVED, "what two records of one person would have in common", ("_id",)),
    "practitioners_to_match": Place(OPAQUE, "whom to hold against the others next"),
    "registrations": Place(REMOVED, "what register files said of the person's number", ("_id",)),
    "learning_needs": Place(REMOVED, "the person's self-audit", ("_id",)),
    "learning_backgrounds": Place(REMOVED, "roles and courses that HR vouches for", ("_id",)),
    "asye_agreements": Place(REMOVED, "what was agreed for the assessed and supported year", ("_id",)),
    "cpd_items": Place(REMOVED, "used days of professional development", ("practitioner_id",)),
    "records_taken": Place(DROPPED, "that a nomination was taken once, under the employer's own reference"),
    "enrolments": Place(CLEANED, "nominations and what came of them", ("practitioner_id",)),
    "uploads": Place(CLEANED, "files of nominations: their names and counts"),
    "upload_rows": Place(CLEANED, "rows of those files as read and as sent", ("record.employee_ref",)),
    "upload_withdrawals": Place(OPAQUE, "what a snapshot ends when it is confirmed: opaque ids of enrolments"),
    "register_checks": Place(CLEANED, "checks of a register file, with faults by line"),
    "incoming_transfers": Place(CLEANED, "places that other employers give over, by opaque ids"),
    "enrolment_settings": Place(CLEANED, "what the employer decided about its enrolments"),
    "notice_settings": Place(CLEANED, "to which addresses digests of tasks are sent"),
    "notices": Place(OPAQUE, "digests: counts, days, roles"),
    "contents": Place(WAITED_FOR, "files as sent, until their rows are read"),
    "column_mappings": Place(CLEANED, "how files are read; value maps may say names"),
    "idempotency": Place(DROPPED, "replies stored so that a repeated request has one effect"),
    "identity_releases": Place(OPAQUE, "who was given the person's identity, why and when", ("practitioner_id",)),
    "intake_answers": Place(OPAQUE, "opaque references of intake records with hashes of what came under each"),
    "erasures": Place(OPAQUE, "erasures: opaque ids, days, who answered", ("practitioner_id",)),
    "erasures_answered": Place(OPAQUE, "erasures that were answered: opaque ids"),
    "retention": Place(OPAQUE, "how long things are kept, and runs that cleared out"),
    "parked": Place(DROPPED, "records that could not be taken; contents of those without a number are emptied"),
    "parked_decisions": Place(CLEANED, "what operators decided about those, with their reason"),
    "replay_requests": Place(OPAQUE, "keys of events to be taken again"),
    "positions": Place(OPAQUE, "how far feeds were read"),
    "feed_alarms": Place(OPAQUE, "faults of feeds"),
    "reader_fences": Place(OPAQUE, "when readers of feeds were taken over"),
    "handovers": Place(OPAQUE, "places on their way between employers, by opaque ids"),
    "sessions": Place(OPAQUE, "sessions of a cohort"),
    "attendance": Place(
        OPAQUE, "who was at a session, by opaque ids of enrolments", ("enrolment_id",), by_enrolment=True
    ),
    "attendance_heard": Place(OPAQUE, "the same as an employer heard it", ("enrolment_id",), by_enrolment=True),
    "standings": Place(
        OPAQUE, "the numbers behind decisions, by opaque ids of enrolments", ("_id",), by_enrolment=True
    ),
    "cohort_terms_heard": Place(OPAQUE, "days and quotas of cohorts"),
    "cpd_entitlement": Place(OPAQUE, "the employer's days a year for everybody"),
    "programmes": Place(OPAQUE, "the programme lead's programmes"),
    "module_decisions": Place(OPAQUE, "universities' decisions about courses"),
    "courses": Place(OPAQUE, "the programme lead's courses"),
    "cohorts": Place(OPAQUE, "the programme lead's cohorts"),
    "places": Place(OPAQUE, "seats and queues, by opaque ids of enrolments"),
    "catalogue_courses": Place(OPAQUE, "courses that were heard of"),
    "catalogue_cohorts": Place(OPAQUE, "cohorts that were heard of"),
    "catalogue_descriptions": Place(OPAQUE, "descriptions of courses that were heard of"),
    "catalogue_programmes": Place(OPAQUE, "programmes that were heard of"),
    "org_entries": Place(OPAQUE, "the feed: events with opaque ids"),
    "org_pending": Place(OPAQUE, "events without a number yet, by opaque keys"),
    "org_numbering": Place(OPAQUE, "the feed's numbers and hashes"),
    "org_state": Place(OPAQUE, "where the feed stands"),
    "out_entries": Place(OPAQUE, "answers to intake records, by opaque references"),
    "out_pending": Place(OPAQUE, "answers without a number yet"),
    "out_numbering": Place(OPAQUE, "their numbers and hashes"),
    "out_state": Place(OPAQUE, "where they stand"),
}
