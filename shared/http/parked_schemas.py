"""The shapes of parked records over HTTP: what operators send, and what they are shown. The routes are `parked.py`."""

from __future__ import annotations

from typing import Final

from shared.events import parking
from shared.http.fields import Choice, Flag, Instant, Items, Part, StrictSchema, Text, Whole

STATES: Final = (parking.WAITING, parking.REPLAYED, parking.DISCARDED)


class ParkedReasonOut(StrictSchema):
    """What waits for one reason, and what follows it under the same keys."""

    reason = Text(required=True)
    causes = Whole(required=True)
    followers = Whole(required=True)
    security = Flag(required=True)
    feeds = Items(Text(), required=True)
    first_seen_at = Instant(required=True)
    last_seen_at = Instant(required=True)


class ParkedReasonsOut(StrictSchema):
    """All reasons, most records first."""

    items = Items(Part(ParkedReasonOut), required=True)
    next = Text(required=True, allow_none=True)


class ParkedFilter(StrictSchema):
    """Which records."""

    feed = Text(longest=200)
    state = Choice(STATES, load_default=parking.WAITING)


class ParkedRecordOut(StrictSchema):
    """One parked record without its content. `key` is the beginning of the id that it belongs to."""

    id = Text(required=True, longest=600)
    feed = Text(required=True)
    number = Whole(required=True, allow_none=True)
    key = Text(required=True, allow_none=True)
    type = Text(required=True, allow_none=True)
    reason = Text(required=True)
    is_cause = Flag(required=True)
    security = Flag(required=True)
    state = Choice(STATES, required=True)
    parked_at = Instant(required=True)


class ParkedRecordsOut(StrictSchema):
    """One page of records."""

    items = Items(Part(ParkedRecordOut), required=True)
    next = Text(required=True, allow_none=True)


class ParkedFieldOut(StrictSchema):
    """One field of the event, by its JSON pointer; what may not be shown is masked."""

    pointer = Text(required=True)
    value = Text(required=True, longest=1000)


class ParkedStepOut(StrictSchema):
    """What a person did about the record."""

    what = Text(required=True)
    by = Text(required=True)
    reason = Text(required=True, longest=500)
    at = Instant(required=True)


class ParkedRecordInFullOut(ParkedRecordOut):
    """One record, what it says as far as that may be shown, and what people did about it."""

    time = Text(required=True, allow_none=True)
    fields_said = Items(Part(ParkedFieldOut), required=True)
    unnamed_fields = Whole(required=True)
    size = Whole(required=True, allow_none=True)
    sha256 = Text(required=True, allow_none=True)
    headers = Items(Text(), required=True)
    other_headers = Whole(required=True)
    steps = Items(Part(ParkedStepOut), required=True)


class ParkedReplayIn(StrictSchema):
    """Take the record's key again, or only say what would come of it."""

    reason = Text(required=True, longest=200)
    is_rehearsal = Flag(load_default=False)


class ParkedReplayOut(StrictSchema):
    """A replay or a rehearsal: `state` is asked, trying, failed or rehearsed; one that was done is no longer listed."""

    feed = Text(required=True)
    key = Text(required=True)
    is_rehearsal = Flag(required=True)
    state = Text(required=True)
    by = Text(required=True)
    reason = Text(required=True, longest=500)
    asked_at = Instant(required=True, allow_none=True)
    taken = Whole(required=True, allow_none=True)
    would_take = Whole(required=True, allow_none=True)
    tried = Whole(required=True, allow_none=True)
    waiting = Whole(required=True, allow_none=True)
    failed_at = Whole(required=True, allow_none=True)
    code = Text(required=True, allow_none=True)


class ParkedReplaysOut(StrictSchema):
    """What waits for the reader, and what it answered."""

    items = Items(Part(ParkedReplayOut), required=True)
    next = Text(required=True, allow_none=True)


class ParkedReasonIn(StrictSchema):
    """Why; kept with the decision."""

    reason = Text(required=True, longest=200)


class ParkedConfirmIn(StrictSchema):
    """The reason that is confirmed, as it was given: nobody confirms what they have not read."""

    reason = Text(required=True, longest=200)


class ParkedDiscardOut(StrictSchema):
    """How far a discard is."""

    id = Text(required=True, longest=600)
    decision = Choice((parking.DISCARD_ASKED, parking.DISCARDED), required=True)


class StoppedFeedOut(StrictSchema):
    """A feed that stands still until a person decides, and why."""

    feed = Text(required=True)
    kind = Text(required=True)
    number = Whole(required=True)
    detail = Text(required=True, longest=500)
    since = Instant(required=True, allow_none=True)


class StoppedFeedsOut(StrictSchema):
    """All feeds that stand still."""

    items = Items(Part(StoppedFeedOut), required=True)
    next = Text(required=True, allow_none=True)


class ResumedFeedOut(StrictSchema):
    """A feed that goes on."""

    feed = Text(required=True)
