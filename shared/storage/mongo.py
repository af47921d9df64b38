"""The MongoDB client, the names of databases, and what "the server is gone" and "it is broken" look like.

Any MongoDB-compatible server with multi-document transactions serves. No collection and no query lives here.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pymongo
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import Malformed

Document = dict[str, Any]
"""A stored document: the one place where a dict stands for a thing (`storage/` rooms only)."""
Client = MongoClient[Document]
MongoDatabase = Database[Document]

MAJORITY: Final = WriteConcern(w="majority", j=True)
READ_MAJORITY: Final = ReadConcern("majority")
SNAPSHOT: Final = ReadConcern("snapshot")
LONGEST_NAME: Final = 63
ANSWER_SECONDS: Final = 1.0
SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAMED_GONE: Final = frozenset({91, 189, 11600, 11602, 10107, 13435, 13436, 14031})
"""Codes of a server that is stopping, is not the primary just now, or has no room on its disk."""
TRANSIENT: Final = "TransientTransactionError"
DUPLICATE_KEY: Final = 11000
INTERNAL_ERROR: Final = 1
"""What a server says of a fault of its own; SecantusDB of everything that it has no better word for."""


class Collections(dict[str, Collection[Document]]):
    """One database's collections by name, each made when it is first asked for and then kept.

    The driver makes a new object at every look, and a request looks at some fifty collections to use a dozen.
    """

    def __init__(self, database: MongoDatabase) -> None:
        super().__init__()
        self._database = database

    def __missing__(self, name: str) -> Collection[Document]:
        """Return a collection that nobody asked for yet."""
        self[name] = made = self._database[name]
        return made

    @property
    def client(self) -> Client:
        """Return the client whose database it is."""
        return self._database.client


def connect(uri: str, *, appname: str) -> Client:
    """Return a client that waits at most 5 seconds for anything. Make it after fork, close it when done.

    Writes are majority and journalled, instants are aware and UTC. Retryable writes are off unless the URI turns
    them on: a transaction does not need them, and the local profile's server slows down with them.
    """
    asked = {name.lower() for name, _ in parse_qsl(urlsplit(uri).query)}
    options: dict[str, Any] = {} if "retrywrites" in asked else {"retryWrites": False}
    if "timeoutms" not in asked:
        options["timeoutMS"] = 5000
    if "serverselectiontimeoutms" not in asked:
        options["serverSelectionTimeoutMS"] = 3000
    return MongoClient(
        uri, appname=appname, w="majority", journal=True, readConcernLevel="majority", tz_aware=True, **options
    )


def database_name(service: str, organisation: str, prefix: str = "") -> str:
    """Return the name of one organisation's database of one service: `enrolment__brent`.

    Raises:
        Malformed: The organisation is no slug, or the name is longer than MongoDB allows.
    """
    name = f"{prefix}{service}__{organisation}"
    if not SLUG.fullmatch(organisation) or len(name) > LONGEST_NAME:
        raise Malformed("this is no organisation's slug")
    return name


def answers(client: Client, seconds: float = ANSWER_SECONDS) -> bool:
    """Return whether the database reads for us within `seconds`; a server that only hangs does not.

    A read, not a ping: a ping is answered even where the storage is stuck. A refusal is an answer, a fault of the
    server's own is none: the plainest read of all does not go wrong by what was asked.
    """
    try:
        with pymongo.timeout(seconds):
            client["admin"]["no_such_collection"].find_one()
    except OperationFailure as error:
        return not server_is_gone(error) and error.code != INTERNAL_ERROR
    except PyMongoError:
        return False
    return True


def server_is_gone(error: PyMongoError) -> bool:
    """Return whether `error` says that no server answers, or not in time."""
    if isinstance(error, (ConnectionFailure, NetworkTimeout, ExecutionTimeout, WaitQueueTimeoutError)):
        return True
    return getattr(error, "code", None) in NAMED_GONE or bool(error.timeout)


def server_is_broken(error: PyMongoError, client: Client) -> bool:
    """Return whether `error` is a fault of the server's own and the server cannot even read any more.

    So it is with SecantusDB once its disk was full. Where it still reads, what we asked may have been at fault.
    """
    return getattr(error, "code", None) == INTERNAL_ERROR and not answers(client)
