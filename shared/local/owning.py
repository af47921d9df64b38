"""Taking one organisation's databases of all services out of an instance, and into another one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from shared.errors import Conflict, NotFound
from shared.events.feed import FeedName
from shared.events.ledger import HEAD
from shared.events.verify import Verdict
from shared.local.operations import Operations
from shared.partnership.model import SERVICES
from shared.storage.dump import Manifest, Say, Source, dump, heads_of, read_manifest, restore

MOVED: Final = "moved to another instance"
FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when the lease of a feed that has moved runs: no relay of this instance takes it again."""


def sources_of(platform: Operations, organisation: str) -> list[Source]:
    """Return the organisation's databases.

    Raises:
        NotFound: There is no such partner.
    """
    if organisation not in platform.partnership.organisations:
        raise NotFound(f"{organisation} is none of the partners: {', '.join(platform.partnership.organisations)}")
    owned = [name for name in SERVICES if organisation in platform.partnership.owners(name)]
    return [Source(name, platform.database(organisation, name)) for name in owned]


def export_organisation(
    platform: Operations, organisation: str, folder: Path, *, say: Say, move: bool = False
) -> Manifest:
    """Write everything of an organisation into `folder`; with `move`, close its feeds here first.

    Raises:
        NotFound: There is no such partner.
        Conflict: A dump is there already, or the organisation is at work.
    """
    sources = sources_of(platform, organisation)
    if move:
        for source in sources:
            _close_feeds(source)
    hashed = platform.partnership.hash
    return dump(sources, folder, organisation=organisation, partnership_hash=hashed, say=say)


def import_organisation(platform: Operations, folder: Path, *, say: Say) -> Iterator[tuple[FeedName, Verdict]]:
    """Load a dump, then yield what a walk over each of its feeds finds.

    Raises:
        NotFound: The organisation is none of this partnership's.
        Conflict: There is data already, or a feed does not stand where the manifest says.
        Malformed: The dump is not whole.
    """
    manifest = read_manifest(folder)
    sources = sources_of(platform, manifest.organisation)
    restore(sources, folder, manifest, say=say)
    heads = {name: head for source in sources for name, head in heads_of(source).items()}
    if heads != manifest.heads:
        raise Conflict("a feed does not stand where the manifest says: nothing may write for this organisation yet")
    yield from platform.verify(manifest.organisation, None)


def _close_feeds(source: Source) -> None:
    for name in source.database.list_collection_names():
        if name.endswith("_state"):
            claim = {"holder": MOVED, "session": None, "until": FOR_EVER}
            source.database[name].update_one({"_id": HEAD}, {"$set": claim, "$inc": {"epoch": 1}})
