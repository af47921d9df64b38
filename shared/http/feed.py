"""The pull feed: the events of one organisation in this service, in order, by number. The same on every service.

`GET /v1/organisations/{org}/feed?after=<number>&limit=`. Its own people (role `operator`) and instances (role
`service`) read it; a partner's instance reads it where the partnership lets that partner read the topic, and finds
nothing otherwise. `after` is a plain number, not a cursor: a reader knows its own position.
"""

from __future__ import annotations

from typing import Final

from shared.errors import NotFound
from shared.events.feed import FeedName
from shared.events.pull import MOST_EVENTS, feed_page
from shared.http.bodies import query
from shared.http.facts import asks, returns, scope
from shared.http.fields import Choice, Identifier, Instant, Items, Part, StrictSchema, Table, Text, Whole, WholeText
from shared.http.replies import Reply
from shared.http.routes import Routes
from shared.http.service import current_principal, current_service, read
from shared.storage.unit_of_work import Reading

DEFAULT_LIMIT: Final = 100
FEED: Final = "org"

routes = Routes("feed", description="The organisation's events in this service, in order.")


class FeedQuery(StrictSchema):
    """Where to go on."""

    after = WholeText(load_default=0)
    limit = WholeText(least=1, load_default=DEFAULT_LIMIT)


class FeedHead(StrictSchema):
    """The newest number, and the hash that the next event will name."""

    number = Whole(required=True)
    hash = Text(required=True, pattern="[0-9a-f]{64}")


class CloudEvent(StrictSchema):
    """One event as structured CloudEvents 1.0.2."""

    specversion = Choice(("1.0",), required=True)
    id = Identifier(required=True)
    source = Text(required=True)
    type = Text(required=True)
    subject = Text(required=True)
    time = Instant(required=True)
    datacontenttype = Text(required=True)
    dataschema = Text(required=True)
    organisation = Text(required=True)
    feedseq = Whole(required=True)
    prevhash = Text(required=True, pattern="[0-9a-f]{64}")
    correlationid = Text(required=True)
    causationid = Text()
    traceparent = Text()
    data = Table(required=True)


class FeedOut(StrictSchema):
    """One page of a feed; `next` is what to ask `after`, null at the head."""

    items = Items(Part(CloudEvent), required=True)
    next = Whole(required=True, allow_none=True)
    head = Part(FeedHead, required=True)


FEED_QUERY, FEED_OUT = FeedQuery(), FeedOut()


@routes.get("/v1/organisations/<org>/feed")
@scope("feed.read")
@asks(FEED_QUERY)
@returns(200, FEED_OUT)
def get_feed(org: str) -> Reply:
    """Read the events after a number, in order."""
    asked = query(FEED_QUERY)
    service, principal = current_service(), current_principal()
    if principal.organisation != org and not service.partnership.reads(org, service.name, principal.organisation):
        raise NotFound("not this partner's to read")

    def look(reading: Reading) -> Reply:
        name = FeedName(FEED, org, service.name)
        page = feed_page(reading, name, after=asked["after"], limit=min(asked["limit"], MOST_EVENTS))
        return Reply(200, raw=page.body())

    return read(org, look)
