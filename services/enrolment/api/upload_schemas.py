"""The bodies of uploaded files, their rows and the column mapping."""

from __future__ import annotations

from services.enrolment.application.uploads import ENDING, MODES, STATES
from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE, REFUSED
from services.enrolment.domain.enrolment_parts import REASONS
from services.enrolment.domain.field_list import KINDS, NEEDS
from services.enrolment.domain.mapping import FORMATS
from services.enrolment.domain.records import CODES, FIELDS
from shared.http import (
    Choice,
    Exact,
    Flag,
    Identifier,
    Instant,
    Items,
    Part,
    StrictSchema,
    Table,
    Text,
    Whole,
)

DECISIONS = (ACCEPTED, DUPLICATE, REFUSED, ENDING)


class PreviewAsked(StrictSchema):
    """The file's name (for its ending only) and, where it is known, its encoding."""

    filename = Text(longest=300)
    charset = Text(longest=40, pattern=r"[A-Za-z0-9_.-]+")


class UploadAsked(PreviewAsked):
    """What the sender declares of a file: a delta, or a snapshot of one cohort or of all that it names.

    `withdrawal_reason` is why those whom a snapshot leaves out are withdrawn.
    """

    mode = Choice(MODES)
    course = Text(longest=64)
    intake = Text(longest=64)
    withdrawal_reason = Choice(REASONS)


class FaultOut(StrictSchema):
    """One fault of a row."""

    code = Choice(CODES)
    field = Text()
    detail = Text()


class FileFaultOut(StrictSchema):
    """What is wrong with a file as a whole, and in which row it was found."""

    code = Choice(("unreadable_file",))
    detail = Text(longest=5000)
    row = Whole(allow_none=True)


class FaultCountOut(StrictSchema):
    """How many rows have one kind of fault, and the first of them."""

    code = Choice(CODES)
    field = Text()
    count = Whole()
    first_line = Whole()


class ScopeCohortOut(StrictSchema):
    """One cohort that a snapshot speaks for."""

    course = Text()
    intake = Text()


class WithdrawalsOut(StrictSchema):
    """What a file ends: of how many live enrolments in its scope, how many, and how many of them so far."""

    in_scope = Whole()
    to_withdraw = Whole()
    withdrawn = Whole()


class UploadOut(StrictSchema):
    """A file's job. `fault` says why a file as a whole could not be read, `brake` what a held snapshot waits for."""

    id = Identifier()
    state = Choice(STATES)
    filename = Text()
    uploaded_at = Instant()
    counts = Table(keys=Text(), values=Whole())
    rows = Whole()
    done = Whole()
    fault = Text(longest=5000, allow_none=True)
    fault_row = Whole(allow_none=True)
    same_as = Identifier(allow_none=True)
    seen_before = Flag()
    faults = Items(Part(FileFaultOut))
    fault_counts = Items(Part(FaultCountOut))
    mode = Choice(MODES)
    scope = Items(Part(ScopeCohortOut))
    withdrawals = Part(WithdrawalsOut)
    brake = Text(longest=500, allow_none=True)


class UploadWithdrawalOut(StrictSchema):
    """One enrolment that ends when the file is confirmed; `line` is the row that says so, if one does."""

    enrolment_id = Identifier()
    employee_ref = Text(allow_none=True)
    course = Text(allow_none=True)
    intake = Text(allow_none=True)
    status = Text(allow_none=True)
    line = Whole(allow_none=True)
    is_withdrawn = Flag()


class UploadRowOut(StrictSchema):
    """One row: where it stood, what was decided and why."""

    line = Whole()
    employee_ref = Text(allow_none=True)
    course = Text(allow_none=True)
    intake = Text(allow_none=True)
    route = Text(allow_none=True)
    decision = Choice(DECISIONS)
    codes = Items(Choice(CODES))
    faults = Items(Part(FaultOut))
    enrolment_id = Identifier(allow_none=True)


class RowsAsked(StrictSchema):
    """Which rows are wanted."""

    decision = Choice(DECISIONS)


class SplitNameSchema(StrictSchema):
    """A combined name column, and whether it may hold a single name."""

    column = Text(required=True)
    order = Text(required=True, pattern=r"(family[ ,;.|/-]*given|given[ ,;.|/-]*family)")
    single_name = Choice(("given", "family"))


class MappingSchema(StrictSchema):
    """How an employer's own files are read; what is not said is the canonical file."""

    format = Choice(FORMATS, required=True)
    encoding = Text(longest=40, pattern=r"[A-Za-z0-9_.-]+")
    delimiter = Choice((",", ";", "\t", "|"))
    sheet = Text()
    heading_row = Whole(least=1, most=1000)
    date_format = Text(longest=40)
    columns = Table(keys=Text(longest=64, pattern=r"[a-z][a-z0-9_]*"), values=Text())
    values = Table(keys=Choice(FIELDS), values=Table(keys=Text(), values=Text()))
    split_name = Part(SplitNameSchema)
    scale = Table(keys=Choice(("fte",)), values=Exact(least=0, most=1000, places=6))
    pad_left = Table(keys=Choice(FIELDS), values=Whole(least=1, most=40))


class GuideEntryOut(StrictSchema):
    """One column: what it says, how it is written, whether it is needed, and all that it may say."""

    name = Text()
    heading = Text()
    title = Text()
    description = Text(longest=2000)
    kind = Choice(KINDS)
    format = Text()
    example = Text()
    need = Choice(NEEDS)
    condition = Text(allow_none=True)
    allowed = Items(Text())
    longest = Whole()


class FieldGuideOut(StrictSchema):
    """Every column of the employer's files, in their order."""

    columns = Items(Part(GuideEntryOut))


class HeadingOut(StrictSchema):
    """One heading of a file, the field it is read as, and how that came."""

    heading = Text()
    field = Text(allow_none=True)
    confidence = Choice(("mapped", "exact", "known", "similar"), allow_none=True)


class UnknownValueOut(StrictSchema):
    """A value that is none of its field's words, and how many rows say so."""

    field = Text()
    value = Text()
    count = Whole()


class DateFoundOut(StrictSchema):
    """How a field's dates can be read; more than one format is for a person to choose from."""

    field = Text()
    formats = Items(Text())
    is_ambiguous = Flag()
    unread = Whole()
    example = Text(allow_none=True)


class PreviewRowOut(StrictSchema):
    """One row as it stands in the file."""

    line = Whole()
    cells = Table(keys=Text(), values=Text(shortest=0))


class PreviewFaultOut(StrictSchema):
    """How many of the rows looked at would be refused for one kind of fault."""

    code = Choice(CODES)
    field = Text()
    count = Whole()


class PreviewOut(StrictSchema):
    """What a file holds and probably means. `mapping` can be set as it is, or after a person has corrected it."""

    mapping = Part(MappingSchema)
    sheets = Items(Text())
    headings = Items(Part(HeadingOut))
    unmapped = Items(Text())
    missing = Items(Text())
    rows = Items(Part(PreviewRowOut))
    looked_at = Whole()
    good = Whole()
    faults = Items(Part(PreviewFaultOut))
    unknown_values = Items(Part(UnknownValueOut))
    dates = Items(Part(DateFoundOut))
    doubts = Items(Text(longest=500))


UPLOAD_ASKED = UploadAsked()


PREVIEW_ASKED = PreviewAsked()


PREVIEW_OUT = PreviewOut()


FIELD_GUIDE_OUT = FieldGuideOut()


UPLOAD_WITHDRAWAL_OUT = UploadWithdrawalOut()


UPLOAD_OUT = UploadOut()


UPLOAD_ROW_OUT = UploadRowOut()


ROWS_ASKED = RowsAsked()


MAPPING = MappingSchema()
