"""The bodies of erasures, access reports and retention."""

from __future__ import annotations

from services.enrolment.domain.erasures import BASES, REFUSALS, STATES
from services.enrolment.domain.retention import KINDS, LONGEST_DAYS, SHORTEST_DAYS
from shared.http import Choice, CivilDate, Flag, Identifier, Instant, Items, Part, StrictSchema, Table, Text, Whole

LONGEST_SHOWN = 1_000_000
"""A stored reply is shown whole."""


class ErasureIn(StrictSchema):
    """Why somebody is to be erased."""

    basis = Choice(BASES, required=True)


class ErasureRefusedIn(StrictSchema):
    """Why somebody is not to be erased."""

    reason = Choice(REFUSALS, required=True)


class ReceiptOut(StrictSchema):
    """What another service answered: `service/organisation`."""

    by = Text()
    outcome = Text()
    reason_code = Text(allow_none=True)
    at = Instant()


class ErasureOut(StrictSchema):
    """An erasure: how far it is, who answered, who has not."""

    id = Identifier()
    practitioner_id = Identifier()
    basis = Choice(BASES)
    state = Choice(STATES)
    asked_at = Instant()
    decided_at = Instant(allow_none=True)
    refusal = Text(allow_none=True)
    erased_on = CivilDate(allow_none=True)
    changed = Table(keys=Text(), values=Whole())
    receipts = Items(Part(ReceiptOut))
    missing = Items(Text())
    missing_since = CivilDate(allow_none=True)


class HeldOut(StrictSchema):
    """What one collection holds of a person."""

    collection = Text()
    purpose = Text()
    rows = Items(Table(keys=Text(), values=Text(longest=LONGEST_SHOWN)))
    is_cut = Flag()


class AccessReportOut(StrictSchema):
    """Everything that this employer's enrolment service holds of one person."""

    practitioner_id = Identifier()
    made_at = Instant()
    held = Items(Part(HeldOut))
    notes = Items(Text(longest=LONGEST_SHOWN))


class PeriodsIn(StrictSchema):
    """Days for which kinds of things are kept; what is left out stays."""

    days = Table(keys=Choice(KINDS), values=Whole(least=SHORTEST_DAYS, most=LONGEST_DAYS), required=True)


class DueOut(StrictSchema):
    """How much of one kind is older than its period."""

    kind = Choice(KINDS)
    meaning = Text()
    days = Whole()
    due = Whole()
    oldest_on = CivilDate(allow_none=True)


class RetentionOut(StrictSchema):
    """What a run would remove now, and the periods it would go by."""

    items = Items(Part(DueOut))


class RunOut(StrictSchema):
    """A clearing out: what has gone so far."""

    id = Identifier()
    state = Text()
    asked_at = Instant()
    finished_at = Instant(allow_none=True)
    days = Table(keys=Text(), values=Whole())
    removed = Table(keys=Text(), values=Whole())


ERASURE_IN = ErasureIn()
ERASURE_REFUSED_IN = ErasureRefusedIn()
ERASURE_OUT = ErasureOut()
ACCESS_REPORT_OUT = AccessReportOut()
PERIODS_IN = PeriodsIn()
RETENTION_OUT = RetentionOut()
RUN_OUT = RunOut()
