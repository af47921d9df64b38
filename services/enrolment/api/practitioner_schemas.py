"""The bodies of practitioners: details with their days, employments, absences, line managers, released identities."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.application.practitioner_handlers import ANSWERS
from services.enrolment.domain.employments import END_REASONS
from services.enrolment.domain.records import LEVELS
from services.enrolment.domain.registrations import STATUSES
from services.enrolment.domain.supervision_clock import FREQUENCIES
from shared.http import (
    Choice,
    CivilDate,
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

MOST_MESSAGES = 100
"""How many messages of a feed are one request, and so one transaction."""


class DetailsSchema(StrictSchema):
    """What may change about a person."""

    given_name = Text(longest=300, **OPTIONAL)
    family_name = Text(longest=300, **OPTIONAL)
    email = Text(longest=300, **OPTIONAL)
    date_of_birth = CivilDate(**OPTIONAL)
    swe_number = Text(longest=20, pattern=r"[Ss][Ww] *0*[1-9][0-9]{0,5}", **OPTIONAL)
    job_title = Text(longest=300, **OPTIONAL)
    team = Text(longest=300, **OPTIONAL)
    pcf_level = Choice(LEVELS, **OPTIONAL)
    fte = Exact(least=0, most=100, places=6, **OPTIONAL)


class HcpcNumberSchema(StrictSchema):
    """A number on the register before Social Work England's."""

    number = Text(required=True, longest=20)
    from_on = CivilDate(**OPTIONAL)
    until_on = CivilDate(**OPTIONAL)


class HcpcNumberIn(HcpcNumberSchema):
    """A number that is told; `stands` false: it was never theirs. A number that is not told stays as it is."""

    stands = Flag(load_default=True)


class ToldHcpcNumberOut(HcpcNumberSchema):
    """A number as told, and when that was recorded; one that does not stand was taken back."""

    stands = Flag()
    recorded_at = Instant(allow_none=True)


class PractitionerIn(DetailsSchema):
    """A person's details, as the employer keeps them, from `effective_on` (the day on which they are told)."""

    employment_start = CivilDate(**OPTIONAL)
    line_manager_ref = Text(longest=500, **OPTIONAL)
    effective_on = CivilDate(**OPTIONAL)
    said_at = Instant(**OPTIONAL)
    source_ref = Text(longest=200, **OPTIONAL)
    hcpc_numbers = Items(Part(HcpcNumberIn), most=20)
    uln = Text(longest=10, pattern=r"[0-9]{10}", allow_none=True)
    husid = Text(longest=13, pattern=r"[0-9]{13}", allow_none=True)
    sid = Text(longest=17, pattern=r"[0-9]{13}(?:[0-9]{4})?", allow_none=True)


class MessageIn(PractitionerIn):
    """What a feed says of one person from a day on: which message, from which day, and when it was said."""

    employee_ref = Text(required=True, longest=500)
    effective_on = CivilDate(required=True)
    said_at = Instant(required=True)
    source_ref = Text(required=True, longest=200)


class MessagesIn(StrictSchema):
    """Messages of a feed; each is read, and answered, by itself."""

    messages = Items(Table(keys=Text(longest=64)), most=MOST_MESSAGES, least=1, required=True)


class MessageFaultOut(StrictSchema):
    """One thing wrong with a message, and where."""

    code = Text()
    detail = Text()
    pointer = Text()


class AnswerOut(StrictSchema):
    """What became of a message; `message` counts from 0."""

    message = Whole()
    decision = Choice((*ANSWERS, "refused"))
    errors = Items(Part(MessageFaultOut))


class MessagesOut(StrictSchema):
    """What became of each, in their order."""

    answers = Items(Part(AnswerOut))


class LineManagerIn(StrictSchema):
    """Who manages the line from a day on; null: nobody."""

    line_manager_ref = Text(required=True, longest=500, allow_none=True)
    from_on = CivilDate(required=True)


class LineManagerOut(LineManagerIn):
    """Who manages the line from a day on, and when that was recorded."""

    line_manager_id = Identifier(allow_none=True)
    recorded_at = Instant(allow_none=True)


class ToldLineManagerOut(LineManagerOut):
    """The same as told: at which time of the sender's, in which message."""

    said_at = Instant(allow_none=True)
    source_ref = Text(allow_none=True)


class EmploymentIn(StrictSchema):
    """Whether and why an employment ended; null: it has not."""

    ended_on = CivilDate(required=True, allow_none=True)
    reason = Choice(END_REASONS, **OPTIONAL)


class AbsenceIn(StrictSchema):
    """The last day of an absence; null: not back yet. Why is asked nowhere."""

    until_on = CivilDate(required=True, allow_none=True)


class EmploymentOut(StrictSchema):
    """One employment."""

    started_on = CivilDate()
    ended_on = CivilDate(allow_none=True)
    reason = Choice(END_REASONS, allow_none=True)
    recorded_at = Instant()


class AbsenceOut(StrictSchema):
    """One absence."""

    from_on = CivilDate()
    until_on = CivilDate(allow_none=True)
    recorded_at = Instant()


class RegistrationShown(StrictSchema):
    """What the last register file said of a person; `renewal_pending`: a renewal is due, or may not show yet."""

    status = Choice(STATUSES)
    registered_until = CivilDate(allow_none=True)
    checked_on = CivilDate(allow_none=True)
    renewal_pending = Flag()


class PractitionerOut(DetailsSchema):
    """A person as the employer keeps them, on the day `as_of`."""

    practitioner_id = Identifier()
    employee_ref = Text()
    as_of = CivilDate()
    employment_start = CivilDate(allow_none=True)
    line_managers = Items(Part(LineManagerOut))
    employments = Items(Part(EmploymentOut))
    absences = Items(Part(AbsenceOut))
    hcpc_numbers = Items(Part(HcpcNumberSchema))
    uln = Text(allow_none=True)
    husid = Text(allow_none=True)
    sid = Text(allow_none=True)
    registration = Part(RegistrationShown)
    resolved_from = Text(allow_none=True)


class AsOfAsked(StrictSchema):
    """Of which day, and as it was known when."""

    as_of = CivilDate()
    known_at = Instant()


class OnAsked(StrictSchema):
    """Of which day."""

    on = CivilDate()


class StatementOut(DetailsSchema):
    """The details from a day on, as they were told."""

    effective_on = CivilDate()
    recorded_at = Instant()
    said_at = Instant()
    source_ref = Text(allow_none=True)


class ToldEmploymentOut(EmploymentOut):
    """An employment as told; one that does not stand was taken back."""

    stands = Flag()


class ToldAbsenceOut(AbsenceOut):
    """An absence as told; one that does not stand was taken back."""

    stands = Flag()


class HistoryOut(StrictSchema):
    """Everything that was ever told of a person, in order of the days from which it holds."""

    practitioner_id = Identifier()
    statements = Items(Part(StatementOut))
    line_managers = Items(Part(ToldLineManagerOut))
    employments = Items(Part(ToldEmploymentOut))
    absences = Items(Part(ToldAbsenceOut))
    hcpc_numbers = Items(Part(ToldHcpcNumberOut))
    registrations = Items(Part(RegistrationShown))


class ClockOut(StrictSchema):
    """How often somebody is to be supervised on a day; the stages' last days as far as absences are known."""

    on = CivilDate()
    started_on = CivilDate()
    counted_days = Whole()
    frequency = Choice(FREQUENCIES)
    weekly_until = CivilDate(allow_none=True)
    fortnightly_until = CivilDate(allow_none=True)


class ReferenceIn(StrictSchema):
    """Whose details an address names."""

    employee_ref = Text(required=True, longest=500)


class DayIn(StrictSchema):
    """Which day an address names."""

    day = CivilDate(required=True)


class IdentityAsked(StrictSchema):
    """Why an identity is asked for."""

    purpose = Choice(("registration",), required=True)


class IdentityOut(StrictSchema):
    """What a university is given for the registration of one person: no more than it needs to know them again."""

    practitioner_id = Identifier()
    given_name = Text(allow_none=True)
    family_name = Text(allow_none=True)
    registration_number = Text(allow_none=True)


PRACTITIONER_IN = PractitionerIn()
MESSAGE_IN = MessageIn()
MESSAGES_IN = MessagesIn()
MESSAGES_OUT = MessagesOut()
REFERENCE_IN = ReferenceIn()
DAY_IN = DayIn()
PRACTITIONER_OUT = PractitionerOut()
LINE_MANAGER_IN = LineManagerIn()
EMPLOYMENT_IN = EmploymentIn()
ABSENCE_IN = AbsenceIn()
AS_OF_ASKED = AsOfAsked()
ON_ASKED = OnAsked()
HISTORY_OUT = HistoryOut()
CLOCK_OUT = ClockOut()
IDENTITY_ASKED = IdentityAsked()
IDENTITY_OUT = IdentityOut()
