"""The programme lead's cohorts, places and queues, and what an employer has heard about its people's places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from services.enrolment.application.facts import AttendanceRecorded, CohortTermsSet
from services.enrolment.domain import seats
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.explanations import Standing
from services.enrolment.domain.seats import WAITING
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import keep_version
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading

FIRST_SPAN = 32
LONGEST_SPAN = 1024
"""How many numbers of a queue one question is about."""


class StoredCohorts:
    """Cohorts by course and intake."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("cohorts")
        self._places = reading.rows("places")

    def find(self, course: str, intake: str) -> KeptCohort | None:
        """Return the cohort, or None."""
        found = self._rows.find_one({"_id": f"{course}/{intake}"})
        return self._value(found) if found else None

    def of_course(self, course: str) -> list[KeptCohort]:
        """Return the course's cohorts in order of intake."""
        return [self._value(document) for document in self._rows.find({"course": course}, sort=[("_id", 1)])]

    def unsettled(self) -> list[KeptCohort]:
        """Return the cohorts in whose queue somebody is in turn for a seat."""
        return [self._value(document) for document in self._rows.find({"in_turn": True}, sort=[("_id", 1)])]

    def save(self, kept: KeptCohort) -> KeptCohort:
        """Keep the cohort as its next version and return that."""
        after = replace(kept, version=kept.version + 1)
        in_turn = bool(seats.in_turn(after.cohort))
        keep_version(self._rows, document_of(after, f"{after.course}/{after.intake}", in_turn=in_turn))
        return after

    def _value(self, document: Document) -> KeptCohort:
        """Return the cohort; one that was kept before employers' shares were counted has them counted now."""
        counts = document["cohort"]
        if "shares" not in counts and counts["arrivals"]:
            places = self._places.find({"cohort": document["_id"]}, projection={"employer": 1, "state": 1})
            shares = seats.shares_of([(place["employer"], place["state"]) for place in places])
            document = {**document, "cohort": {**counts, "shares": msgspec.to_builtins(shares)}}
        return value_of(document, KeptCohort)


class StoredPlaces:
    """Places by enrolment; the queue by cohort, state and number, and by employer within it."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("places")

    def find(self, enrolment_id: str) -> Place | None:
        """Return the place of that enrolment, or None."""
        found = self._rows.find_one({"_id": enrolment_id})
        return value_of(found, Place) if found else None

    def add(self, place: Place) -> None:
        """Keep a new place."""
        self._rows.insert_one(self._document(place))

    def save(self, place: Place) -> Place:
        """Keep the place as its next version and return that."""
        after = replace(place, version=place.version + 1)
        self._rows.replace_version(self._document(after), place.version)
        return after

    def first_waiting(self, kept: KeptCohort, employer: str, waits_from: int) -> Place:
        """Return who came first of one employer's people in the queue, none of whom came before `waits_from`.

        Raises:
            LookupError: Nobody of that employer waits.
        """
        wanted = {**self._wanted(kept.course, kept.intake, WAITING), "employer": employer}
        found = self._in_order(wanted, waits_from, kept.cohort.arrivals, 1)
        if not found:
            raise LookupError("a cohort's counts say that somebody waits")
        return found[0]

    def page(self, kept: KeptCohort, state: str, after: int, limit: int) -> list[Place]:
        """Return up to `limit` places of one state that arrived after number `after`, in order of arrival."""
        wanted = self._wanted(kept.course, kept.intake, state)
        return self._in_order(wanted, after + 1, kept.cohort.arrivals, limit)

    def _in_order(self, wanted: dict[str, object], first: int, last: int, limit: int) -> list[Place]:
        """Return up to `limit` places from number `first` on, asking for growing spans of numbers.

        A sorted question without an upper end makes some databases read all that follows.
        """
        found: list[Place] = []
        span = max(limit, FIRST_SPAN)
        while first <= last and len(found) < limit:
            within = {**wanted, "number": {"$gte": first, "$lt": first + span}}
            rows = self._rows.find(within, sort=[("number", 1)], limit=limit - len(found))
            found += [value_of(row, Place) for row in rows]
            first, span = first + span, min(span * 2, LONGEST_SPAN)
        return found

    def count_until(self, course: str, intake: str, state: str, number: int) -> int:
        """Return how many places of one state arrived up to and with `number`."""
        return self._rows.count({**self._wanted(course, intake, state), "number": {"$lte": number}})

    @staticmethod
    def _wanted(course: str, intake: str, state: str) -> dict[str, object]:
        return {"cohort": f"{course}/{intake}", "state": state}

    @staticmethod
    def _document(place: Place) -> Document:
        return document_of(place, place.enrolment_id, cohort=f"{place.course}/{place.intake}")


class StoredPlaceNews:
    """The numbers behind decisions by enrolment, attendance by enrolment and session, terms by cohort."""

    def __init__(self, reading: Reading) -> None:
        self._standings = reading.rows("standings")
        self._attendance = reading.rows("attendance_heard")
        self._terms = reading.rows("cohort_terms_heard")

    def put_standing(self, enrolment_id: str, standing: Standing) -> None:
        """Keep the numbers behind the latest decision about an enrolment."""
        self._standings.replace_one({"_id": enrolment_id}, document_of(standing, enrolment_id), upsert=True)

    def standings(self, enrolment_ids: Sequence[str]) -> dict[str, Standing]:
        """Return the numbers behind the latest decisions, by enrolment."""
        return {row["_id"]: value_of(row, Standing) for row in self._standings.by_ids(enrolment_ids)}

    def put_attendance(self, told: AttendanceRecorded) -> None:
        """Keep what was recorded of one person at one session; the latest counts."""
        name = f"{told.enrolment_id}/{told.session}"
        self._attendance.replace_one({"_id": name}, document_of(told, name), upsert=True)

    def attendance_of(self, enrolment_id: str) -> list[AttendanceRecorded]:
        """Return what was recorded of one enrolment, in order of sessions."""
        found = self._attendance.find({"enrolment_id": enrolment_id}, sort=[("_id", 1)])
        return [value_of(row, AttendanceRecorded) for row in found]

    def put_terms(self, told: CohortTermsSet) -> None:
        """Keep a cohort's days, quotas and invitations; those of another owner under the same name stay."""
        name = f"{told.course}/{told.intake}"
        known = self._terms.find_one({"_id": name}, {"owner": 1})
        if known is None or known["owner"] == told.owner:
            self._terms.replace_one({"_id": name}, document_of(told, name), upsert=True)

    def terms(self) -> dict[tuple[str, str], CohortTermsSet]:
        """Return the days, quotas and invitations that were told, by course and intake."""
        found = [value_of(document, CohortTermsSet) for document in self._terms.find({})]
        return {(told.course, told.intake): told for told in found}
