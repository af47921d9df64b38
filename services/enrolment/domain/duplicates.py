"""When two records may be one person: only ever inside one employer, only ever for a human to decide.

Names alone never join anything, neither of people nor of organisations.
"""

from __future__ import annotations

import unicodedata

from services.enrolment.domain.practitioners import Practitioner

SAME_REGISTRATION = "same_registration_number"
SAME_NAME_AND_BIRTH = "same_name_and_date_of_birth"
SAME_EMAIL = "same_email"
MOST_ALIKE = 20
"""What more people have in common than this (a team's address) says of nobody that they are somebody else."""
REASONS = (SAME_REGISTRATION, SAME_NAME_AND_BIRTH, SAME_EMAIL)


def match_keys(person: Practitioner) -> dict[str, str | None]:
    """Return by reason what two records of one person would have in common; None: nothing to go by."""
    return {
        SAME_REGISTRATION: person.swe_number,
        SAME_NAME_AND_BIRTH: _name_and_birth(person),
        SAME_EMAIL: person.email.casefold() if person.email else None,
    }


def reasons(one: Practitioner, other: Practitioner) -> tuple[str, ...]:
    """Return why the two may be one person; empty: no reason."""
    theirs = match_keys(other)
    return tuple(reason for reason, key in match_keys(one).items() if key is not None and key == theirs[reason])


def _name_and_birth(person: Practitioner) -> str | None:
    given, family = folded(person.given_name), folded(person.family_name)
    if not given or not family or person.date_of_birth is None:
        return None
    return f"{family}|{given}|{person.date_of_birth.isoformat()}"


def folded(name: str | None) -> str:
    """Return a name's letters in one case without accents, blanks, hyphens and apostrophes."""
    letters = unicodedata.normalize("NFKD", name or "")
    return "".join(filter(str.isalpha, letters)).casefold()
