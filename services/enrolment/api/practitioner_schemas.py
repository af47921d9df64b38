"""The bodies of practitioners: details, line managers, released identities."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.records import LEVELS
from shared.http import (
    Choice,
    CivilDate,
    Exact,
    Identifier,
    Items,
    Part,
    StrictSchema,
    Text,
)


class PractitionerIn(StrictSchema):
    """A person's details, as the employer keeps them."""

    given_name = Text(longest=300, **OPTIONAL)
    family_name = Text(longest=300, **OPTIONAL)
    email = Text(longest=300, **OPTIONAL)
    date_of_birth = CivilDate(**OPTIONAL)
    swe_number = Text(longest=20, pattern=r"[Ss][Ww]\s*0*[1-9][0-9]{0,5}", **OPTIONAL)
    job_title = Text(longest=300, **OPTIONAL)
    team = Text(longest=300, **OPTIONAL)
    pcf_level = Choice(LEVELS, **OPTIONAL)
    employment_start = CivilDate(**OPTIONAL)
    fte = Exact(least=0, most=100, places=6, **OPTIONAL)
    line_manager_ref = Text(longest=500, **OPTIONAL)


class LineManagerIn(StrictSchema):
    """Who manages the line from a day on; null: nobody."""

    line_manager_ref = Text(required=True, longest=500, allow_none=True)
    from_on = CivilDate(required=True)


class LineManagerOut(LineManagerIn):
    """Who manages the line from a day on."""

    line_manager_id = Identifier(allow_none=True)


class ReferenceIn(StrictSchema):
    """Whose details an address names."""

    employee_ref = Text(required=True, longest=500)


class PractitionerOut(PractitionerIn):
    """A person as the employer keeps them."""

    practitioner_id = Identifier()
    employee_ref = Text()
    line_managers = Items(Part(LineManagerOut))


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


REFERENCE_IN = ReferenceIn()


PRACTITIONER_OUT = PractitionerOut()


LINE_MANAGER_IN = LineManagerIn()


IDENTITY_ASKED = IdentityAsked()


IDENTITY_OUT = IdentityOut()
