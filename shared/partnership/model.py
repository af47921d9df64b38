"""What a partnership is: its organisations, frameworks, evidence sets, column mappings and doors.

Only values live here, frozen, as the partnership file says them; reading and checking the file is `loader.py`.
Courses, cohorts, modules and people never stand in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

EMPLOYER = "employer"
PROGRAMME_LEAD = "programme_lead"
DELIVERING_PARTNER = "delivering_partner"
AWARDING_HEI = "awarding_hei"
BOARD = "board"
ROLES = (EMPLOYER, PROGRAMME_LEAD, DELIVERING_PARTNER, AWARDING_HEI, BOARD)

SERVICES = ("enrolment", "assessment", "accreditation", "reporting")


def frozen(entries: Mapping[Key, Value]) -> Mapping[Key, Value]:
    """Return a read-only copy of `entries`, in the same order."""
    return MappingProxyType(dict(entries))


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Organisation:
    """A partner. `kind` is a word of the file (`borough`, `hei`, `board`); `roles` is what it does here."""

    slug: str
    name: str
    kind: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Framework:
    """A capability framework in force from `valid_from`; `domains` in the framework's own order."""

    valid_from: date
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemRule:
    """How many pieces of one kind a portfolio needs, and how many of those not by the line manager of the day."""

    at_least: int = 1
    at_least_not_by_line_manager: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceSet:
    """What a portfolio must hold. `items` keep the file's order, which is the order in which what is missing is named.

    Source: partnership data rules, "How practice and credit are decided".
    """

    framework: str
    every_domain: int
    items: Mapping[str, ItemRule]
    supervisor_verification: str = "required"


@dataclass(frozen=True, slots=True)
class SplitName:
    """One column that holds a whole name; `order` is `family, given` or `given family`, as the file says."""

    column: str
    order: str


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How one employer's export is read; the default is the canonical CSV: comma, UTF-8, ISO dates.

    `columns` is ours -> theirs; `values` is our column -> (theirs -> ours), compared exactly; `heading_row` counts
    from 1; `date_format` None means ISO. Source: partnership data rules, "How a row is decided".
    """

    format: str = "csv"
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    sheet: str | None = None
    heading_row: int = 1
    date_format: str | None = None
    columns: Mapping[str, str] = field(default_factory=_nothing)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    split_name: SplitName | None = None
    scale: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    pad_left: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class DatedPolicy:
    """One wording of a policy, in force from `valid_from` until the next wording."""

    valid_from: date
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Partnership:
    """The whole file, checked. Mappings keep the file's order; `hash` is the SHA-256 of its canonical JSON."""

    slug: str
    version: int
    title: str
    hash: str
    programme_lead: str
    board: str
    organisations: Mapping[str, Organisation]
    frameworks: Mapping[str, Framework]
    evidence_sets: Mapping[str, EvidenceSet]
    column_mappings: Mapping[str, ColumnMapping]
    doors: Mapping[str, Mapping[str, str]]
    policies: Mapping[str, tuple[DatedPolicy, ...]]

    def with_role(self, role: str) -> tuple[str, ...]:
        """Return the slugs of the organisations that hold `role`, in file order; empty where none does."""
        return tuple(slug for slug, organisation in self.organisations.items() if role in organisation.roles)

    def has_role(self, organisation: str, role: str) -> bool:
        """Return whether `organisation` is a partner and holds `role`."""
        known = self.organisations.get(organisation)
        return known is not None and role in known.roles

    def column_mapping(self, organisation: str) -> ColumnMapping:
        """Return how `organisation`'s exports are read; the canonical CSV where the file says nothing."""
        return self.column_mappings.get(organisation, ColumnMapping())

    def policy(self, name: str, on: date) -> DatedPolicy | None:
        """Return the wording of policy `name` that is in force on `on`, or None where there is none yet."""
        in_force = [wording for wording in self.policies.get(name, ()) if wording.valid_from <= on]
        return in_force[-1] if in_force else None

    def owners(self, service: str) -> tuple[str, ...]:
        """Return the organisations that own rows (and so a feed) of `service`, in file order.

        Enrolment: employers and programme leads; assessment: employers; accreditation: awarding universities;
        reporting: the board.
        """
        wanted = _OWNER_ROLES.get(service, frozenset())
        if service == "reporting":
            return (self.board,)
        return tuple(slug for slug, organisation in self.organisations.items() if organisation.roles & wanted)

    def reads(self, topic_owner: str, service: str, reader: str) -> bool:
        """Return whether the terms let `reader` read `topic_owner`'s feed of `service`; unknown names never may.

        An owner reads its own. Accreditation and reporting feeds are for every partner. The board reads enrolment
        and assessment of everybody. An awarding university reads enrolment and assessment. The programme lead,
        which answers requests for seats, reads every enrolment feed; employers read the programme leads' enrolment
        feeds, where the answers and the catalogue are. No employer reads another's people.
        """
        if topic_owner not in self.organisations or reader not in self.organisations or service not in SERVICES:
            return False
        if topic_owner == reader or service in ("accreditation", "reporting"):
            return True
        if reader == self.board or self.has_role(reader, AWARDING_HEI):
            return True
        if service != "enrolment":
            return False
        if self.has_role(reader, PROGRAMME_LEAD):
            return True
        return self.has_role(reader, EMPLOYER) and self.has_role(topic_owner, PROGRAMME_LEAD)


_OWNER_ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "enrolment": frozenset({EMPLOYER, PROGRAMME_LEAD}),
        "assessment": frozenset({EMPLOYER}),
        "accreditation": frozenset({AWARDING_HEI}),
    }
)
