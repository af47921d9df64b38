"""Copies of databases, as backups hold them, and processes that stand aside while one is put back."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from shared.storage.mongo import Document
from tests.faults.processes.stage import Stage, until


class Copy:
    """All documents and indexes of some databases, as of one moment, whatever is written meanwhile."""

    def __init__(self, client: MongoClient, names: Sequence[str]) -> None:
        collections = {name: sorted(client[name].list_collection_names()) for name in names}
        self._indexes = {
            (name, each): client[name][each].index_information() for name in names for each in collections[name]
        }
        self._documents: dict[tuple[str, str], list[Document]] = {}
        self._names = tuple(names)
        with client.start_session() as session, session.start_transaction(read_concern=ReadConcern("snapshot")):
            for name, each in self._indexes:
                self._documents[name, each] = list(client[name][each].find({}, session=session))

    def restore(self, client: MongoClient) -> None:
        """Put it in the place of what is there."""
        for name in self._names:
            client.drop_database(name)
        for (name, each), documents in self._documents.items():
            if documents:
                client[name][each].insert_many(documents)
            for index, told in self._indexes[name, each].items():
                if index != "_id_":
                    keys = [(key, int(way)) for key, way in told["key"]]
                    how = {option: value for option, value in told.items() if option not in {"v", "key", "ns"}}
                    client[name][each].create_index(keys, name=index, **how)


@contextlib.contextmanager
def standing_aside(stage: Stage, programs: Sequence[str]) -> Iterator[None]:
    """Let programs end and begin again, and stand still until the block ends before they have opened anything."""
    with contextlib.ExitStack() as held:
        for program in programs:
            was = stage.kill(program, signal.SIGTERM)
            until(lambda program=program, was=was: stage.platform.pid(program) != was, f"{program} again", pause=0.01)
            held.enter_context(stage.stopped(program))
        yield
