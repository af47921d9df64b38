"""The one decision function, and the table it reads. Deny by default.

The table is data: `shared/contracts/roles/<service>.yaml`, one entry per action:

    enrolments.create:
      summary: Enrol one practitioner.
      roles: {hr: own, programme_lead: [own, partner]}

Relations: `own` - the principal's organisation owns the resource; `self` - the same, and where the resource is
about a person, that person is the principal; `partner` - any organisation of the partnership owns it, one's own
included (the handler narrows that further). A resource of another organisation that is not granted by `partner`
is not found rather than forbidden: its existence is nobody else's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import yaml

from shared.errors import Fault, Malformed
from shared.identity.principals import ROLES, Principal, Resource

ROLES_DIRECTORY: Final = Path(__file__).resolve().parent.parent / "contracts" / "roles"
RELATIONS: Final = frozenset({"own", "partner", "self"})


class Decision(Enum):
    """What becomes of a request."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do one action: role -> relations."""

    action: str
    summary: str
    roles: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class RoleTable:
    """All grants of one service."""

    grants: Mapping[str, Grant]

    @classmethod
    def of_service(cls, service: str) -> RoleTable:
        """Return the table of `service`, with the actions that all services have (`common.yaml`)."""
        own = ROLES_DIRECTORY / f"{service}.yaml"
        common = ROLES_DIRECTORY / "common.yaml"
        return cls.load(*(path for path in (common, own) if path.exists()))

    @classmethod
    def load(cls, *paths: Path) -> RoleTable:
        """Return the grants of all `paths`.

        Raises:
            Malformed: with every fault of every file.
        """
        faults: list[Fault] = []
        grants: dict[str, Grant] = {}
        for path in paths:
            raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            for action, entry in raw.items():
                if action in grants:
                    faults.append(Fault("duplicate", f"{path.name}: {action} stands twice"))
                grants[action] = _grant(path.name, action, entry, faults)
        if faults:
            raise Malformed("The role table cannot be used.", faults=tuple(faults))
        return cls(grants)

    def __iter__(self) -> Iterator[Grant]:
        """Yield the grants in the order of the files."""
        return iter(self.grants.values())

    def relations(self, action: str, role: str) -> frozenset[str]:
        """Return how `role` may be related to a resource to do `action`; empty = never."""
        grant = self.grants.get(action)
        return grant.roles.get(role, frozenset()) if grant else frozenset()


def _grant(file: str, action: str, entry: object, faults: list[Fault]) -> Grant:
    """Read one entry, adding to `faults` what is wrong with it."""
    if not isinstance(entry, dict) or not isinstance(entry.get("roles"), dict):
        faults.append(Fault("shape", f"{file}: {action} needs `summary` and `roles`"))
        return Grant(action, "", {})
    roles: dict[str, frozenset[str]] = {}
    for role, relation in entry["roles"].items():
        relations = frozenset(relation if isinstance(relation, list) else [relation])
        if role not in ROLES:
            faults.append(Fault("role", f"{file}: {action}: there is no role {role}"))
        if not relations or not relations <= RELATIONS:
            faults.append(Fault("relation", f"{file}: {action}: {role} must be own, self or partner"))
        roles[role] = relations
    return Grant(action, str(entry.get("summary", "")), roles)


def may(principal: Principal, action: str, resource: Resource, roles: RoleTable) -> bool:
    """Return whether `principal` may do `action` to `resource`: False unless the table says otherwise."""
    return any(_holds(principal, resource, roles.relations(action, role)) for role in principal.roles)


def decide(principal: Principal, action: str, resource: Resource, roles: RoleTable) -> Decision:
    """Return `may`, with the two ways of saying no told apart."""
    if may(principal, action, resource, roles):
        return Decision.ALLOWED
    return Decision.FORBIDDEN if resource.organisation == principal.organisation else Decision.NOT_FOUND


def _holds(principal: Principal, resource: Resource, relations: frozenset[str]) -> bool:
    """Return whether one of `relations` is true of the two."""
    if "partner" in relations:
        return True
    if resource.organisation != principal.organisation:
        return False
    if "own" in relations:
        return True
    return "self" in relations and resource.person in (None, principal.subject)
