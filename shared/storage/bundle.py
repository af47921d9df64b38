"""What one transaction inserts and replaces, held back to its end and then sent to the database as one command.

A request writes into half a dozen collections; one round trip instead of six is most of what it costs. Whoever reads
or changes a collection that something is held for has all of it sent first; only a document that is asked for by its
id is given as it is held. Nothing is ever held over the end of a transaction.

What was read beside another document is given again without asking: a transaction sees one moment, and what it
changes itself is forgotten here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure

from shared.errors import ConcurrentChange
from shared.storage.mongo import DUPLICATE_KEY, TRANSIENT, Client, Collections, Document

MOST_HELD: Final = 100
MOST_BYTES: Final = 8 * 1024 * 1024
"""How many documents are held back, and how long they may be together: one command has room for 16 MiB."""
BULK_WRITE_SINCE: Final = 25
"""The wire version of MongoDB 8.0, the first with writes into several collections in one command."""
CHANGED: Final = "somebody else changed this first"
WRITE_CONFLICT: Final = 112
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Held(NamedTuple):
    """A document that takes the place of the one that a filter matches; of nothing: it is inserted."""

    document: RawBSONDocument
    instead_of: Mapping[str, object] = NOTHING


class Known(NamedTuple):
    """What the database would give for an id: a document, or None."""

    document: Document | None


class Bundle:
    """What one transaction writes and has not sent yet, by collection, and what it read beside something."""

    def __init__(self, collections: Collections, session: ClientSession) -> None:
        self._collections = collections
        self._session = session
        self._held: dict[str, list[Held]] = {}
        self._known: dict[str, dict[str, RawBSONDocument | None]] = {}
        self._count = self._bytes = 0
        self._is_begun = False

    def add(self, name: str, documents: Sequence[Document]) -> None:
        """Hold documents as they are now; whatever becomes of them afterwards is not inserted."""
        for document in documents:
            document.setdefault("_id", ObjectId())
        self._hold(name, [Held(self._encoded(name, each)) for each in documents])

    def replace(self, name: str, filter: Mapping[str, object], document: Document) -> None:
        """Hold a document, as it is now, that takes the place of the one of its id that the filter matches."""
        if self._find(name, document["_id"]) is not None:
            self.send()
        self._hold(name, [Held(self._encoded(name, document), dict(filter))])

    def _encoded(self, name: str, document: Document) -> RawBSONDocument:
        return RawBSONDocument(bson.encode(document, codec_options=self._collections[name].codec_options))

    def _hold(self, name: str, held: Sequence[Held]) -> None:
        self.forget(name)
        size = sum(len(each.document.raw) for each in held)
        if self._bytes + size > MOST_BYTES:
            self.send()
        self._held.setdefault(name, []).extend(held)
        self._count += len(held)
        self._bytes += size
        if self._count > MOST_HELD or self._bytes > MOST_BYTES:
            self.send()

    def known(self, name: str, filter: Mapping[str, object]) -> Known | None:
        """Return what is held, or was read beside, where the filter asks by an id and nothing else; None: not known."""
        if filter.keys() != {"_id"}:
            return None
        identifier = filter["_id"]
        found = self._find(name, identifier)
        if found is None:
            before = self._known.get(name, {})
            if not isinstance(identifier, str) or identifier not in before:
                return None
            found = before[identifier]
        return Known(None if found is None else bson.decode(found.raw, self._collections[name].codec_options))

    def _find(self, name: str, identifier: object) -> RawBSONDocument | None:
        return next((each.document for each in self._held.get(name, ()) if each.document["_id"] == identifier), None)

    def know(self, name: str, identifier: object, document: Document | None) -> None:
        """Remember, as it is now, what the database has under an id, None for nothing; only of ids that are text."""
        if isinstance(identifier, str):
            self._known.setdefault(name, {})[identifier] = None if document is None else self._encoded(name, document)

    def forget(self, name: str) -> None:
        """Know nothing more of a collection: it is about to be changed."""
        self._known.pop(name, None)

    def before(self, *names: str) -> None:
        """Send what is held, where something is held for one of these collections: all are read or changed next."""
        if not self._held.keys().isdisjoint(names):
            self.send()
        self._is_begun = True

    def send(self) -> None:
        """Send all that is held.

        Raises:
            DuplicateKeyError: One of the documents has the unique key of another.
            ConcurrentChange: Somebody else changed what was to be replaced.
        """
        held, self._held = self._held, {}
        self._count = self._bytes = 0
        # as the first command of a transaction it would carry the read concern, which not every server takes
        if len(held) > 1 and self._is_begun:
            self._send_together(held)
        else:
            for name, these in held.items():
                self._send_alone(name, these)
        self._is_begun = True

    def _send_alone(self, name: str, held: Sequence[Held]) -> None:
        """Send what is held for one collection, in its order: a replacement may free the key of what comes next."""
        collection = self._collections[name]
        for replaces, these in groupby(held, key=lambda each: bool(each.instead_of)):
            if not replaces:
                collection.insert_many([each.document for each in these], ordered=False, session=self._session)
                continue
            for each in these:
                result = collection.replace_one(each.instead_of, each.document, session=self._session)
                _require_matched(result.matched_count, 1)

    def _send_together(self, held: Mapping[str, Sequence[Held]]) -> None:
        command = {
            "bulkWrite": 1,
            "ops": [_operation(number, each) for number, these in enumerate(held.values()) for each in these],
            "nsInfo": [{"ns": self._collections[name].full_name} for name in held],
            "errorsOnly": True,
        }
        reply = self._collections.client.admin.command(command, session=self._session)
        if reply["nErrors"]:
            fault = reply["cursor"]["firstBatch"][0]
            kind = DuplicateKeyError if fault["code"] == DUPLICATE_KEY else OperationFailure
            labels = {"errorLabels": [TRANSIENT]} if fault["code"] == WRITE_CONFLICT else {}
            raise kind(fault["errmsg"], fault["code"], {**fault, **labels})
        _require_matched(reply["nMatched"], sum(bool(each.instead_of) for these in held.values() for each in these))


def _operation(number: int, held: Held) -> dict[str, Any]:
    if held.instead_of:
        return {"update": number, "filter": held.instead_of, "updateMods": held.document, "multi": False}
    return {"insert": number, "document": held.document}


def _require_matched(matched: int, replacements: int) -> None:
    """Hold it against the database that everything stood as it was read."""
    if matched < replacements:
        raise ConcurrentChange(CHANGED)


def takes_bundles(client: Client) -> bool:
    """Return whether the server that is written to has a command for writes into several collections."""
    servers = client.topology_description.server_descriptions().values()
    return any(server.is_writable and server.max_wire_version >= BULK_WRITE_SINCE for server in servers)
