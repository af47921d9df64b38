"""Which database sessions a process has used, kept where a kill -9 leaves it, so that its successor can end them.

A process that dies inside a transaction leaves its locks behind until the database ends the transaction by itself: a
minute by default. Relays and readers write their session beside their epoch. A process that answers requests has no
such place, and a sibling of it may be alive: a locked file tells the dead from the living, whoever started them.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bson import Binary
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure, PyMongoError

from shared.identifiers import new_identifier
from shared.storage.mongo import Client

SESSION_BYTES = 16


class OpenSessions:
    """The sessions of this process, and the end of those that its predecessors left open.

    Args:
        directory: Of this machine and this instance of the service; made where it is not there. Its files hold random
            session ids, 16 bytes each, and nothing else.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._mine = directory / f"{new_identifier()}.sessions"
        self._file = self._mine.open("ab", buffering=0)  # the kernel has it at once: that survives the process
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._noted: set[bytes] = set()

    def note(self, session: ClientSession) -> None:
        """Write down a session before a transaction is begun in it; one that stands there already costs nothing."""
        identifier = bytes(session.session_id["id"])
        if identifier not in self._noted:
            self._file.write(identifier)
            self._noted.add(identifier)

    def close(self) -> None:
        """Give the file up: from now on this process counts as dead."""
        self._file.close()

    def end_predecessors(self, client: Client) -> int:
        """End the sessions of every process of this directory that has died, and return how many they were.

        Where the database does not answer, they are left for the next process, or for the database to end.
        """
        ended = 0
        for path in sorted(self._directory.glob("*.sessions")):
            if path == self._mine:
                continue
            with _whose_process_is_dead(path) as file:
                if file is None:
                    continue
                found = _read(file)
                if not _end(client, found):
                    return ended
                ended += len(found)
                path.unlink(missing_ok=True)
        return ended


@contextmanager
def _whose_process_is_dead(path: Path) -> Iterator[BinaryIO | None]:
    """Yield the file, held by us; None where its process lives or another one is at it."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _read(file: BinaryIO) -> list[bytes]:
    """Return the whole ids; a torn last one had begun no transaction yet."""
    written = file.read()
    return [written[at : at + SESSION_BYTES] for at in range(0, len(written) - SESSION_BYTES + 1, SESSION_BYTES)]


def _end(client: Client, identifiers: list[bytes]) -> bool:
    """Return whether the database was told; a session that it does not know any more is none to end."""
    try:
        if identifiers:
            client.admin.command({"killSessions": [{"id": Binary(one, 4)} for one in identifiers]})
    except OperationFailure:
        return True  # not ours to end, or unknown: the database's own limit ends it
    except PyMongoError:
        return False
    return True
