"""The played domain, tiny but real in shape: what owners write, and what readers at other organisations make of it.

`alpha` and `beta` own awards (a natural key, an account with versions), files with states, and facts; `gamma` reads
both: a ledger, accounts, last states, roll-ups, and a decision that needs a fact of each. Alpha and beta read what
gamma decided. Every effect is wrong when it happens twice, not at all, or out of order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from shared.errors import Malformed, RuleBroken
from shared.events.envelope import Outgoing, Received
from shared.events.feed import FeedName
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.storage.unit_of_work import Work

OWNERS: Final = ("alpha", "beta")
BOARD: Final = "gamma"
ALPHA, BETA = (FeedName("org", owner, "work") for owner in OWNERS)
GAMMA: Final = FeedName("org", BOARD, "board")
FEEDS: Final = (ALPHA, BETA, GAMMA)
SUMMED: Final = {"sim.award.v1": "amount"}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The data of every event; `request` is the key of the request behind it."""

    request: str
    subject: str
    version: int
    amount: int = 0
    poison: bool = False


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a client wants: its idempotency key is `key`."""

    key: str
    owner: str
    kind: str
    subject: str
    amount: int
    poison: bool = False


def handle(request: Request) -> Callable[[Work], int]:
    """Return the callback of a request: state and event in one commit; it returns the aggregate's version.

    Raises:
        RuleBroken: (from the callback) There is such an award or fact already.
    """

    def award(work: Work) -> int:
        natural = f"{request.subject}|{request.amount}"
        if work.rows("awards").find_one({"_id": natural}) is not None:
            raise RuleBroken("awarded already")
        work.rows("awards").insert_one({"_id": natural, "request": request.key})
        return _raise_version(work, "accounts", request)

    def move(work: Work) -> int:
        return _raise_version(work, "files", request)

    def fact(work: Work) -> int:
        if work.rows("facts").find_one({"_id": request.subject}) is not None:
            raise RuleBroken("stated already")
        return _raise_version(work, "facts", request)

    return {"award": award, "move": move, "fact": fact}[request.kind]


def _raise_version(work: Work, rows: str, request: Request) -> int:
    held = work.rows(rows).find_one({"_id": request.subject})
    version = 1 if held is None else held["version"] + 1
    doc = {"_id": request.subject, "version": version, "amount": request.amount}
    if held is None:
        work.rows(rows).insert_one(doc)
    else:
        work.rows(rows).replace_version(doc, held["version"])
    told = Told(
        request=request.key, subject=request.subject, version=version, amount=request.amount, poison=request.poison
    )
    key = f"{rows}-{request.subject}"
    work.emit(Outgoing(type=f"sim.{request.kind}.v1", key=key, version=version, data=msgspec.json.encode(told)))
    return version


class Board:
    """Gamma's reactions; `is_mended` says whether the version that takes poison is deployed."""

    def __init__(self) -> None:
        self.is_mended = False

    def book(self) -> SubscriptionBook:
        """Return gamma's table."""
        reactions = {"award": self.when_awarded, "move": self.when_moved, "fact": self.when_stated}
        return SubscriptionBook(
            Subscription(type=f"sim.{kind}.v1", struct=Told, concerns=lambda *_: (BOARD,), reaction=reaction)
            for kind, reaction in reactions.items()
        )

    def when_awarded(self, work: Work, event: Received[Told]) -> None:
        """Book twice (learner and owner), add up, count."""
        self._taste(event)
        told = event.data
        entry = {"feed": event.topic, "number": event.number, "request": told.request}
        work.rows("ledger").insert_many(
            [
                {"_id": work.new_id(), "account": account, "amount": amount, **entry}
                for account, amount in ((told.subject, told.amount), (event.organisation, -told.amount))
            ]
        )
        sums = work.rows("sums")
        sums.update_one({"_id": f"{event.topic}|{told.subject}"}, {"$inc": {"sum": told.amount}}, upsert=True)
        self._count(work, event)

    def when_moved(self, work: Work, event: Received[Told]) -> None:
        """Keep the last state, and the order in which they came."""
        self._taste(event)
        name = f"{event.topic}|{event.data.subject}"
        held = work.rows("states").find_one({"_id": name}) or {"order": []}
        order = [*held["order"], event.data.version]
        state = {"_id": name, "state": event.data.request, "order": order}
        work.rows("states").replace_one({"_id": name}, state, upsert=True)
        self._count(work, event)

    def when_stated(self, work: Work, event: Received[Told]) -> None:
        """Store the fact; decide when both owners have stated theirs, in whatever order."""
        self._taste(event)
        subject = event.data.subject
        held = work.rows("stated").find_one({"_id": subject}) or {"_id": subject}
        held[event.organisation] = event.data.amount
        work.rows("stated").replace_one({"_id": subject}, held, upsert=True)
        self._count(work, event)
        if all(owner in held for owner in OWNERS) and work.rows("decisions").find_one({"_id": subject}) is None:
            amount = held["alpha"] * 100 + held["beta"]
            work.rows("decisions").insert_one({"_id": subject, "amount": amount})
            told = Told(request=f"decided-{subject}", subject=subject, version=1, amount=amount)
            data = msgspec.json.encode(told)
            work.emit(Outgoing(type="sim.decided.v1", key=f"decision-{subject}", version=1, data=data))

    def _taste(self, event: Received[Told]) -> None:
        if event.data.poison and not self.is_mended:
            raise Malformed("this cannot be")

    def _count(self, work: Work, event: Received[Told]) -> None:
        work.rows("counts").update_one({"_id": event.topic}, {"$inc": {event.type.replace(".", "-"): 1}}, upsert=True)


def concerned_by(subject: str) -> str:
    """Return the one owner that a decision about a subject is told to."""
    return OWNERS[sum(subject.encode()) % 2]


def when_told(work: Work, event: Received[Told]) -> None:
    """An owner keeps what was decided."""
    work.rows("told").insert_one({"_id": work.new_id(), "subject": event.data.subject, "amount": event.data.amount})


def notices() -> SubscriptionBook:
    """Return the owners' table of what gamma tells."""
    return SubscriptionBook(
        (
            Subscription(
                type="sim.decided.v1",
                struct=Told,
                concerns=lambda event, _: (concerned_by(event.data.subject),),
                reaction=when_told,
            ),
        )
    )
