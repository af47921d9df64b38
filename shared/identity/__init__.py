"""Who is asking, and may they: principals, token verification, the decision function, pseudonyms.

Nothing here knows HTTP or a service's domain. Public names:

    Principal(organisation: str, subject: str, roles: frozenset[str])
    Resource(organisation: str, person: str | None = None)
    may(principal, action, resource, roles: RoleTable) -> bool
    decide(principal, action, resource, roles: RoleTable) -> Decision          # ALLOWED | FORBIDDEN | NOT_FOUND
    RoleTable.load(*paths: Path) / RoleTable.of_service(service: str)          # shared/contracts/roles/*.yaml
    TokenVerifier(issuers_file: Path, audience: str, clock: Clock).verify(token: str) -> Principal
    Pseudonyms(keys_dir: Path).of(organisation, purpose, reference) -> str
    ServiceTokens(keys_dir: Path, clock, new_identifier).token(organisation, audience) -> str
"""

from shared.identity.decisions import Decision, RoleTable, decide, may
from shared.identity.principals import ROLES, Principal, Resource
from shared.identity.pseudonyms import Pseudonyms
from shared.identity.service_tokens import ServiceTokens
from shared.identity.tokens import Refused, TokenVerifier

__all__ = [
    "ROLES",
    "Decision",
    "Principal",
    "Pseudonyms",
    "Refused",
    "Resource",
    "RoleTable",
    "ServiceTokens",
    "TokenVerifier",
    "decide",
    "may",
]
