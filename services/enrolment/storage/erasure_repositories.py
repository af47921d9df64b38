"""Erasures as kept, and the going through of everything that one employer's database holds, part by part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pymongo import DeleteOne, ReplaceOne

from services.enrolment.application.erasure_ports import Held
from services.enrolment.application.uploads import WORK_TO_DO
from services.enrolment.domain.erasures import RUNNING, SHUT, Erasure
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.records import Record
from services.enrolment.domain.traces import ERASED, Traces, cleaned
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from services.enrolment.storage.personal_data import CLEANED, DROPPED, PLACES, REMOVED
from shared.storage.erasures import STRAYS
from shared.storage.mongo import Document
from shared.storage.replies import REPLIES
from shared.storage.rows import Operation, chunks
from shared.storage.unit_of_work import Reading, Work

PART_ROWS: Final = 100
MOST_SHOWN: Final = 500
MOST_WALKED: Final = 20_000
"""Rows of one collection, the latest ones, that an access report goes through; past that it says that it is cut."""
PEOPLE: Final = "practitioners"
TAKEN: Final = "records_taken"
UPLOAD_ROWS: Final = "upload_rows"


class StoredErasures:
    """Erasures by id, which is also their order; nothing in them names anybody."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("erasures")
        self._known: dict[str, bool] | None = {} if isinstance(reading, Work) else None
        """Whom this transaction asked about already; what it reads does not change but by itself."""

    def find(self, erasure_id: str) -> Erasure | None:
        """Return it, or None."""
        found = self._rows.find_one({"_id": erasure_id})
        return value_of(found, Erasure) if found else None

    def latest(self, practitioner_id: str) -> Erasure | None:
        """Return the last one of a person, or None."""
        found = self._rows.find({"ids": practitioner_id}, sort=[("_id", -1)], limit=1)
        return value_of(found[0], Erasure) if found else None

    def page(self, after: str | None, limit: int) -> list[Erasure]:
        """Return erasures, oldest first."""
        return [value_of(row, Erasure) for row in self._rows.find(following(after), sort=[("_id", 1)], limit=limit)]

    def running(self) -> list[Erasure]:
        """Return those that a worker has to bring forward."""
        return [value_of(row, Erasure) for row in self._rows.find({"state": RUNNING}, sort=[("_id", 1)], limit=100)]

    def add(self, erasure: Erasure) -> Erasure:
        """Keep a new one and return it as kept."""
        return self.save(erasure)

    def save(self, erasure: Erasure) -> Erasure:
        """Keep it as its next version and return that."""
        kept = replace(erasure, version=erasure.version + 1)
        keep_version(self._rows, document_of(kept, kept.erasure_id))
        if self._known:
            self._known.clear()
        return kept

    def shut(self, practitioner_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these persons no door takes any more."""
        known = {} if self._known is None else self._known
        asked = [one for one in dict.fromkeys(practitioner_ids) if one not in known]
        wanted = [{"ids": {"$in": part}, "state": {"$in": list(SHUT)}} for part in chunks(asked)]
        found = {one for filter_ in wanted for row in self._rows.find(filter_) for one in row["ids"]}
        known.update((one, one in found) for one in asked)
        return frozenset(one for one in practitioner_ids if known[one])


class StoredEverywhere:
    """One employer's whole enrolment database."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def people(self, practitioner_id: str) -> list[Practitioner]:
        """Return the person and everybody who was merged into them."""
        rows = self._reading.rows(PEOPLE)
        found, wanted = rows.find({"_id": practitioner_id}), [practitioner_id]
        while wanted:
            merged = [row for part in chunks(wanted) for row in rows.find({"merged_into": {"$in": part}})]
            wanted = [row["_id"] for row in merged if row["_id"] not in {known["_id"] for known in found}]
            found += [row for row in merged if row["_id"] in wanted]
        return [value_of(row, Practitioner) for row in found]

    def steps(self) -> Sequence[str]:
        """Return the collections in the order in which they are gone through; other people's rows come along."""
        return (*(name for name, place in PLACES.items() if place.does in (CLEANED, DROPPED)), PEOPLE)

    def clean(self, collection: str, after: str | None, traces: Traces) -> tuple[str | None, int]:
        """Clean the next part of a collection; return where to go on (None: it is through) and how much changed."""
        rows = self._reading.rows(collection)
        part = rows.find(following(after), sort=[("_id", 1)], limit=PART_ROWS)
        operations = [operation for document in part if (operation := _operation(collection, document, traces))]
        rows.bulk_write(operations)
        return (str(part[-1]["_id"]) if len(part) == PART_ROWS else None), len(operations)

    def files_before(self, moment: datetime) -> bool:
        """Return whether a file that came before is still at work or still lies there."""
        if self._reading.rows("contents").find_one({"kept_at": {"$lte": moment}}, {"_id": 1}) is not None:
            return True
        at_work = self._reading.rows("uploads").find(
            {"state": {"$in": list(WORK_TO_DO)}}, projection={"uploaded_at": 1}
        )
        return any(datetime.fromisoformat(row["uploaded_at"]) <= moment for row in at_work)

    def remove_person(self, traces: Traces) -> int:
        """Remove the person's own rows, the last thing of an erasure; return the version of the last of them."""
        rows = self._reading.rows(PEOPLE)
        found = [row for name in sorted(traces.ids) for row in rows.find({"_id": name}, projection={"version": 1})]
        for collection, place in PLACES.items():
            for field in place.found_by if place.does == REMOVED else ():
                for name in sorted(traces.ids):
                    self._reading.rows(collection).delete_many({field: name})
        return max((int(row["version"]) for row in found), default=0)

    def report(self, traces: Traces) -> list[Held]:
        """Return all that is held of a person, for the person."""
        walked = {*self.steps(), PEOPLE}
        return [
            self._held(name, traces, walks=name in walked) for name in PLACES if PLACES[name].found_by or name in walked
        ]

    def _held(self, name: str, traces: Traces, *, walks: bool) -> Held:
        """Return the person's own rows, which an index finds, and whatever else an erasure would find of them."""
        rows, place = self._reading.rows(name), PLACES[name]
        found: list[Document] = []
        if name == TAKEN:
            found = [row for reference in self._references(traces) for row in rows.find(_taken_by(reference))]
        elif place.found_by == ("record.employee_ref",):
            wanted = self._references(traces)
            found = [row for one in wanted for row in rows.find({"record.employee_ref": one}, limit=MOST_SHOWN + 1)]
        else:
            for identity in self._enrolments(traces) if place.by_enrolment else sorted(traces.ids):
                found += [row for field in place.found_by for row in rows.find({field: identity}, limit=MOST_SHOWN + 1)]
        shown = {str(row["_id"]): dict(flat(row)) for row in found}
        is_cut = walks and name != TAKEN and not self._walk(name, traces, shown)
        return Held(name, place.purpose, list(shown.values())[:MOST_SHOWN], is_cut or len(shown) > MOST_SHOWN)

    def _walk(self, name: str, traces: Traces, shown: dict[str, dict[str, str]]) -> bool:
        """Add what else of a collection tells of the person, latest first; return whether all of it was looked at."""
        rows, hint, walked = self._reading.rows(name), _hint(traces), 0
        wanted: dict[str, object] = {}
        while part := rows.find(wanted, sort=[("_id", -1)], limit=PART_ROWS):
            for row in part:
                if str(row["_id"]) not in shown and (told := _told(name, row, traces, hint)):
                    shown[str(row["_id"])] = told
            walked, wanted = walked + len(part), {"_id": {"$lt": part[-1]["_id"]}}
            if walked >= MOST_WALKED or len(shown) > MOST_SHOWN:
                return False
        return True

    def _enrolments(self, traces: Traces) -> list[str]:
        """Return the ids of the person's enrolments."""
        rows = self._reading.rows("enrolments")
        return [
            row["_id"] for one in sorted(traces.ids) for row in rows.find({"practitioner_id": one}, limit=MOST_SHOWN)
        ]

    def _references(self, traces: Traces) -> list[str]:
        """Return the person's references as they are spelled."""
        return sorted({person.employee_ref for name in traces.ids for person in self.people(name)})


def _operation(collection: str, document: Document, traces: Traces) -> Operation | None:
    """Return what an erasure does to one row, None where it has no trace of the person."""
    named = {"_id": document["_id"]}
    if collection == TAKEN:
        reference = json.loads(document["_id"])[0]
        return DeleteOne(named) if isinstance(reference, str) and traces.is_reference(reference) else None
    if collection == REPLIES:
        return DeleteOne(named) if traces.is_bytes(bytes(document["content"] or b"")) else None
    if collection == STRAYS:
        return _emptied_stray(document)
    if collection == PEOPLE and str(document["_id"]).casefold() in traces.ids:
        return None
    if collection == UPLOAD_ROWS and traces.is_row(document["record"], document["cells"]):
        return ReplaceOne(named, _blank_row(document))
    after = _after(collection, document, traces)
    return ReplaceOne(named, after) if after != document else None


def _hint(traces: Traces) -> re.Pattern[str]:
    """Return a quick look: without one of these words somewhere in a row there is no trace of the person in it."""
    names = {word for both in traces.names for word in both}
    words = sorted({*traces.ids, *traces.references, *traces.texts, *names})
    return re.compile("|".join(map(re.escape, words)))


def _told(collection: str, document: Document, traces: Traces, hint: re.Pattern[str]) -> dict[str, str]:
    """Return what a row tells of the person: all of one about them, of one about somebody else what names them."""
    before = flat(document)
    if not hint.search(" ".join(f"{name} {text}" for name, text in before).casefold()):
        return {}
    if collection == STRAYS:
        return dict(before) if _is_strays(document, traces) else {}
    operation = _operation(collection, document, traces)
    if operation is None:
        return {}
    if collection == REPLIES or (collection == UPLOAD_ROWS and traces.is_row(document["record"], document["cells"])):
        return dict(before)
    after = dict(flat(_after(collection, document, traces)))
    left = set(after.values())
    return {"_id": str(document["_id"])} | {
        name: text for name, text in before if after.get(name) != text and (text not in left or traces.is_text(name))
    }


def _is_strays(document: Document, traces: Traces) -> bool:
    """Return whether what somebody wrote onto the wrong topic tells of the person."""
    texts = [text for name, text in flat(document) if name.startswith("raw_")]
    return any(traces.is_bytes(text.encode()) or traces.is_reference(text) for text in texts)


def _after(collection: str, document: Document, traces: Traces) -> Document:
    """Return a row as an erasure leaves it."""
    after: Document = cleaned(document, traces)
    if collection == UPLOAD_ROWS:
        after["cells"] = {name: ERASED if traces.is_reference(cell) else cell for name, cell in after["cells"].items()}
    return after


def _emptied_stray(document: Document) -> Operation | None:
    if document["number"] is not None or not (document.get("raw_value") or document.get("raw_headers")):
        return None
    return ReplaceOne({"_id": document["_id"]}, {**document, "raw_key": None, "raw_value": None, "raw_headers": []})


def _blank_row(document: Document) -> Document:
    """Return a file's row that says of nobody that it was refused or taken."""
    faults = [{**fault, "detail": ERASED} for fault in document["faults"]]
    blank = document_of(Record(), "")
    blank.pop("_id")
    return {**document, "record": blank, "cells": {}, "key": ERASED, "fingerprint": ERASED, "faults": faults}


def _taken_by(reference: str) -> Mapping[str, object]:
    prefix = json.dumps([reference], ensure_ascii=False)[:-1] + ", "
    return {"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}}


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:  # noqa: ANN401 - whatever was kept
    """Return a document as names and texts: `line_managers.0.from_on` -> `2024-09-01`; what is empty is left out."""
    if isinstance(value, Mapping):
        return [pair for key, one in value.items() for pair in flat(one, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list):
        return [pair for place, one in enumerate(value) for pair in flat(one, f"{name}.{place}")]
    if value is None or value == "":
        return []
    if isinstance(value, bytes):
        return [(name, value.decode("utf-8", "replace"))]
    return [(name, value.isoformat() if isinstance(value, datetime) else str(value))]
