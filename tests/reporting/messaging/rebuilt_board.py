"""The board as a rebuild finds it: a reader that takes its owners' feeds, what waits parked, and damage to mend."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field

import msgspec

from services.reporting.api.bodies import projection_rows
from services.reporting.domain.publication import TITLES
from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.reporting.storage.rebuilding import MongoRebuilding
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import parking
from shared.events.deciding import ask_replay, replay_asked, replay_requests
from shared.events.envelope import GENESIS, Envelope, schema_of, source_of
from shared.events.feed import FeedName, feed_of
from shared.events.hashing import hash_of
from shared.events.positions import take_over
from shared.events.reader import followed_feeds, router_of
from shared.events.reading_batch import Batch, BatchWriter
from shared.events.rebuild_requests import ask_rebuild, rebuild_in
from shared.events.rebuilding import Rebuilder, RebuildRules, RebuildTools
from shared.events.subscriptions import SubscriptionBook
from shared.identifiers import new_identifier


def envelopes_of(feeds) -> dict[str, list[Envelope]]:
    """Return the scenario's feeds as their owners' doors give them: numbered and chained."""
    found: dict[str, list[Envelope]] = {}
    for topic, events in feeds.items():
        head, rows = GENESIS, []
        for number, event in enumerate(events, start=1):
            envelope = Envelope(
                id=new_identifier(), source=source_of(topic), type=event.type, subject=f"k{number}",
                time="2026-01-01T00:00:00.000Z", dataschema=schema_of(event.type), organisation=event.organisation,
                feedseq=number, prevhash=head, correlationid=new_identifier(), data=msgspec.json.encode(event.data),
            )  # fmt: skip
            head = hash_of(envelope)
            rows.append(envelope)
        found[topic] = rows
    return found


@dataclass
class Board:
    """The board's running projections, taken by the production code of a reader, and a rebuild beside them."""

    house: object
    feeds: dict[str, list[Envelope]]
    routers: dict
    right: dict[str, list]
    """The tables when everything is taken, as projections in memory have them."""
    writers: dict[str, BatchWriter] = field(default_factory=dict)

    @property
    def unit(self):
        """The board's transactions."""
        return self.house.unit

    def take(self, topic: str, *, most: int = 10_000, breaks: str | None = None) -> int:
        """Let the running reader take the next events of a feed; those of type `breaks` are parked."""
        writer = self.writers.get(topic)
        if writer is None:
            session = self.unit.client.start_session()
            position = take_over(self.unit, session, self.house.board, topic)
            writer = self.writers[topic] = BatchWriter(self.unit, session, self.house.board, position, frozenset())
        at = writer.position.number
        part = self.feeds[topic][at : at + most]
        for start in range(0, len(part), 200):
            self._take(writer, topic, part[start : start + 200], breaks)
        return len(part)

    def _take(self, writer, topic, part, breaks):
        router = self.routers[feed_of(topic)]
        routed = [router.route(parking.Next(envelope, hash_of(envelope))) for envelope in part]
        if breaks is not None:
            routed = [
                type(one)(one.next, one.at, frozenset({self.house.board}), fault="bug:KeyError")
                if one.next.envelope.type == breaks else one
                for one in routed
            ]  # fmt: skip
        last = routed[-1]
        events = [one for one in routed if self.house.board in one.takers]
        batch = Batch(events, (), last.number, last.next.hash, last.number, "place", "g1")
        while writer.position.number < last.number:
            with contextlib.suppress(Unavailable):  # as a reader does: back off, and again
                writer.take(batch, lambda _: None)

    def take_all(self, **options) -> None:
        """Let the running reader take everything."""
        for topic in self.feeds:
            self.take(topic, **options)

    def fetch(self, name: FeedName, after: int, limit: int):
        """Answer as the owner's pull feed does."""
        return self.feeds.get(name.topic, [])[after : after + limit]

    def tables(self) -> dict[str, list]:
        """Return the five tables as whoever asks now sees them."""
        tables = self.house.desk.projections(self.unit.reading(self.house.board))
        return {name: projection_rows(tables, name) for name in TITLES}

    def replay(self, *waiting: parking.Parked) -> None:
        """Have what waits taken by the running reader, now that the bug is mended."""
        for one in waiting:
            ask_replay(self.unit, self.house.board, one.feed, one.key, by="one", reason="mended")
        for topic in {one.feed for one in waiting}:
            while requests := replay_requests(self.unit, self.house.board, topic):
                assert not [one.code for one in requests if one.state == "failed"]
                replay_asked(self.writers[topic], self.routers[feed_of(topic)], requests)

    def rebuilder(self, *, at=lambda _: None, fetch=None, standing=contextlib.nullcontext, **rules) -> Rebuilder:
        """Return a rebuilder of the board's projections, on the owners' feeds."""
        rebuilt = MongoRebuilding()
        book = SubscriptionBook(subscriptions(rebuilt.projections), IGNORED)
        partnership, board = self.house.story.partnership, self.house.board
        names = followed_feeds(partnership, FEEDS, (board,))
        tools = RebuildTools(
            name="reporting", unit=self.unit, organisation=board, rebuilt=rebuilt, fetch=fetch or self.fetch,
            clock=SystemClock(), rules=RebuildRules(**{"linger_seconds": 0.0, "pause_seconds": 0.05, **rules}), at=at,
            standing=standing,
        )  # fmt: skip
        return Rebuilder(tools, {name: router_of(name, book, own, partnership) for name, own in names.items()})

    def ask(self, *, is_check: bool = False) -> None:
        """Ask for a rebuild."""
        self.unit.run(self.house.board, lambda work: ask_rebuild(work, "reporting", by="one", is_check=is_check))

    def rebuild(self, *, is_check: bool = False, **options):
        """Ask for a rebuild, do it, and return how it ended."""
        self.ask(is_check=is_check)
        assert self.rebuilder(**options).look(threading.Event())
        return self.state()

    def state(self):
        """Return the latest rebuild."""
        return rebuild_in(self.unit.reading(self.house.board), "reporting")

    def rows(self, name: str):
        """Return a collection of the board's database."""
        return self.unit.database(self.house.board)[name]

    def held(self) -> list[str]:
        """Return which of the two sets of roll-ups has anything in it."""
        return [name for name in ("rollups", "rollups_rebuilt") if self.rows(name).count_documents({})]

    def damage(self) -> None:
        """Spoil the running projections as no event ever would: some gone, some too many, some wrong."""
        self.rows("rollups").delete_one({"_id": self.rows("rollups").find_one({})["_id"]})
        wrong = self.rows("rollups").find_one({"confirmed": {"$gt": 0}})
        self.rows("rollups").update_one({"_id": wrong["_id"]}, {"$inc": {"confirmed": 7}})
        fields = {"organisation": "brent", "course": "none", "route": "r", "level": "SW", "month": "2025-06"}
        self.rows("rollups").insert_one({"_id": "too many", **fields, "nominated": 3})
        self.rows("enrolments").delete_many({})
