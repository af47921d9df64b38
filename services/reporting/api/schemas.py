"""What comes in and goes out over HTTP, as marshmallow schemas. Made once, at import."""

from __future__ import annotations

from shared.http.fields import Choice, Flag, Identifier, Instant, Items, Part, StrictSchema, Table, Text, Whole


class PublicationIn(StrictSchema):
    """A publication to be closed. The title is for the board's own pages and goes on no bus."""

    title = Text(required=True, longest=120, metadata={"example": "Autumn term 2026"})


class ReportFilter(StrictSchema):
    """Which publication a report is read from; the latest without it."""

    publication = Identifier()


class CountedFeedOut(StrictSchema):
    """How far a feed had been read."""

    feed = Text(required=True)
    number = Whole(required=True)
    head = Text(allow_none=True)


class PublicationOut(StrictSchema):
    """A closed publication. It never changes."""

    id = Identifier(required=True)
    title = Text(required=True)
    closed_at = Instant(required=True)
    tables = Items(Text(), required=True)
    feeds = Items(Part(CountedFeedOut), required=True, most=5000)


class PublicationsOut(StrictSchema):
    """All publications, the latest first."""

    items = Items(Part(PublicationOut), required=True)
    next = Text(allow_none=True)


class ReportEntryOut(StrictSchema):
    """One table of the catalogue."""

    name = Text(required=True)
    title = Text(required=True)


class CatalogueOut(StrictSchema):
    """The fixed tables."""

    items = Items(Part(ReportEntryOut), required=True)
    next = Text(allow_none=True)


class ColumnOut(StrictSchema):
    """A column of a table."""

    name = Text(required=True)
    title = Text(required=True)
    kind = Choice(("name", "people", "percent", "mean", "credits"), required=True)


class DisclosureOut(StrictSchema):
    """How people are kept from being recognised in a table."""

    method = Text(required=True)
    suppressed = Text(required=True)
    rules = Items(Text(longest=500), required=True)


class ReportOut(StrictSchema):
    """A published table. Each row is an object with a value per column; `..` stands for a suppressed figure."""

    name = Text(required=True)
    title = Text(required=True)
    publication = Identifier(required=True)
    columns = Items(Part(ColumnOut), required=True)
    rows = Items(Table(), required=True, most=5000)
    notes = Items(Text(longest=500), required=True)
    as_of = Instant(required=True)
    feeds = Items(Part(CountedFeedOut), required=True, most=5000)
    disclosure = Part(DisclosureOut, required=True)


class ProjectionOut(StrictSchema):
    """A table as it stands now, raw figures included. For operators and tests only."""

    name = Text(required=True)
    rows = Items(Table(), required=True, most=5000)


class FeedFreshnessOut(StrictSchema):
    """How fresh one feed is; null where no heartbeat was heard yet.

    `owner_number` is what its owner says that it has. `differences` names the figures (events by type, credits) in
    which the owner's own totals and what was counted here differ; `is_other_partnership` says that the owner works
    with another partnership file; `stopped` why the feed stands still until a person decides.
    """

    feed = Text(required=True)
    number = Whole(required=True)
    owner_number = Whole(allow_none=True)
    delay_seconds = Whole(allow_none=True)
    missing = Whole(allow_none=True)
    is_other_partnership = Flag(allow_none=True)
    differences = Items(Text(), most=500)
    stopped = Text(allow_none=True)


class FreshnessOut(StrictSchema):
    """Every feed that was heard of."""

    items = Items(Part(FeedFreshnessOut), required=True, most=5000)
    next = Text(allow_none=True)
