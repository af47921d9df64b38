"""The command `republish`: let a feed be sent again from its first event. The relay does it; nothing is sent here."""

from __future__ import annotations

from shared.errors import NotFound
from shared.events.feed import FeedName
from shared.events.marks import Marks
from shared.storage.unit_of_work import UnitOfWork


def republish(unit_of_work: UnitOfWork, name: FeedName, *, is_new_generation: bool = False) -> None:
    """Make the feed's relay send everything again, oldest first, byte-identical.

    With `is_new_generation` it opens a new generation first: that is how a person resolves a refused feed, after
    deciding that this database is the true one.

    Raises:
        NotFound: No relay ever had this feed.
    """
    marks = Marks(unit_of_work, name)
    if marks.look() is None:
        raise NotFound("no relay ever had this feed")
    marks.send_again(unit_of_work.new_identifier() if is_new_generation else None)


def published(unit_of_work: UnitOfWork, name: FeedName) -> int:
    """Return how far the feed was sent, for a command that shows progress."""
    mark = Marks(unit_of_work, name).look()
    return 0 if mark is None else mark.published
