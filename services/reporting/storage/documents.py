"""Documents of the board's database, there and back. Nothing is decided here.

Collections: `courses`, `enrolments` and `evaluations` (facts under their owners' opaque ids), `rollups`,
`change_rollups`, `publications`.
"""

from __future__ import annotations

from decimal import Decimal

from services.reporting.application.ports import KnownCourse
from services.reporting.domain.facts import Answers, EnrolmentFacts, EvaluationFacts, Fact
from services.reporting.domain.publication import (
    Cell,
    Column,
    FeedPosition,
    Headline,
    Kind,
    Note,
    Publication,
    PublishedTable,
)
from services.reporting.domain.rollups import Bucket, ChangeBucket, ChangeCounts, Counts
from services.reporting.domain.rounding import SUPPRESSED
from shared.storage.mongo import Document

COUNTED = ("nominated", "confirmed", "waiting", "withdrawn", "submitted", "passed", "awarded", "credits")


def key_of(organisation: str, identifier: str) -> str:
    """Return the `_id` of an employer's thing: another employer's id never meets it."""
    return f"{organisation}/{identifier}"


def enrolment_document(key: str, facts: EnrolmentFacts) -> Document:
    """Return the facts of an enrolment."""
    bucket = facts.bucket
    return {
        "_id": key,
        "bucket": None if bucket is None else _bucket_fields(bucket),
        "facts": sorted(fact.value for fact in facts.facts),
        "credits": [[credit_id, number] for credit_id, number in sorted(facts.credits.items())],
        "confirmed_route": facts.confirmed_route,
    }


def enrolment_facts(document: Document | None) -> EnrolmentFacts:
    """Return the facts in a document, empty ones for None."""
    if document is None:
        return EnrolmentFacts()
    bucket = document["bucket"]
    return EnrolmentFacts(
        bucket=None if bucket is None else Bucket(**bucket),
        facts=frozenset(Fact(value) for value in document["facts"]),
        credits=dict(document["credits"]),
        confirmed_route=document.get("confirmed_route"),
    )


def evaluation_document(key: str, facts: EvaluationFacts) -> Document:
    """Return the waves of a self-evaluation."""
    waves = {
        wave: {"framework": answers.framework, "ratings": dict(answers.ratings)}
        for wave, answers in facts.waves.items()
    }
    return {"_id": key, "waves": waves}


def evaluation_facts(document: Document | None) -> EvaluationFacts:
    """Return the waves in a document, none for None."""
    waves = {} if document is None else document["waves"]
    return EvaluationFacts({wave: Answers(each["framework"], each["ratings"]) for wave, each in waves.items()})


def bucket_id(bucket: Bucket) -> str:
    """Return the `_id` of a bucket."""
    return "|".join(_bucket_fields(bucket).values())


def bucket_update(bucket: Bucket, by: Counts) -> Document:
    """Return the update that adds to a bucket."""
    moved = {name: getattr(by, name) for name in COUNTED if getattr(by, name)}
    return {"$setOnInsert": _bucket_fields(bucket), "$inc": moved}


def bucket_counts(document: Document) -> tuple[Bucket, Counts]:
    """Return a bucket and its counts."""
    bucket = Bucket(**{name: document[name] for name in ("organisation", "course", "route", "level", "month")})
    return bucket, Counts(**{name: document.get(name, 0) for name in COUNTED})


def change_id(bucket: ChangeBucket) -> str:
    """Return the `_id` of a bucket of paired self-assessments."""
    return f"{bucket.organisation}|{bucket.course}"


def change_update(bucket: ChangeBucket, by: ChangeCounts) -> Document:
    """Return the update that adds to such a bucket."""
    moved = {f"sums.{domain}": number for domain, number in by.sums.items() if number}
    moved |= {f"people.{domain}": number for domain, number in by.people.items() if number}
    if by.paired:
        moved["paired"] = by.paired
    return {"$setOnInsert": {"organisation": bucket.organisation, "course": bucket.course}, "$inc": moved}


def change_counts(document: Document) -> tuple[ChangeBucket, ChangeCounts]:
    """Return such a bucket and its counts."""
    counts = ChangeCounts(document.get("paired", 0), document.get("sums", {}), document.get("people", {}))
    return ChangeBucket(document["organisation"], document["course"]), counts


def course_document(course: KnownCourse) -> Document:
    """Return a course."""
    return {
        "_id": course.code,
        "title": course.title,
        "level": course.level,
        "routes": list(course.routes),
        "credits_per_award": course.credits_per_award,
        "accreditation": course.accreditation,
        "evidence_set": course.evidence_set,
        "owner": course.owner,
        "position": course.position,
    }


def known_course(document: Document) -> KnownCourse:
    """Return the course in a document."""
    fields = {name: value for name, value in document.items() if name not in ("_id", "routes")}
    return KnownCourse(code=document["_id"], routes=tuple(document["routes"]), **fields)


def publication_document(publication: Publication) -> Document:
    """Return a publication."""
    headline = publication.headline
    return {
        "_id": publication.publication_id,
        "title": publication.title,
        "closed_at": publication.closed_at,
        "headline": {name: getattr(headline, name) for name in Headline.__dataclass_fields__},
        "tables": [_table_document(table) for table in publication.tables],
        "feeds": [{"feed": feed.feed, "number": feed.number, "head": feed.head} for feed in publication.feeds],
        "labels": [[code, label] for code, label in publication.labels.items()],
    }


def publication(document: Document) -> Publication:
    """Return the publication in a document."""
    return Publication(
        publication_id=document["_id"],
        title=document["title"],
        closed_at=document["closed_at"],
        headline=Headline(**document["headline"]),
        tables=tuple(_table(table) for table in document["tables"]),
        feeds=tuple(FeedPosition(**feed) for feed in document["feeds"]),
        labels=dict(document["labels"]),
    )


def _bucket_fields(bucket: Bucket) -> dict[str, str]:
    return {
        "organisation": bucket.organisation,
        "course": bucket.course,
        "route": bucket.route,
        "level": bucket.level,
        "month": bucket.month,
    }


def _table_document(table: PublishedTable) -> Document:
    return {
        "name": table.name,
        "title": table.title,
        "columns": [[column.name, column.title, column.kind.value] for column in table.columns],
        "rows": [[str(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in table.rows],
        "notes": [note.value for note in table.notes],
    }


def _table(document: Document) -> PublishedTable:
    columns = tuple(Column(name, title, Kind(kind)) for name, title, kind in document["columns"])
    return PublishedTable(
        name=document["name"],
        title=document["title"],
        columns=columns,
        rows=tuple(
            tuple(_cell(column, cell) for column, cell in zip(columns, row, strict=True)) for row in document["rows"]
        ),
        notes=tuple(Note(note) for note in document["notes"]),
    )


def _cell(column: Column, cell: str | int | None) -> Cell:
    if column.kind is Kind.MEAN and isinstance(cell, str) and cell != SUPPRESSED:
        return Decimal(cell)
    return cell
