"""What a database must be before anything is kept in it: majority, no arbiter, its indexes, a clock like ours.

Looks only, and says in one sentence each what is weak and what to do about it. Who asks, and what becomes of the
answer, is `shared/assembly/start_checks.py`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from bson import json_util
from pymongo import IndexModel
from pymongo.errors import OperationFailure

from shared.clock import Clock
from shared.storage.mongo import Client, MongoDatabase

MOST_SKEW_SECONDS: Final = 5.0
NOT_KNOWN: Final = 59
"""The server does not know the command: a compatible one that has nothing to configure there."""
NOT_ALLOWED: Final = frozenset({13, 18})
MAJORITY: Final = "majority"
GUARDS: Final[Mapping[str, Callable[[Any], object]]] = {
    "unique": bool,
    "sparse": bool,
    "partialFilterExpression": dict,
    "expireAfterSeconds": int,
}
"""What an index does beside finding, and so must be as declared; each is compared as a value of its type."""

Prepare = Callable[[MongoDatabase], None]
_OFF: Final = frozenset({"false", "0"})
_ON: Final = frozenset({"true", "1"})
_NOT_VERIFIED: Final = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One index that `prepare` makes: its keys, and the options that guard something."""

    collection: str
    keys: tuple[tuple[str, Any], ...]
    guards: str

    def __str__(self) -> str:
        """Return the index as a person would write it down."""
        names = ", ".join(name for name, _ in self.keys)
        return f"{self.collection} ({names}){' ' + self.guards if self.guards != '{}' else ''}"


def weak_uri(uri: str) -> list[str]:
    """Return what a connection string says that weakens writing or reading; the platform's own concerns need no word.

    The client of `connect` overrules some of these; whoever wrote them believes something else of this instance.
    """
    found: list[str] = []
    for given, value in parse_qsl(urlsplit(uri).query):
        name, word = given.lower(), value.lower()
        if name == "w" and word != MAJORITY:
            found.append(f"w={value}: a majority must hold what is acknowledged; take it out")
        elif name in ("journal", "j") and word in _OFF:
            found.append(f"{given}={value}: what is acknowledged must be on disk; take it out")
        elif name == "readconcernlevel" and word != MAJORITY:
            found.append(f"readConcernLevel={value}: what is read must not be rolled back; take it out")
        elif name == "readpreference" and word != "primary":
            found.append(f"readPreference={value}: a member that lags shows the past; take it out")
        elif name in _NOT_VERIFIED and word in _ON:
            found.append(f"{given}={value}: anybody could answer in the database's place; give tlsCAFile instead")
    return found


def weak_deployment(client: Client) -> list[str]:
    """Return what is weak about the servers themselves.

    Raises:
        PyMongoError: The database does not answer.
    """
    hello = client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        return ["the server is no member of a replica set, so it has no transactions; make one of it (rs.initiate)"]
    found = []
    if hello.get("arbiters"):
        voters = ", ".join(hello["arbiters"])
        found.append(
            f"the replica set has an arbiter ({voters}): with one data member away no majority holds anything; "
            "put a member with data in its place"
        )
    return found + _weak_default(client) + _unjournalled(client)


def clock_skew_seconds(client: Client, clock: Clock) -> float:
    """Return by how much the server's clock is ahead of ours, less than 0 where it is behind; 0 where it tells no time.

    Raises:
        PyMongoError: The database does not answer.
    """
    before = clock.now()
    theirs = client.admin.command("hello").get("localTime")
    after = clock.now()
    if theirs is None:
        return 0.0
    aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    return float((aware - (before + (after - before) / 2)).total_seconds())


def declared_indexes(prepare: Prepare) -> list[Declared]:
    """Return the indexes that `prepare` would make in a database, found by letting it prepare a sheet of paper."""
    paper = _Paper()
    prepare(paper)  # type: ignore[arg-type] # it is asked for collections and indexes, and for nothing else
    return paper.declared


def missing_indexes(database: MongoDatabase, declared: Sequence[Declared]) -> list[Declared]:
    """Return the declared indexes that the database does not have, or has without what they guard.

    Raises:
        PyMongoError: The database does not answer.
    """
    there: dict[str, set[Declared]] = {}
    for name in {one.collection for one in declared}:
        listed = list(database[name].list_indexes())
        there[name] = {_declared(name, list(index["key"].items()), index) for index in listed}
    return [one for one in declared if one not in there[one.collection]]


def _weak_default(client: Client) -> list[str]:
    answer = _asked(client, "getDefaultRWConcern")
    default = answer.get("defaultWriteConcern") or {}
    w = default.get("w", MAJORITY)
    if w == MAJORITY:
        return []
    return [
        f"the servers' own default write concern is w: {w}: run db.adminCommand({{setDefaultRWConcern: 1, "
        'defaultWriteConcern: {w: "majority"}})'
    ]


def _unjournalled(client: Client) -> list[str]:
    settings = _asked(client, "replSetGetConfig").get("config", {})
    if settings.get("writeConcernMajorityJournalDefault", True):
        return []
    return [
        "writeConcernMajorityJournalDefault is false, so a majority may hold in memory only what is acknowledged; "
        "set it to true with rs.reconfig"
    ]


def _asked(client: Client, command: str) -> Mapping[str, Any]:
    """Return a command's answer; nothing where the server has no such thing, or lets nobody but its operators ask."""
    try:
        return client.admin.command(command)
    except OperationFailure as error:
        if error.code == NOT_KNOWN or error.code in NOT_ALLOWED:
            return {}
        raise


def _declared(collection: str, keys: Sequence[tuple[str, Any]], options: Mapping[str, Any]) -> Declared:
    given = {name: as_type(options[name]) for name, as_type in GUARDS.items() if options.get(name) is not None}
    guards = {name: value for name, value in given.items() if value is not False}
    return Declared(
        collection=collection,
        keys=tuple((name, order) for name, order in keys),
        guards=json_util.dumps(guards, sort_keys=True),
    )


class _Paper:
    """A database on which indexes are only written down."""

    def __init__(self) -> None:
        self.declared: list[Declared] = []

    def __getitem__(self, collection: str) -> _Sheet:
        return _Sheet(collection, self.declared)


class _Sheet:
    """One collection of it."""

    def __init__(self, collection: str, declared: list[Declared]) -> None:
        self._collection = collection
        self._declared = declared

    def create_index(self, keys: str | Sequence[Any], **options: object) -> None:
        """Write one down."""
        self.create_indexes([IndexModel(keys, **options)])

    def create_indexes(self, models: Sequence[IndexModel]) -> None:
        """Write several down."""
        for model in models:
            document = model.document
            self._declared.append(_declared(self._collection, list(document["key"].items()), document))
