"""The bodies of uploaded files, their rows and the column mapping."""

from __future__ import annotations

from services.enrolment.application.uploads import STATES
from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE, REFUSED
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


class UploadAsked(StrictSchema):
    """The file's name (for its ending only) and, where it differs from the mapping, its encoding."""

    filename = Text(longest=300)
    charset = Text(longest=40, pattern=r"[A-Za-z0-9_.-]+")


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


class UploadOut(StrictSchema):
    """A file's job. `fault` says why a file as a whole could not be read."""

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


class UploadRowOut(StrictSchema):
    """One row: where it stood, what was decided and why."""

    line = Whole()
    employee_ref = Text(allow_none=True)
    course = Text(allow_none=True)
    intake = Text(allow_none=True)
    route = Text(allow_none=True)
    decision = Choice((ACCEPTED, DUPLICATE, REFUSED))
    codes = Items(Choice(CODES))
    faults = Items(Part(FaultOut))
    enrolment_id = Identifier(allow_none=True)


class RowsAsked(StrictSchema):
    """Which rows are wanted."""

    decision = Choice((ACCEPTED, DUPLICATE, REFUSED))


class SplitNameSchema(StrictSchema):
    """A combined name column, and whether it may hold a single name."""

    column = Text(required=True)
    order = Text(required=True, pattern=r"(family\W*\s*given|given\W*\s*family)")
    single_name = Choice(("given", "family"))


class MappingSchema(StrictSchema):
    """How an employer's own files are read; what is not said is the canonical file."""

    format = Choice(("csv", "tsv", "xlsx", "xls", "ods", "ndjson"), required=True)
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


UPLOAD_ASKED = UploadAsked()


UPLOAD_OUT = UploadOut()


UPLOAD_ROW_OUT = UploadRowOut()


ROWS_ASKED = RowsAsked()


MAPPING = MappingSchema()
