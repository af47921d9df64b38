"""What the platform knows of whoever asks, and of what they ask for. Values only; decisions live in `decisions`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

ROLES: Final = (
    "hr",
    "practitioner",
    "supervisor",
    "assessor",
    "moderator",
    "programme_lead",
    "tutor",
    "registrar",
    "board",
    "auditor",
    "operator",
    "service",
)
"""Every role there is, in the order of the role matrix."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody (or another instance) whose token was verified.

    `organisation` comes from the issuer's entry in the trusted issuers, never from a claim. `subject` is the
    person's own reference at that organisation: personal data, so it has no place in `repr`, logs or problems.
    """

    organisation: str
    subject: str = field(repr=False)
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Resource:
    """The thing asked for: whose it is and, where that matters, which person it is about."""

    organisation: str
    person: str | None = field(default=None, repr=False)
