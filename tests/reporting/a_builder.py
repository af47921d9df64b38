"""A process that rebuilds the board's projections from feeds in a file, and stops for ever at a named step.

    python a_builder.py FEEDS STEP

FEEDS has one structured event a line. It writes the step to the standard output when it is there.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from pathlib import Path

from services.reporting import bootstrap
from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.reporting.storage.rebuilding import MongoRebuilding
from shared.clock import SystemClock
from shared.events.feed import FeedName
from shared.events.reader import followed_feeds, router_of
from shared.events.rebuilding import Rebuilder, RebuildRules, RebuildTools
from shared.events.records import from_structured
from shared.events.subscriptions import SubscriptionBook
from shared.storage.mongo import connect


def main(file: Path, step: str) -> None:
    """Rebuild, as far as the step."""
    given = bootstrap.settings()
    partnership = given.partnership()
    feeds = defaultdict(list)
    for line in file.read_bytes().splitlines():
        event = from_structured(line)
        feeds[event.source].append(event)

    def fetch(name: FeedName, after: int, limit: int):
        return feeds[f"/feeds/{name.topic}"][after : after + limit]

    def stop_at(reached: str) -> None:
        if reached == step:
            print(reached, flush=True)  # noqa: T201 - whoever started this waits for it
            threading.Event().wait()

    rebuilt = MongoRebuilding()
    book = SubscriptionBook(subscriptions(rebuilt.projections), IGNORED)
    names = followed_feeds(partnership, FEEDS, (partnership.board,))
    tools = RebuildTools(
        name="reporting",
        unit=bootstrap.unit_of_work(given, connect(given.mongodb_uri, appname="a-builder")),
        organisation=partnership.board,
        rebuilt=rebuilt,
        fetch=fetch,
        clock=SystemClock(),
        rules=RebuildRules(linger_seconds=0.0),
        at=stop_at,
    )
    routers = {name: router_of(name, book, allowed, partnership) for name, allowed in names.items()}
    Rebuilder(tools, routers).look(threading.Event())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
