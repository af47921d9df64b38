"""The board's database as the application's ports want it.

Roll-ups are folded: what one transaction adds to a bucket is one update. No rule of counting lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from weakref import WeakKeyDictionary

from pymongo import ReplaceOne, UpdateOne

from services.reporting.application.ports import FeedState, KnownCourse
from services.reporting.domain.facts import EnrolmentFacts, EvaluationFacts
from services.reporting.domain.publication import Publication
from services.reporting.domain.rollups import NOTHING, Bucket, ChangeBucket, ChangeCounts, Counts
from services.reporting.storage import documents
from services.reporting.storage.slots import current_slot
from shared.storage import erasures
from shared.storage.mongo import Document
from shared.storage.rows import Rows, chunks
from shared.storage.unit_of_work import Reading, Work

COURSES = "courses"
ENROLMENTS = "enrolments"
EVALUATIONS = "evaluations"
ROLLUPS = "rollups"
CHANGE_ROLLUPS = "change_rollups"
PUBLICATIONS = "publications"


class MongoProjections:
    """The projections of one transaction, folded in memory and written once, before its commit.

    What is told in a transaction is seen by its later reactions here, and by `MongoCounted` only after the commit.
    """

    def __init__(self, work: Work, slot: str | None = None) -> None:
        self._work = work
        self._slot = current_slot(work) if slot is None else slot
        self._enrolments: dict[str, EnrolmentFacts] = {}
        self._evaluations: dict[str, EvaluationFacts] = {}
        self._absent: set[str] = set()
        """What was looked for and is not there yet: inserting it is much cheaper than an upsert."""
        self._changed_enrolments: set[str] = set()
        self._changed_evaluations: set[str] = set()
        self._moves: dict[Bucket, Counts] = {}
        self._change_moves: dict[ChangeBucket, ChangeCounts] = {}

    def _rows(self, name: str) -> Rows:
        return self._work.rows(f"{name}{self._slot}")

    def enrolment(self, organisation: str, enrolment_id: str) -> EnrolmentFacts:
        """Return what is known of an employer's enrolment; empty facts for an unknown one."""
        key = documents.key_of(organisation, enrolment_id)
        if key not in self._enrolments:
            self._enrolments[key] = documents.enrolment_facts(self._one(ENROLMENTS, key))
        return self._enrolments[key]

    def expect_enrolments(self, named: Collection[tuple[str, str]]) -> None:
        """Read at once what will be asked of these enrolments: employer and enrolment id."""
        found = self._expected(ENROLMENTS, named, self._enrolments)
        self._enrolments.update((key, documents.enrolment_facts(document)) for key, document in found)

    def keep_enrolment(self, organisation: str, enrolment_id: str, facts: EnrolmentFacts) -> None:
        """Keep the facts in place of what was known."""
        key = documents.key_of(organisation, enrolment_id)
        self._enrolments[key] = facts
        self._changed_enrolments.add(key)

    def evaluation(self, organisation: str, evaluation_id: str) -> EvaluationFacts:
        """Return what is known of a self-evaluation; empty facts for an unknown one."""
        key = documents.key_of(organisation, evaluation_id)
        if key not in self._evaluations:
            self._evaluations[key] = documents.evaluation_facts(self._one(EVALUATIONS, key))
        return self._evaluations[key]

    def expect_evaluations(self, named: Collection[tuple[str, str]]) -> None:
        """Read at once what will be asked of these self-evaluations: employer and evaluation id."""
        found = self._expected(EVALUATIONS, named, self._evaluations)
        self._evaluations.update((key, documents.evaluation_facts(document)) for key, document in found)

    def _one(self, name: str, key: str) -> Document | None:
        found = self._rows(name).find_one({"_id": key})
        return self._noted(name, key, found)

    def _noted(self, name: str, key: str, found: Document | None) -> Document | None:
        if found is None:
            self._absent.add(f"{name}/{key}")
        return found

    def _expected(
        self, name: str, named: Collection[tuple[str, str]], known: Container[str]
    ) -> Iterator[tuple[str, Document | None]]:
        """Yield each key that is not known yet with its document, None where there is none."""
        keys = sorted({documents.key_of(*each) for each in named})
        for chunk in chunks([key for key in keys if key not in known]):
            found = {document["_id"]: document for document in self._rows(name).find({"_id": {"$in": list(chunk)}})}
            yield from ((key, self._noted(name, key, found.get(key))) for key in chunk)

    def keep_evaluation(self, organisation: str, evaluation_id: str, facts: EvaluationFacts) -> None:
        """Keep the facts in place of what was known."""
        key = documents.key_of(organisation, evaluation_id)
        self._evaluations[key] = facts
        self._changed_evaluations.add(key)

    def move(self, bucket: Bucket, by: Counts) -> None:
        """Add to a bucket."""
        self._moves[bucket] = self._moves.get(bucket, NOTHING).plus(by)

    def move_change(self, bucket: ChangeBucket, by: ChangeCounts) -> None:
        """Add to a bucket of paired self-assessments."""
        self._change_moves[bucket] = self._change_moves.get(bucket, ChangeCounts()).plus(by)

    def course(self, code: str) -> KnownCourse | None:
        """Return a course, None for an unknown one."""
        found = self._rows(COURSES).find_one({"_id": code})
        return None if found is None else documents.known_course(found)

    def keep_course(self, course: KnownCourse) -> None:
        """Keep a course in place of what was known of it."""
        document = documents.course_document(course)
        self._rows(COURSES).replace_one({"_id": course.code}, document, upsert=True)

    def answers_erasure(self, employer: str, practitioner_id: str, number: int) -> bool:
        """Return whether this erasure is still to be answered, and keep that it was."""
        return erasures.is_news(self._work, employer, practitioner_id, number)

    def write(self) -> None:
        """Write each touched document once and each touched bucket once."""
        kept = [documents.enrolment_document(key, self._enrolments[key]) for key in sorted(self._changed_enrolments)]
        self._put(ENROLMENTS, kept)
        kept = [documents.evaluation_document(key, self._evaluations[key]) for key in sorted(self._changed_evaluations)]
        self._put(EVALUATIONS, kept)
        self._rows(ROLLUPS).bulk_write(
            [
                UpdateOne({"_id": documents.bucket_id(bucket)}, documents.bucket_update(bucket, by), upsert=True)
                for bucket, by in sorted(self._moves.items(), key=lambda move: move[0])
                if not by.is_nothing
            ]
        )
        self._rows(CHANGE_ROLLUPS).bulk_write(
            [
                UpdateOne({"_id": documents.change_id(bucket)}, documents.change_update(bucket, by), upsert=True)
                for bucket, by in sorted(self._change_moves.items(), key=lambda move: move[0])
                if not by.is_nothing
            ]
        )

    def _put(self, name: str, documents: Sequence[Document]) -> None:
        fresh = [document for document in documents if f"{name}/{document['_id']}" in self._absent]
        known = [document for document in documents if f"{name}/{document['_id']}" not in self._absent]
        self._rows(name).insert_many(fresh)
        self._rows(name).bulk_write([ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in known])


class MongoCounted:
    """The roll-ups for queries: all of one projection, whichever is the current one meanwhile."""

    def __init__(self, reading: Reading, slot: str | None = None) -> None:
        self._reading = reading
        self._slot = current_slot(reading) if slot is None else slot

    def _rows(self, name: str) -> Rows:
        return self._reading.rows(f"{name}{self._slot}")

    def courses(self) -> tuple[KnownCourse, ...]:
        """Return the courses in the order in which they were first published."""
        found = (documents.known_course(document) for document in self._rows(COURSES).find({}))
        return tuple(sorted(found, key=lambda course: (course.owner, course.position)))

    def counts(self) -> Mapping[Bucket, Counts]:
        """Return every bucket with its counts."""
        return dict(documents.bucket_counts(document) for document in self._rows(ROLLUPS).find({}))

    def changes(self) -> Mapping[ChangeBucket, ChangeCounts]:
        """Return every bucket of paired self-assessments."""
        return dict(documents.change_counts(document) for document in self._rows(CHANGE_ROLLUPS).find({}))


class MongoPublications:
    """The closed publications."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows(PUBLICATIONS)

    def all(self) -> tuple[Publication, ...]:
        """Return all publications, the latest first; empty before the first."""
        found = [documents.publication(document) for document in self._rows.find({})]
        return tuple(sorted(found, key=lambda each: (each.closed_at, each.publication_id), reverse=True))

    def find(self, publication_id: str) -> Publication | None:
        """Return one publication, None for an unknown id."""
        found = self._rows.find_one({"_id": publication_id})
        return None if found is None else documents.publication(found)

    def add(self, publication: Publication) -> None:
        """Keep a new publication for ever."""
        self._rows.insert_one(documents.publication_document(publication))


class MongoFeeds:
    """How far the feeds were read, told by a function that knows the reader's positions."""

    def __init__(self, reading: Reading, states: Callable[[Reading], tuple[FeedState, ...]]) -> None:
        self._reading = reading
        self._states = states

    def states(self) -> tuple[FeedState, ...]:
        """Return the state of every feed that was heard of, by name."""
        return tuple(sorted(self._states(self._reading), key=lambda state: state.feed))


class RebuiltProjections(MongoProjections):
    """The projections of one transaction of a rebuild, in the collections that nobody reads yet."""

    def answers_erasure(self, employer: str, practitioner_id: str, number: int) -> bool:  # noqa: ARG002
        """Return False: whoever is to be answered was answered by the running one."""
        return False


class MongoRooms:
    """Opens the board's database."""

    def __init__(self, states: Callable[[Reading], tuple[FeedState, ...]]) -> None:
        self._states = states
        self._open: WeakKeyDictionary[Work, MongoProjections] = WeakKeyDictionary()

    def projections(self, work: Work) -> MongoProjections:
        """Return the projections of a transaction, the same for the same one; they are written before its commit."""
        projections = self._open.get(work)
        if projections is None:
            projections = self._open[work] = MongoProjections(work)
            work.before_commit(projections.write)
        return projections

    def counted(self, reading: Reading) -> MongoCounted:
        """Return the roll-ups."""
        return MongoCounted(reading)

    def publications(self, reading: Reading) -> MongoPublications:
        """Return the closed publications."""
        return MongoPublications(reading)

    def feeds(self, reading: Reading) -> MongoFeeds:
        """Return the feeds' states."""
        return MongoFeeds(reading, self._states)
