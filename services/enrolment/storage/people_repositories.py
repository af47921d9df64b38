"""The employer's practitioners, who of them may be one person, and to whom an identity was released."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

from pymongo import DeleteOne

from services.enrolment.application.duplicate_ports import Candidate, ToMatch
from services.enrolment.application.ports import PeopleFilter, PeoplePage
from services.enrolment.domain.duplicates import MOST_ALIKE, REASONS, folded, match_keys
from services.enrolment.domain.errors import PersonErased
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.erasure_repositories import StoredErasures
from services.enrolment.storage.keeping import following
from shared.storage.mongo import Document
from shared.storage.pages import Paged, milestone_of
from shared.storage.rows import chunks
from shared.storage.unit_of_work import Reading, Work


class StoredPeople:
    """Practitioners by opaque id."""

    def __init__(self, reading: Reading, erasures: StoredErasures) -> None:
        self._reading = reading
        self._erasures = erasures
        self._rows = reading.rows("practitioners")
        self._candidates = reading.rows("practitioner_duplicates")
        self._to_match = reading.rows("practitioners_to_match")
        self._keys = reading.rows("practitioner_match_keys")
        self._merged: dict[str, str] | None = None

    def find(self, practitioner_id: str) -> Practitioner | None:
        """Return the person, or None."""
        found = self._rows.find_one({"_id": practitioner_id})
        return value_of(found, Practitioner) if found else None

    def many(self, ids: Sequence[str]) -> dict[str, Practitioner]:
        """Return the persons found, by id."""
        return {row["_id"]: value_of(row, Practitioner) for row in self._rows.by_ids(ids)}

    def page(self, after: str | None, limit: int) -> list[Practitioner]:
        """Return persons in order of id; who was merged into another is not listed."""
        found = Paged(self._rows, [("merged_into",)]).page({"merged_into": None}, after=after, limit=limit)
        return [value_of(row, Practitioner) for row in found]

    def by_name(self, after: str | None, limit: int, wanted: PeopleFilter) -> PeoplePage:
        """Return persons in order of their names as last told; who was merged into another is not listed."""
        rows = list(self._rows.find(_asked(wanted, after), sort=[("called", 1)], limit=limit + 1))
        people = [value_of(row, Practitioner) for row in rows[:limit]]
        return PeoplePage(people, rows[limit - 1]["called"] if len(rows) > limit else None)

    def count(self, wanted: PeopleFilter, most: int) -> int:
        """Return how many there are, counted up to `most`."""
        return self._rows.count(_asked(wanted, None), most=most)

    def save(self, people: Sequence[Practitioner]) -> list[Practitioner]:
        """Keep each as its next version and return those, in the same order.

        Raises:
            PersonErased: One of them was erased, or is being erased: nothing may be written that nobody looks for.
        """
        if self._erasures.shut([person.practitioner_id for person in people]):
            raise PersonErased("this person was erased: say on purpose that they are back")
        kept = [replace(person, version=person.version + 1) for person in people]
        documents = [_document(person) for person in kept]
        self._rows.insert_many([document for document in documents if document["version"] == 1])
        for document in documents:
            if document["version"] > 1:
                self._rows.replace_version(document, document["version"] - 1)
        if kept:  # to look for others like them here would double the time that a file takes: a worker does it
            work = cast("Work", self._reading)
            self._to_match.insert_one({"_id": work.new_id(), "ids": [person.practitioner_id for person in kept]})
        if any(person.merged_into for person in [*people, *kept]):
            self._merged = None
        return kept

    def hold(self, ids: Sequence[str]) -> None:
        """Let nobody else change or hold these people at the same time: of two transactions that do, one runs again.

        Their documents are written to, and nothing in them that anybody reads: their versions stay.
        """
        for part in chunks(list(dict.fromkeys(ids))):
            self._rows.update_many({"_id": {"$in": part}}, {"$set": {"held": cast("Work", self._reading).new_id()}})

    def survivor_of(self, practitioner_id: str) -> str:
        """Return the id that this one leads to: itself, unless it was merged into another.

        Where ids lead round in a circle, which no merge makes, all of them lead to the least: nobody waits for ever.
        """
        merged = self._merges()
        passed: list[str] = []
        while practitioner_id in merged:
            if practitioner_id in passed:
                return min(passed[passed.index(practitioner_id) :])
            passed.append(practitioner_id)
            practitioner_id = merged[practitioner_id]
        return practitioner_id

    def merged_into(self, practitioner_id: str) -> list[Practitioner]:
        """Return everybody whose id leads to this one, in order of id."""
        ids = [one for one in self._merges() if one != practitioner_id and self.survivor_of(one) == practitioner_id]
        return [person for _, person in sorted(self.many(ids).items())]

    def survivors(self) -> frozenset[str]:
        """Return the ids to which others lead."""
        return frozenset(self.survivor_of(one) for one in self._merges())

    def forget_merges(self) -> None:
        """Look again at who was merged: somebody just was."""
        self._merged = None

    def to_match(self, most: int) -> ToMatch:
        """Return whom to hold against the others next: whole batches, until there are `most` people."""
        batches: list[str] = []
        ids: dict[str, None] = {}
        for row in self._to_match.find({}, sort=[("_id", 1)], limit=most):
            if len(ids) >= most:
                break
            batches.append(row["_id"])
            ids.update(dict.fromkeys(row["ids"]))
        return ToMatch(tuple(batches), tuple(ids))

    def alike(self, people: Sequence[Practitioner]) -> list[Candidate]:
        """Return the pairs of these people with anybody who is like them and not said to be another."""
        pairs: dict[str, Candidate] = {}
        present = {one.practitioner_id: match_keys(one) for one in people if one.merged_into is None}
        for reason in REASONS:
            mine = {name: value for name, keys in present.items() if (value := keys[reason])}
            groups = self._groups(reason, mine, {person.practitioner_id for person in people})
            for name, value in mine.items():
                for other in groups[value] - {name} if len(groups[value]) <= MOST_ALIKE else ():
                    pair = Candidate.of(name, other)
                    pairs[pair.pair] = pair
        apart = {row["_id"] for row in self._candidates.by_ids(list(pairs)) if row["kept_apart"]}
        return [pair for name, pair in sorted(pairs.items()) if name not in apart]

    def keep_matched(self, due: ToMatch, people: Sequence[Practitioner], found: Sequence[Candidate]) -> None:
        """Keep that these people were held against the others, with the pairs that were found and no others."""
        known = [
            row
            for name in ("one_id", "other_id")
            for part in chunks(due.ids)
            for row in self._candidates.find({name: {"$in": part}})
        ]
        right = {pair.pair for pair in found}
        gone = {row["_id"] for row in known if not row["kept_apart"]} - right
        self._candidates.bulk_write([DeleteOne({"_id": name}) for name in sorted(gone)])
        kept = {row["_id"] for row in known}
        self._candidates.insert_many([document_of(pair, pair.pair) for pair in found if pair.pair not in kept])
        for part in chunks(due.ids):
            self._keys.delete_many({"_id": {"$in": part}})
        present = [one for one in people if one.merged_into is None]
        self._keys.insert_many([{"_id": one.practitioner_id, **match_keys(one)} for one in present])
        for part in chunks(due.batches):
            self._to_match.delete_many({"_id": {"$in": part}})

    def candidates(self, after: str | None, limit: int) -> list[Candidate]:
        """Return kept pairs that are not said to be two, in order of their name."""
        found = self._candidates.find({"kept_apart": False, **following(after)}, sort=[("_id", 1)], limit=limit)
        return [value_of(row, Candidate) for row in found]

    def save_candidate(self, candidate: Candidate) -> None:
        """Keep what is known of a pair."""
        self._candidates.replace_one({"_id": candidate.pair}, document_of(candidate, candidate.pair), upsert=True)

    def log_release(self, practitioner_id: str, asking: str, purpose: str) -> None:
        """Keep who was given whose identity, why and when."""
        work = cast("Work", self._reading)
        release = {"practitioner_id": practitioner_id, "asking": asking, "purpose": purpose, "released_at": work.now}
        work.rows("identity_releases").insert_one({"_id": work.new_id(), **release})

    def _merges(self) -> dict[str, str]:
        """Return who leads to whom. Read once a transaction: an employer merges some people, not most."""
        if self._merged is None:
            found = self._rows.find({"merged_into": {"$gt": ""}}, projection={"merged_into": 1})
            self._merged = {row["_id"]: row["merged_into"] for row in found}
        return self._merged

    def _groups(self, reason: str, mine: Mapping[str, str], due: Collection[str]) -> dict[str, set[str]]:
        """Return by value who has it: these people, and of those looked at before as many as matter."""
        groups: dict[str, set[str]] = {}
        for name, value in mine.items():
            groups.setdefault(value, set()).add(name)
        for part in chunks(sorted(groups)):
            most = len(part) * MOST_ALIKE
            rows = self._keys.find({reason: {"$in": part}}, projection={reason: 1}, limit=most + 1)
            if len(rows) > most:  # one value of many people would hide the others'
                rows = [row for value in part for row in self._first_of(reason, value)]
            for row in rows:
                if row["_id"] not in due:  # theirs may be what they were before
                    groups[row[reason]].add(row["_id"])
        return groups

    def _first_of(self, reason: str, value: str) -> list[Document]:
        return self._keys.find({reason: value}, projection={reason: 1}, limit=MOST_ALIKE + 1)


def _document(person: Practitioner) -> Document:
    """Return the document, with the name in one spelling to be listed by; the id makes it one of its own."""
    called = f"{folded(person.family_name)}|{folded(person.given_name)}|{person.practitioner_id}"
    return document_of(person, person.practitioner_id, called=called, **milestone_of(person.practitioner_id))


def _asked(wanted: PeopleFilter, after: str | None) -> Document:
    """Return the conditions of a list of people by name, after the last one of the page before."""
    asked: Document = {"merged_into": None}
    if wanted.team is not None:
        asked["team"] = wanted.team
    if wanted.pcf_level is not None:
        asked["pcf_level"] = wanted.pcf_level
    called: dict[str, str] = {}
    if wanted.name is not None:
        start = folded(wanted.name)
        called = {"$gte": start, "$lt": f"{start}\U0010ffff"}
    if after is not None:
        called["$gt"] = after
    return {**asked, "called": called} if called else asked
