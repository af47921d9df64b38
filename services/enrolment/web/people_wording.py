"""What is said of people in pages: registration, ends of employment, likeness, erasures. Words only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.enrolment.domain.registrations import LAPSED, NOT_CHECKED, NOT_FOUND, REGISTERED

REGISTRATION_TAGS: Final[Mapping[str, tuple[str, str]]] = {
    REGISTERED: ("Registered", "green"),
    LAPSED: ("Lapsed", "red"),
    NOT_FOUND: ("Not on the register", "orange"),
    NOT_CHECKED: ("Not checked", "grey"),
}
END_REASONS: Final[Mapping[str, str]] = {
    "resigned": "Resigned",
    "retired": "Retired",
    "end_of_contract": "The contract ended",
    "transferred": "Went to another employer",
    "dismissed": "Dismissed",
    "died": "Died",
    "other": "Another reason",
}
ALIKE: Final[Mapping[str, str]] = {
    "same_registration_number": "the same registration number",
    "same_name_and_date_of_birth": "the same name and date of birth",
    "same_email": "the same e-mail address",
}
ROLES: Final[Mapping[str, str]] = {
    "professional_educator": "Practice educator",
    "expert_practitioner": "Expert practitioner",
    "manager": "Manager",
    "aspiring_manager": "Aspiring manager",
    "leader": "Leader",
    "supervisor": "Supervisor",
}
BASES: Final[Mapping[str, str]] = {
    "person_asked": "The person asked for it",
    "retention_ended": "The time for which we keep it is over",
    "never_lawful": "It should never have been kept",
}
REFUSALS: Final[Mapping[str, str]] = {
    "legal_obligation": "The law obliges us to keep it",
    "public_task": "We need it for a public task",
    "legal_claim": "We need it for a legal claim",
    "mistaken": "It was asked for the wrong person",
}
ERASURE_TAGS: Final[Mapping[str, tuple[str, str]]] = {
    "asked": ("Waits for a second person", "yellow"),
    "running": ("Under way", "light-blue"),
    "done": ("Erased", "green"),
    "refused": ("Refused", "red"),
    "returned": ("Erased; the person is back", "blue"),
}
PCF_DOMAINS: Final[tuple[str, ...]] = (
    "Professionalism",
    "Values and ethics",
    "Diversity and equality",
    "Rights, justice and economic wellbeing",
    "Knowledge",
    "Critical reflection and analysis",
    "Skills and interventions",
    "Contexts and organisations",
    "Professional leadership",
)
"""The nine domains of the Professional Capabilities Framework (2018), in order."""
RATINGS: Final[tuple[tuple[str, str], ...]] = (
    ("1", "1: needs most"),
    ("2", "2"),
    ("3", "3"),
    ("4", "4"),
    ("5", "5: needs nothing"),
)
