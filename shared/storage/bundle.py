"""The inserts of one transaction, held back to its end and then sent to the database as one command.

A request inserts into half a dozen collections; one round trip instead of six is most of what it costs. Whoever reads
or changes a collection that something is held for has all of it sent first; only a document that is asked for by its
id is given as it is held. Nothing is ever held over the end of a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure

from shared.storage.mongo import DUPLICATE_KEY, Client, Collections, Document

MOST_HELD: Final = 100
MOST_BYTES: Final = 8 * 1024 * 1024
"""How many documents are held back, and how long they may be together: one command has room for 16 MiB."""
BULK_WRITE_SINCE: Final = 25
"""The wire version of MongoDB 8.0, the first with inserts into several collections in one command."""


class Bundle:
    """What one transaction inserts and has not sent yet, by collection."""

    def __init__(self, collections: Collections, session: ClientSession) -> None:
        self._collections = collections
        self._session = session
        self._held: dict[str, list[RawBSONDocument]] = {}
        self._count = self._bytes = 0
        self._is_begun = False

    def add(self, name: str, documents: Sequence[Document]) -> None:
        """Hold documents as they are now; whatever becomes of them afterwards is not inserted."""
        options = self._collections[name].codec_options
        for document in documents:
            document.setdefault("_id", ObjectId())
        encoded = [RawBSONDocument(bson.encode(each, codec_options=options)) for each in documents]
        size = sum(len(each.raw) for each in encoded)
        if self._bytes + size > MOST_BYTES:
            self.send()
        self._held.setdefault(name, []).extend(encoded)
        self._count += len(documents)
        self._bytes += size
        if self._count > MOST_HELD or self._bytes > MOST_BYTES:
            self.send()

    def held(self, name: str, filter: Mapping[str, object]) -> Document | None:
        """Return the document that is held and that the filter asks for by its id and by nothing else."""
        if name not in self._held or filter.keys() != {"_id"}:
            return None
        found = next((each for each in self._held[name] if each["_id"] == filter["_id"]), None)
        return None if found is None else bson.decode(found.raw, self._collections[name].codec_options)

    def before(self, name: str) -> None:
        """Send what is held, where something is held for this collection: it is about to be read or changed."""
        if name in self._held:
            self.send()
        self._is_begun = True

    def send(self) -> None:
        """Send all that is held.

        Raises:
            DuplicateKeyError: One of the documents has the unique key of another.
        """
        held, self._held = self._held, {}
        self._count = self._bytes = 0
        # as the first command of a transaction it would carry the read concern, which not every server takes
        if len(held) > 1 and self._is_begun:
            self._send_together(held)
        else:
            for name, documents in held.items():
                self._collections[name].insert_many(documents, ordered=False, session=self._session)
        self._is_begun = True

    def _send_together(self, held: Mapping[str, Sequence[RawBSONDocument]]) -> None:
        command = {
            "bulkWrite": 1,
            "ops": [
                {"insert": number, "document": document}
                for number, documents in enumerate(held.values())
                for document in documents
            ],
            "nsInfo": [{"ns": self._collections[name].full_name} for name in held],
            "errorsOnly": True,
        }
        reply = self._collections.client.admin.command(command, session=self._session)
        if reply["nErrors"]:
            fault = reply["cursor"]["firstBatch"][0]
            kind = DuplicateKeyError if fault["code"] == DUPLICATE_KEY else OperationFailure
            raise kind(fault["errmsg"], fault["code"], fault)


def takes_bundles(client: Client) -> bool:
    """Return whether the server that is written to has a command for inserts into several collections."""
    servers = client.topology_description.server_descriptions().values()
    return any(server.is_writable and server.max_wire_version >= BULK_WRITE_SINCE for server in servers)
