"""Counts the commands that a piece of work sends to the database: exact, whatever else the machine does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo import monitoring

from shared.storage.mongo import Client


class Heard(monitoring.CommandListener):
    """The names of the commands in the order in which they were sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Note a command."""
        if event.command_name != "endSessions":
            self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """It was noted when it began."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """It was noted when it began."""


@contextmanager
def counting(uri: str) -> Iterator[tuple[Client, list[str]]]:
    """Yield a client set as the services' own (`shared.storage.mongo.connect`), and the commands that it has sent."""
    heard = Heard()
    client: Client = pymongo.MongoClient(
        uri, event_listeners=[heard], w="majority", journal=True, tz_aware=True, retryWrites=False, timeoutMS=5000
    )
    try:
        yield client, heard.names
    finally:
        client.close()
