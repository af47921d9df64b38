"""One collection as a callback sees it: bound to its transaction's session, or to none for reading.

Only what every MongoDB-compatible server has. Documents go in and out; their shape belongs to a service's storage room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, Unavailable
from shared.storage.bundle import CHANGED, Bundle
from shared.storage.mongo import Document, server_is_gone

T = TypeVar("T")
Item = TypeVar("Item")
Filter = Mapping[str, object]
Sort = Sequence[tuple[str, int]]
Lead = str | Mapping[str, object]
"""What leads to an id: a field that holds it, or an expression that gives it."""
Operation = InsertOne[Document] | ReplaceOne[Document] | UpdateOne | UpdateMany | DeleteOne | DeleteMany


MOST_KEYS: Final = 100
"""How many keys one `$in` may have; more is slow on the local database."""


DOCUMENTS_AT_ONCE: Final = 100
"""How many documents the database hands out at a time where many are gone through."""


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield `items` in parts of at most `MOST_KEYS`."""
    for start in range(0, len(items), MOST_KEYS):
        yield items[start : start + MOST_KEYS]


class Rows:
    """One collection.

    In a transaction errors reach the unit of work as they are; outside one, a lost server is `Unavailable`.
    """

    def __init__(
        self,
        collection: Collection[Document],
        session: ClientSession | None,
        notice: Callable[[str], None] | None = None,
        bundle: Bundle | None = None,
    ) -> None:
        self._collection = collection
        self._session = session
        self._notice = notice
        self._bundle = bundle

    def _ask(self, question: Callable[[], T]) -> T:
        if self._bundle is not None:
            self._bundle.before(self._collection.name)
        if self._session is not None:
            return question()
        try:
            return question()
        except PyMongoError as error:
            if server_is_gone(error):
                raise Unavailable("the database does not answer") from error
            raise

    def _change(self, change: Callable[[], T]) -> T:
        """Carry out a write, and say in which collection."""
        self._say_changed()
        if self._bundle is not None:
            self._bundle.forget(self._collection.name)
        return self._ask(change)

    def _say_changed(self) -> None:
        if self._notice is not None:
            self._notice(self._collection.name)

    def _is_held(self, docs: Sequence[Document]) -> bool:
        """Return whether documents to insert go with the transaction's others, and say in which collection."""
        if self._bundle is None:
            return False
        self._say_changed()
        self._bundle.add(self._collection.name, docs)
        return True

    def find_one(
        self, filter: Filter, projection: Mapping[str, object] | None = None, sort: Sort | None = None
    ) -> Document | None:
        """Return the first document that matches, or None."""
        if self._bundle is not None and projection is None:
            known = self._bundle.known(self._collection.name, filter)
            if known is not None:
                return known.document
        return self._ask(lambda: self._collection.find_one(filter, projection, sort=sort, session=self._session))

    def find(
        self,
        filter: Filter,
        *,
        sort: Sort | None = None,
        limit: int = 0,
        projection: Mapping[str, object] | None = None,
    ) -> list[Document]:
        """Return all documents that match, at most `limit` of them (0: no limit)."""
        return self._ask(
            lambda: list(self._collection.find(filter, projection, sort=sort, limit=limit, session=self._session))
        )

    def each(self, filter: Filter) -> Iterator[Document]:
        """Yield all documents that match, with few of them as the database gave them in memory; in a transaction only.

        Outside one, nobody would say that the server is gone on the way.
        """
        if self._session is None:
            message = "documents are gone through one by one in a transaction only"
            raise ValueError(message)
        yield from self._ask(lambda: self._collection.find(filter, batch_size=DOCUMENTS_AT_ONCE, session=self._session))

    def count(self, filter: Filter, *, most: int | None = None) -> int:
        """Return how many documents match, counted one by one; with `most` the counting ends there."""
        limit = {} if most is None else {"limit": most}
        return self._ask(lambda: self._collection.count_documents(filter, session=self._session, **limit))

    def aggregate(self, pipeline: Sequence[Mapping[str, object]]) -> list[Document]:
        """Return what the pipeline gives."""
        return self._ask(lambda: list(self._collection.aggregate(list(pipeline), session=self._session)))

    def by_ids(self, ids: Sequence[str]) -> list[Document]:
        """Return the documents of these ids, each once, in whatever order; what the transaction knows is not asked."""
        found: list[Document] = []
        asked: list[str] = []
        for identifier in dict.fromkeys(ids):
            known = None if self._bundle is None else self._bundle.known(self._collection.name, {"_id": identifier})
            if known is None:
                asked.append(identifier)
            elif known.document is not None:
                found.append(known.document)
        return found + [document for part in chunks(asked) for document in self.find({"_id": {"$in": part}})]

    @property
    def remembers(self) -> bool:
        """Whether what is read beside a document here is given again without asking: in a request's transaction."""
        return self._bundle is not None

    def beside(self, identifier: object, others: Mapping[str, Lead]) -> dict[str, Document | None]:
        """Return one document each of other collections, in one command: those that a document here leads to.

        Args:
            identifier: The `_id` of the document here.
            others: Collection -> the field here that holds the `_id` there, `_id` itself for one of the same id; or
                an expression of the database that gives it, as `{"$literal": id}`.

        None stands for a document that is not there, also where there is none here. In a request's transaction all
        of them, and the document here, are not asked for again when somebody wants them by their ids; where there is
        none here, only that is known.
        """
        bundle = self._bundle
        if bundle is not None:
            bundle.before(self._collection.name, *others)
        found = self.aggregate(_beside(identifier, others, whole=bundle is not None))
        here = found[0] if found else None
        shown = here.pop(BESIDE) if here is not None else {}
        documents = {name: next(iter(shown.get(name, ())), None) for name in others}
        if bundle is not None:
            bundle.know(self._collection.name, identifier, here)
            asked = shown.get(ASKED, {})
            for name, document in documents.items():
                lead = others[name]
                wanted = document["_id"] if document is not None else asked.get(name)
                if wanted is None and here is not None and isinstance(lead, str):
                    wanted = here.get(lead)
                if wanted is not None:
                    bundle.know(name, wanted, document)
        return documents

    def insert_one(self, doc: Document) -> None:
        """Insert one document; one with the same unique key makes the whole callback run again."""
        if not self._is_held([doc]):
            self._change(lambda: self._collection.insert_one(doc, session=self._session))

    def insert_many(self, docs: Sequence[Document]) -> None:
        """Insert documents, in whatever order; in a transaction it is all or none, and none is fine."""
        if docs and not self._is_held(docs):
            self._change(lambda: self._collection.insert_many(list(docs), ordered=False, session=self._session))

    def replace_one(self, filter: Filter, doc: Document, *, upsert: bool = False) -> int:
        """Replace one document; return how many matched (0 or 1)."""
        return self._change(
            lambda: self._collection.replace_one(filter, doc, upsert=upsert, session=self._session).matched_count
        )

    def update_one(self, filter: Filter, update: Filter, *, upsert: bool = False) -> int:
        """Update one document; return how many matched (0 or 1)."""
        return self._change(
            lambda: self._collection.update_one(filter, update, upsert=upsert, session=self._session).matched_count
        )

    def update_many(self, filter: Filter, update: Filter) -> int:
        """Update all documents that match; return how many matched."""
        return self._change(lambda: self._collection.update_many(filter, update, session=self._session).matched_count)

    def delete_one(self, filter: Filter) -> int:
        """Delete one document; return how many went (0 or 1)."""
        return self._change(lambda: self._collection.delete_one(filter, session=self._session).deleted_count)

    def delete_many(self, filter: Filter) -> int:
        """Delete all documents that match; return how many went."""
        return self._change(lambda: self._collection.delete_many(filter, session=self._session).deleted_count)

    def bulk_write(self, ops: Sequence[Operation]) -> None:
        """Carry out the operations, in order; none is fine."""
        if ops:
            self._change(lambda: self._collection.bulk_write(list(ops), session=self._session))

    def replace_version(self, doc: Document, expected: int) -> None:
        """Replace the document of this `_id` that has version `expected` by `doc`, whose version is one more.

        Raises:
            ConcurrentChange: Somebody else changed it first; the unit of work runs the callback again.
        """
        if doc["version"] != expected + 1:
            message = "a document's version rises by one at a time"
            raise ValueError(message)
        if self._bundle is not None:
            self._say_changed()
            self._bundle.replace(self._collection.name, {"_id": doc["_id"], "version": expected}, doc)
        elif self.replace_one({"_id": doc["_id"], "version": expected}, doc) == 0:
            raise ConcurrentChange(CHANGED)


BESIDE: Final = "beside"
ASKED: Final = "asked"
"""Where an aggregation keeps what it found beside a document, and under which ids it looked."""


def _beside(identifier: object, others: Mapping[str, Lead], *, whole: bool) -> list[dict[str, object]]:
    """Return the aggregation of `Rows.beside`, with the `whole` document here or only what leads to the others."""
    fields = {name: lead for name, lead in others.items() if isinstance(lead, str)}
    given = {name: lead for name, lead in others.items() if name not in fields}
    stages: list[dict[str, object]] = [{"$match": {"_id": identifier}}]
    if given:
        stages.append({"$set": {f"{BESIDE}.{ASKED}": given}})
    if not whole:
        stages.append({"$project": dict.fromkeys([*fields.values(), BESIDE], 1)})
    ids = {**fields, **{name: f"{BESIDE}.{ASKED}.{name}" for name in given}}
    return stages + [
        {"$lookup": {"from": name, "localField": field, "foreignField": "_id", "as": f"{BESIDE}.{name}"}}
        for name, field in ids.items()
    ]
