"""What the NULL sink answers: writes are acknowledged, small state is remembered, transactions always succeed.

Filters and updates are the simulation's (`tests.faults.simulation.matching`): the few that the backbone uses. What is
asked beyond them is refused loudly, so that no row measures an answer that means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import bson
from bson.codec_options import CodecOptions

from tests.bench.null_sink.beside import beside, is_beside
from tests.bench.null_sink.table import Table
from tests.faults.simulation.matching import Document, begun, updated

WRITE_ONLY: Final = frozenset({"effects", "effects-replies", "effects-entries"})
"""Collections whose rows are counted and not kept: where the measured writes go."""
OPTIONS: Final = CodecOptions(tz_aware=True)
QUIET: Final = frozenset({"ping", "create", "commitTransaction", "abortTransaction", "endSessions", "killSessions"})
Name = tuple[str, str]


class Refused(Exception):
    """A command, filter or update that this stub does not have."""


class Memory:
    """All databases of the sink."""

    def __init__(self) -> None:
        self._tables: dict[Name, Table] = {}
        self._counts: dict[Name, int] = {}
        self._commands: dict[str, Callable[[Name, Document, Sequence[bytes]], Document]] = {
            "insert": self._insert,
            "bulkWrite": self._write_together,
            "update": self._update,
            "delete": self._delete,
            "find": self._find,
            "aggregate": self._aggregate,
            "listCollections": self._list,
            "createIndexes": self._index,
        }

    def answer(self, command: Document, sequences: Mapping[str, list[bytes]]) -> Document:
        """Return the reply to one command.

        Raises:
            Refused: this stub does not have it.
        """
        verb = next(iter(command))
        if verb in QUIET:
            return {"ok": 1.0}
        if verb == "dropDatabase":
            for name in [name for name in (*self._tables, *self._counts) if name[0] == command["$db"]]:
                self._tables.pop(name, None)
                self._counts.pop(name, None)
            return {"ok": 1.0}
        carry_out = self._commands.get(verb)
        if carry_out is None:
            raise Refused(f"the NULL sink has no {verb}")
        raw = next(iter(sequences.values()), [])
        try:
            return {**carry_out((command["$db"], command[verb]), command, raw), "ok": 1.0}
        except (NotImplementedError, KeyError) as error:
            raise Refused(f"the NULL sink cannot {verb} with {error}") from error

    def _insert(self, name: Name, command: Document, raw: Sequence[bytes]) -> Document:
        if name[1] in WRITE_ONLY:
            count = len(raw) or len(command.get("documents", ()))
            self._counts[name] = self._counts.get(name, 0) + count
            return {"n": count}
        documents = _documents(command, "documents", raw)
        table, faults = self._table(name), []
        for index, document in enumerate(documents):
            if document["_id"] in table:
                faults.append({"index": index, "code": 11000, "errmsg": "E11000 duplicate key error"})
                if command.get("ordered", True):
                    break
            else:
                table.put(document)
        done = {"n": len(documents) - len(faults)}
        return {**done, "writeErrors": faults} if faults else done

    def _write_together(self, _: Name, command: Document, raw: Sequence[bytes]) -> Document:
        """Answer inserts and replacements in several collections; other operations are not asked for."""
        names = [each["ns"].partition(".") for each in command["nsInfo"]]
        faults, matched = [], 0
        for index, operation in enumerate(_documents(command, "ops", raw)):
            verb = "insert" if "insert" in operation else "update"
            database, _, collection = names[operation[verb]]
            if verb == "insert":
                done = self._insert((database, collection), {"documents": [operation["document"]]}, ())
            else:
                change = {"q": operation["filter"], "u": operation["updateMods"]}
                done = self._update((database, collection), {"updates": [change]}, ())
                matched += done["n"]
            faults += [{**fault, "ok": 0.0, "idx": index} for fault in done.get("writeErrors", ())]
        cursor = {"id": 0, "firstBatch": faults, "ns": "admin.$cmd.bulkWrite"}
        return {"cursor": cursor, "nErrors": len(faults), "nMatched": matched}

    def _update(self, name: Name, command: Document, raw: Sequence[bytes]) -> Document:
        table, matched, upserted = self._table(name), 0, []
        for index, change in enumerate(_documents(command, "updates", raw)):
            found = list(table.matching(change["q"]))
            found = found if change.get("multi") else found[:1]
            matched += len(found)
            for document in found:
                table.put(_changed(document, change["u"], is_new=False))
            if not found and change.get("upsert"):
                document = _changed(begun(change["q"]), change["u"], is_new=True)
                table.put(document)
                upserted.append({"index": index, "_id": document["_id"]})
        done: Document = {"n": matched + len(upserted), "nModified": matched}
        return {**done, "upserted": upserted} if upserted else done

    def _delete(self, name: Name, command: Document, raw: Sequence[bytes]) -> Document:
        table, gone = self._table(name), 0
        for wanted in _documents(command, "deletes", raw):
            found = list(table.matching(wanted["q"]))
            for document in found[:1] if wanted.get("limit") else found:
                table.remove(document["_id"])
                gone += 1
        return {"n": gone}

    def _index(self, name: Name, command: Document, _: Sequence[bytes]) -> Document:
        for index in command["indexes"]:
            self._table(name).index(next(iter(index["key"])))
        return {}

    def _find(self, name: Name, command: Document, _: Sequence[bytes]) -> Document:
        found = list(self._table(name).matching(command.get("filter", {})))
        for field, way in reversed(list(command.get("sort", {}).items())):
            found.sort(key=lambda document, field=field: document.get(field), reverse=way < 0)  # type: ignore[misc]
        most = command.get("limit", 0)
        return {"cursor": {"id": 0, "ns": ".".join(name), "firstBatch": found[:most] if most else found}}

    def _aggregate(self, name: Name, command: Document, raw: Sequence[bytes]) -> Document:
        """Answer what stands beside a document, and `count_documents`: the pipelines that are understood."""
        if not is_beside(command["pipeline"]):
            return self._count(name, command, raw)
        found = beside(name[1], command["pipeline"], lambda other, which: self._table((name[0], other)).matching(which))
        return {"cursor": {"id": 0, "ns": ".".join(name), "firstBatch": found}}

    def _count(self, name: Name, command: Document, _: Sequence[bytes]) -> Document:
        match, *rest = command["pipeline"]
        if set(match) != {"$match"} or any(set(stage) - {"$group", "$limit"} for stage in rest):
            raise NotImplementedError("this pipeline")
        if name[1] in WRITE_ONLY:
            count = self._counts.get(name, 0)
        else:
            count = sum(1 for _ in self._table(name).matching(match["$match"]))
        batch = [{"_id": 1, "n": count}] if count else []
        return {"cursor": {"id": 0, "ns": ".".join(name), "firstBatch": batch}}

    def _list(self, name: Name, _: Document, __: Sequence[bytes]) -> Document:
        found = [{"name": each[1], "type": "collection"} for each in self._tables if each[0] == name[0]]
        return {"cursor": {"id": 0, "ns": f"{name[0]}.$cmd.listCollections", "firstBatch": found}}

    def _table(self, name: Name) -> Table:
        return self._tables.setdefault(name, Table())


def _documents(command: Document, argument: str, raw: Sequence[bytes]) -> list[Document]:
    given: list[Document] = command.get(argument, [])
    return given or [bson.decode(each, OPTIONS) for each in raw]


def _changed(document: Document, update: Document, *, is_new: bool) -> Document:
    if all(name.startswith("$") for name in update):
        return updated(document, update, is_new=is_new)
    return {"_id": document["_id"], **update}
