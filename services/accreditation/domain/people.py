"""The university's own person register: who a candidate is, whoever employs them.

A person is found by the professional registration number, the only key that all partners share. What is kept here
was released by an employer for the purpose `registration`; the university is controller of this copy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from shared.errors import Malformed

_NUMBER = re.compile(r"^\s*SW\s*0*([1-9][0-9]{0,5})\s*$", re.IGNORECASE)


def registration_number(text: str) -> str:
    """Return the number in its one spelling, `SW136973`.

    Raises:
        Malformed: when it is no registration number. The text itself is never repeated.
            Source: partnership data rules (`invalid_registration_number`).
    """
    found = _NUMBER.match(text)
    if found is None:
        raise Malformed("The released registration number cannot be read.")
    return f"SW{found.group(1)}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an employer released about one candidate; a single name leaves the other None."""

    registration_number: str
    given_name: str | None
    family_name: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person in the university's register."""

    person_id: str
    registration_number: str
    given_name: str | None
    family_name: str | None
    version: int = 1

    def released_again(self, identity: Identity) -> Person:
        """Return the person with the names of the latest release; the number never changes."""
        if (identity.given_name, identity.family_name) == (self.given_name, self.family_name):
            return self
        return replace(self, given_name=identity.given_name, family_name=identity.family_name, version=self.version + 1)
