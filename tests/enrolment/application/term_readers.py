"""Each employer's reader of each other's feed: its own position, and every way in which a commit can end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from services.enrolment.messaging.consumed import subscriptions
from shared.events import positions
from shared.events.positions import Position, PositionMoved
from tests.enrolment.conftest import House, as_received

ENDINGS = ("well", "before the commit", "answer lost", "zombie")
"""How a reader's transaction ends: `zombie` when another reader took its place meanwhile."""


class Crash(Exception):
    """The process ends just before its commit."""


class Readers:
    """One reader for each pair of taker and owner.

    Args:
        house: The service.
        employers: Who reads whom.
        learn: Is told (taker, owner, event) of every event that was taken.
    """

    def __init__(
        self, house: House, employers: Sequence[str], learn: Callable[[str, str, dict[str, Any]], None]
    ) -> None:
        self._house = house
        self._employers = employers
        self._learn = learn
        self._table = {row.type: row for row in subscriptions(house.opener.desk)}
        self._read: dict[str, list[dict[str, Any]]] = {owner: [] for owner in employers}
        self._last: dict[str, str] = dict.fromkeys(employers, "")
        self._sessions: list[Any] = []
        self.positions: dict[tuple[str, str], Position] = {}
        for owner in employers:
            for taker in employers:
                self._take_over(taker, owner)

    def close(self) -> None:
        """End every session."""
        for session in self._sessions:
            session.end_session()

    def _take_over(self, taker: str, owner: str) -> None:
        session = self._house.unit.client.start_session()
        self._sessions.append(session)
        topic = f"org.{owner}.enrolment.v1"
        position = positions.take_over(self._house.unit, session, taker, topic)
        self.positions[taker, owner] = position

    def _feed(self, owner: str) -> list[dict[str, Any]]:
        """Return every event of the owner's feed, in its order; what was read before is not read again."""
        entries = self._house.unit.database(owner)["org_entries"]
        for entry in entries.find({"_id": {"$gt": self._last[owner]}}, sort=[("_id", 1)]):
            self._last[owner] = entry["_id"]
            self._read[owner] += [
                {**event, "data": json.loads(bytes(event["data"])), "number": len(self._read[owner]) + index}
                for index, event in enumerate(entry["events"], start=1)
            ]
        return self._read[owner]

    def take(
        self, taker: str, owner: str, most: int, ending: str, *, first: int | None = None, up_to: int | None = None
    ) -> bool:
        """Read up to `most` events of one feed in one transaction; return whether anything was tried."""
        position = self.positions[taker, owner]
        begin = first or position.number + 1
        batch = self._feed(owner)[begin - 1 : up_to or begin - 1 + most]
        fresh = [event for event in batch if event["number"] > position.number]
        if not fresh:
            return False
        if ending == "zombie":
            self._take_over(taker, owner)
        after = msgspec.structs.replace(position, number=fresh[-1]["number"])
        if self._commit(taker, owner, fresh, position, after, ending):
            kept = positions.read(self._house.unit, taker, position.feed)
            self.positions[taker, owner] = kept if ending == "answer lost" and kept else after
            for event in fresh:
                self._learn(taker, owner, event)
        return True

    def _commit(
        self,
        taker: str,
        owner: str,
        events: list[dict[str, Any]],
        before: Position,
        after: Position,
        ending: str,
    ) -> bool:
        def step(work: Any) -> None:  # noqa: ANN401
            for event in events:
                self._react(work, taker, owner, event)
            positions.move(work, before, after)
            if ending == "before the commit":
                raise Crash

        try:
            self._house.unit.run(taker, step)
        except Crash:
            return False
        except PositionMoved:
            assert ending == "zombie"
            return False
        assert ending != "zombie", "a reader that was replaced has written"
        return True

    def _react(self, work: Any, taker: str, owner: str, event: dict[str, Any]) -> None:  # noqa: ANN401
        row = self._table.get(event["type"])
        if row is None:
            return
        received = as_received(row, event, owner, event["number"])
        if taker in row.concerns(received, self._house.partnership):
            row.reaction(work, received)

    def read_everything(self) -> None:
        """Let everybody read every feed until nothing new is said."""
        went_on = True
        while went_on:
            took = [self.take(taker, owner, 1000, "well") for taker in self._employers for owner in self._employers]
            went_on = any(took)
