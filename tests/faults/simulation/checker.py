"""What must hold when everything is quiet again: exactly once, in order, equal to a recount from the owners' feeds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import msgspec

from shared.events.envelope import GENESIS, Envelope
from shared.events.feed import FeedName
from shared.events.ledger import Ledger
from shared.events.verify import verify_feed
from tests.faults.simulation.history import database_of, event_in
from tests.faults.simulation.matching import Document
from tests.faults.simulation.played import ALPHA, BETA, BOARD, FEEDS, GAMMA, OWNERS, Told, concerned_by
from tests.faults.simulation.world import World

BOARD_DATABASE = "board__gamma"


def readers_of(feed: FeedName) -> list[str]:
    """Return the databases whose organisations read a feed."""
    return [BOARD_DATABASE] if feed is not GAMMA else [f"notice__{owner}" for owner in OWNERS]


def unquiet(world: World) -> Iterator[str]:
    """Yield what is still under way: quiet means that every feed is sent, and read to its head."""
    for feed in FEEDS:
        if world.docs(database_of(feed), feed.pending):
            yield f"{feed.topic}: entries without a number"
        head = world.doc(database_of(feed), feed.state, "head")
        if head is not None:
            yield from _behind(world, feed, head)
    for reader in (BOARD_DATABASE, *readers_of(GAMMA)):
        if any(doc["state"] == "waiting" for doc in world.docs(reader, "parked")):
            yield f"{reader}: something is parked"
        if world.docs(reader, "replay_requests"):
            yield f"{reader}: a replay waits"


def _behind(world: World, feed: FeedName, head: Document) -> Iterator[str]:
    """Yield who is not at a feed's head: its mark, the log that is there now, its readers."""
    mark = world.doc(database_of(feed), feed.state, "mark")
    if (0 if mark is None else mark["published"]) != head["number"]:
        yield f"{feed.topic}: sent up to {mark and mark['published']} of {head['number']}"
    marked = (mark or {}).get("log") or {}
    if head["number"] and (marked.get("cluster_id"), marked.get("topic_id")) != world.broker.place(feed.topic):
        yield f"{feed.topic}: what was sent was sent to another log than there is"
    log = world.broker.topics.get(feed.topic)
    there = {envelope.feedseq for record in (log.records if log else ()) if (envelope := event_in(record))}
    tail_was_lost = world.scheduler.counts["log tail lost"] > 0  # see "Limits" in decision 28
    if len(there) < head["number"] and not tail_was_lost:
        yield f"{feed.topic}: {len(there)} of {head['number']} numbers are on the log"
    for reader in readers_of(feed):
        position = world.doc(reader, "positions", feed.topic) or {"number": 0, "head": GENESIS}
        if (position["number"], position["head"]) != (head["number"], head["hash"]):
            yield f"{feed.topic}: {reader} is at {position['number']} of {head['number']}"


class Checker:
    """Counts again from the owners' feeds and compares."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._violate = world.history.violate
        self._events: dict[str, list[Envelope]] = {}
        self._told: dict[str, list[Told]] = {}

    def check(self) -> None:
        """Write down every violation."""
        for what in unquiet(self._world):
            self._violate(f"never quiet: {what}")
        for feed in FEEDS:
            self._walk(feed)
        self._clients()
        self._owners_state()
        for feed in (ALPHA, BETA):
            self._projections(feed)
        self._decisions()

    def _walk(self, feed: FeedName) -> None:
        """Walk the chain with the production code, in a process of its own."""
        reading = self._world.unit(self._world.operator, feed.service).reading(feed.organisation)
        verdict = verify_feed(reading, feed)
        if not verdict.is_sound:
            self._violate(f"{feed.topic}: the feed is not sound: {verdict}")
        ledger = Ledger(reading, feed)
        events = [envelope for envelope, _ in ledger.walk(0, ledger.head())]
        self._events[feed.topic] = events
        self._told[feed.topic] = [msgspec.json.decode(event.data, type=Told) for event in events]
        versions: dict[str, int] = defaultdict(int)
        for event, told in zip(events, self._told[feed.topic], strict=True):
            if told.version != versions[event.subject] + 1 and feed.topic not in self._world.history.restored:
                self._violate(
                    f"{feed.topic}: version {told.version} of {event.subject} after {versions[event.subject]}"
                )
            versions[event.subject] = told.version

    def _clients(self) -> None:
        """Each ok once, each unknown at most once, no failed one."""
        made = Counter(told.request for feed in (ALPHA, BETA) for told in self._told[feed.topic])
        lost = frozenset[str]().union(*(one.lost for one in self._world.history.restored.values()))
        for key, told in self._world.history.told.items():
            least = int(told.outcome == "ok" and key not in lost)
            most = 2 if key in lost else int(told.outcome != "failed")
            if not least <= made[key] <= most:
                self._violate(f"{key} was told {told.outcome} and happened {made[key]} times")

    def _owners_state(self) -> None:
        """An owner's own rows say what its feed says."""
        for feed in (ALPHA, BETA):
            if feed.topic in self._world.history.restored:
                continue  # what is brought back stands on the feed, not in the rows: people look at it
            database = database_of(feed)
            kept = {f"{rows}-{doc['_id']}": doc["version"] for rows in ("accounts", "files", "facts")
                    for doc in self._world.docs(database, rows)}  # fmt: skip
            last = {event.subject: told.version for event, told in self._pairs(feed)}
            if kept != last:
                self._violate(f"{feed.topic}: rows {kept} but events {last}")

    def _pairs(self, feed: FeedName) -> list[tuple[Envelope, Told]]:
        """Return the events that count: a person's discards do not."""
        return list(zip(self._events[feed.topic], self._told[feed.topic], strict=True))

    def _taken(self, feed: FeedName) -> list[tuple[Envelope, Told]]:
        decided = self._world.docs(BOARD_DATABASE, "parked_decisions")
        discarded = {doc["number"] for doc in decided if doc["feed"] == feed.topic and doc["decision"] == "discarded"}
        return [(event, told) for event, told in self._pairs(feed) if event.feedseq not in discarded]

    def _projections(self, feed: FeedName) -> None:
        docs, taken = self._world.docs, self._taken(feed)
        awards = [(event, told) for event, told in taken if event.type == "sim.award.v1"]
        entries = [doc for doc in docs(BOARD_DATABASE, "ledger") if doc["feed"] == feed.topic]
        wanted = Counter((event.feedseq, told.request) for event, told in awards for _ in range(2))
        restored = self._world.history.restored.get(feed.topic)
        if restored is not None and self._world.history.given_up(feed.topic):
            counted = {told.request for _, told in taken}
            discarded = {told.request for _, told in self._pairs(feed) if told.request not in counted}
            held = Counter((doc["number"], doc["request"]) for doc in entries)
            self._adopted(feed, held, wanted, restored.lost | discarded)
            return
        self._equal(feed, "ledger", Counter((doc["number"], doc["request"]) for doc in entries), wanted)
        self._equal(feed, "sum of the ledger", sum(doc["amount"] for doc in entries), 0)
        sums: Counter[str] = Counter()
        for _, told in awards:
            sums[f"{feed.topic}|{told.subject}"] += told.amount
        kept = {doc["_id"]: doc["sum"] for doc in docs(BOARD_DATABASE, "sums") if doc["_id"].startswith(feed.topic)}
        self._equal(feed, "sums", kept, dict(sums))
        self._states(feed, taken)
        counts = next((doc for doc in docs(BOARD_DATABASE, "counts") if doc["_id"] == feed.topic), {})
        counted = {name: value for name, value in counts.items() if name != "_id"}
        self._equal(feed, "counts", counted, dict(Counter(event.type.replace(".", "-") for event, _ in taken)))

    def _adopted(
        self, feed: FeedName, kept: Counter[tuple[int, str]], wanted: Counter[tuple[int, str]], lost: frozenset[str]
    ) -> None:
        """After an adoption effects of the given-up history stand beside those of the new one, each once."""
        if wanted - kept or any(request not in lost for _, request in kept - wanted):
            self._violate(f"{feed.topic}: after an adoption the ledger has {kept}, the feed {wanted}")

    def _states(self, feed: FeedName, taken: list[tuple[Envelope, Told]]) -> None:
        last: dict[str, tuple[str, list[int]]] = {}
        for event, told in taken:
            if event.type == "sim.move.v1":
                name = f"{feed.topic}|{told.subject}"
                last[name] = (told.request, [*last.get(name, ("", []))[1], told.version])
        states = self._world.docs(BOARD_DATABASE, "states")
        kept = {doc["_id"]: (doc["state"], doc["order"]) for doc in states if doc["_id"].startswith(feed.topic)}
        self._equal(feed, "states", kept, last)

    def _decisions(self) -> None:
        """A fact of each owner, in whatever order: one decision, told once to whom it concerns."""
        stated: dict[str, dict[str, int]] = defaultdict(dict)
        for feed in (ALPHA, BETA):
            for event, told in self._taken(feed):
                if event.type == "sim.fact.v1":
                    stated[told.subject][feed.organisation] = told.amount
        wanted = {name: one["alpha"] * 100 + one["beta"] for name, one in stated.items() if len(one) == len(OWNERS)}
        made = [(told.subject, told.amount) for told in self._told[GAMMA.topic]]
        if not self._world.history.restored.keys() - {GAMMA.topic}:
            self._equal(GAMMA, "decisions", sorted(made), sorted(wanted.items()))
        elif len({subject for subject, _ in made}) != len(made):
            self._violate(f"decided twice: {made}")
        for owner in OWNERS:
            told = [(doc["subject"], doc["amount"]) for doc in self._world.docs(f"notice__{owner}", "told")]
            concerning = [(subject, amount) for subject, amount in made if concerned_by(subject) == owner]
            if self._world.history.given_up(GAMMA.topic):
                told = sorted(set(told) & set(concerning))
            self._equal(GAMMA, f"told to {owner}", sorted(told), sorted(concerning))

    def _equal(self, feed: FeedName, what: str, kept: object, wanted: object) -> None:
        if kept != wanted:
            self._violate(f"{feed.topic}: {what} at {BOARD}: {kept} instead of {wanted}")


def in_a_greenlet(world: World, check: Callable[[], None]) -> None:
    """Let the checker, which uses production code, run where the store's switch points may give way."""
    done: list[bool] = []

    def run() -> None:
        check()
        done.append(True)

    world.scheduler.spawn(world.operator, "checker", run)
    world.scheduler.run(lambda: bool(done))
