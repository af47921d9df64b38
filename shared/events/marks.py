"""How far a feed was sent, and on which log: one document per feed, moved only by the relay that holds the epoch."""

from __future__ import annotations

import msgspec

from shared.errors import Conflict
from shared.events.envelope import GENESIS
from shared.events.feed import FeedName
from shared.events.ledger import MARK
from shared.events.numbering import Fenced
from shared.events.topics import LogPlace
from shared.storage.mongo import Document
from shared.storage.unit_of_work import UnitOfWork


class MarkMoved(Conflict):
    """A command changed the mark meanwhile: read it again and check the log again."""

    slug = "relay-mark-moved"


class MarkedLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log's identity, and the offset of the opening of its present generation."""

    cluster_id: str
    topic_id: str
    generation: str
    opened: int

    def is_at(self, place: LogPlace) -> bool:
        """Return whether this is the log that the broker has at `place`."""
        return (self.cluster_id, self.topic_id) == (place.cluster_id, place.topic_id)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The last acknowledged number with its hash and offset, and the last round that was sent entirely.

    With `published` 0, `offset` is the last one that need not be looked at. `turn` counts the commands that changed
    the mark; `new_generation` is the generation that a command asks for.
    """

    turn: int = 0
    log: MarkedLog | None = None
    new_generation: str | None = None
    published: int = 0
    hash: str = GENESIS
    round: int = 0
    offset: int = -1


class Marks:
    """The mark of one feed in its owner's database."""

    def __init__(self, unit_of_work: UnitOfWork, name: FeedName) -> None:
        self._unit_of_work = unit_of_work
        self._name = name

    def read(self, epoch: int) -> Mark:
        """Return the mark.

        Raises:
            Fenced: The epoch is another's.
        """
        found = self._document()
        if found is None or found["epoch"] != epoch:
            raise Fenced("another relay has this feed")
        return mark_from(found)

    def look(self) -> Mark | None:
        """Return the mark whoever holds it, None before any relay had this feed."""
        found = self._document()
        return None if found is None else mark_from(found)

    def move(self, before: Mark, after: Mark, epoch: int) -> Mark:
        """Put `after` in the place of `before` and return it.

        Raises:
            Fenced: The epoch is another's.
            MarkMoved: A command changed the mark first, or its database came back from a backup.
        """
        rows = self._unit_of_work.reading(self._name.organisation).rows(self._name.state)
        update = {"$set": {key: value for key, value in msgspec.to_builtins(after).items() if key != "turn"}}
        guard = {"_id": MARK, "epoch": epoch, "turn": before.turn, "published": before.published}
        if rows.update_one(guard, update) == 0:
            self.read(epoch)
            raise MarkMoved("how far this feed was sent was changed meanwhile")
        return after

    def send_again(self, new_generation: str | None) -> None:
        """Let the feed be sent again from its first event, in a new generation where one is given."""
        again = {"published": 0, "hash": GENESIS, "round": 0, "new_generation": new_generation}
        rows = self._unit_of_work.reading(self._name.organisation).rows(self._name.state)
        rows.update_one({"_id": MARK}, {"$set": again, "$inc": {"turn": 1}})

    def _document(self) -> Document | None:
        return self._unit_of_work.reading(self._name.organisation).rows(self._name.state).find_one({"_id": MARK})


def mark_from(found: Document) -> Mark:
    """Return what a mark document says."""
    return msgspec.convert({key: value for key, value in found.items() if key not in ("_id", "epoch")}, Mark)
