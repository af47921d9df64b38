"""Makes a broker's users and rights as the partnership file wants them: `partnership provision`.

What the rights are is `shared.events.access`; here they are compared with what the broker has, and set. Only users with
the names of these rules are touched: whoever else uses the cluster keeps what they have. Passwords are made here, once,
and stand nowhere but in one file per user, which is the KAFKA_CONFIG_FILE of the process that is that user.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError

from shared.errors import Conflict, Malformed
from shared.events.access import Grant, Kind, Right, is_ours, users
from shared.events.refusals import unavailable

MECHANISM: Final = "SCRAM-SHA-512"
REQUEST_MILLISECONDS: Final = 10_000
OPERATIONS: Final[Mapping[Right, ACLOperation]] = {
    Right.SEE: ACLOperation.DESCRIBE,
    Right.READ: ACLOperation.READ,
    Right.WRITE: ACLOperation.WRITE,
    Right.CREATE: ACLOperation.CREATE,
    Right.DELETE: ACLOperation.DELETE,
    Right.DESCRIBE_CONFIGS: ACLOperation.DESCRIBE_CONFIGS,
}
KINDS: Final[Mapping[Kind, ResourceType]] = {Kind.TOPIC: ResourceType.TOPIC, Kind.GROUP: ResourceType.GROUP}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker lacks, and what it has that the partnership no longer wants."""

    users: tuple[str, ...]
    given: frozenset[Grant]
    users_gone: tuple[str, ...]
    taken_back: frozenset[ACL]

    def is_empty(self) -> bool:
        """Return whether the broker is as it should be (users are given their passwords again all the same)."""
        return not (self.given or self.taken_back or self.users_gone)


class Provisioning:
    """One broker's users and rights.

    Args:
        bootstrap_servers: Where it is.
        config: How the cluster's own operator connects, who may change rights.
    """

    def __init__(self, bootstrap_servers: str, config: Mapping[str, object]) -> None:
        try:
            self._admin = KafkaAdminClient(
                **config,
                bootstrap_servers=bootstrap_servers,
                request_timeout_ms=REQUEST_MILLISECONDS,
                bootstrap_timeout_ms=REQUEST_MILLISECONDS,
            )
        except (KafkaError, OSError, ValueError) as error:
            raise unavailable(error, "the broker does not answer") from error

    def look(self, wanted: Iterable[Grant]) -> Change:
        """Return what is to be changed; nothing is changed yet.

        Raises:
            Unavailable: The broker does not answer, does not check rights at all, or does not let us see them.
        """
        grants = frozenset(wanted)
        try:
            held = self._held()
            known = self._admin.describe_user_scram_credentials()
        except (KafkaError, OSError, ValueError) as error:
            raise unavailable(error, "the broker does not tell its users and rights") from error
        names = users(grants)
        ours = {_acl(grant) for grant in grants}
        return Change(
            users=names,
            given=frozenset(grant for grant in grants if _acl(grant) not in held),
            users_gone=tuple(sorted(name for name in known if is_ours(name) and name not in names)),
            taken_back=frozenset(held - ours),
        )

    def make(self, change: Change, passwords: Mapping[str, str]) -> None:
        """Make the users with their passwords, give what is missing, and take back what is too much.

        Rights are taken back before others are given: at no moment may anybody do more than both tables say.

        Raises:
            Conflict: The broker did not do all of it; doing it again is safe.
            Unavailable: The broker does not answer.
        """
        altered = [UserScramCredentialUpsertion(name, MECHANISM, passwords[name]) for name in change.users]
        gone = [UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512) for name in change.users_gone]
        try:
            taken = self._admin.delete_acls([_filter(acl) for acl in change.taken_back]) if change.taken_back else []
            said = self._admin.alter_user_scram_credentials([*altered, *gone])
            acls = [_acl(grant) for grant in change.given]
            failed = self._admin.create_acls(acls)["failed"] if acls else []
        except (KafkaError, OSError, ValueError) as error:
            raise unavailable(error, "the broker does not take users and rights") from error
        faults = [f"user {name}: {fault}" for name, fault in said.items() if fault]
        faults += [error.__name__ for error in failed]
        faults += [error.__name__ for _, _, error in taken if error.errno]
        if faults:
            raise Conflict(f"the broker did not do everything: {'; '.join(sorted(set(faults)))}")

    def close(self) -> None:
        """Close the client."""
        self._admin.close()

    def _held(self) -> set[ACL]:
        """Return the rights that the broker has of users with our names; what it forbids somebody by hand stays."""
        every = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        asked = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ALLOW, every)
        found, _ = self._admin.describe_acls(asked)
        return {acl for acl in found if is_ours(acl.principal.removeprefix("User:"))}


def keep_passwords(folder: Path, names: Iterable[str], how: Mapping[str, object]) -> dict[str, str]:
    """Return a password per user: the one that its file in `folder` has, or a new one, which is written there.

    Args:
        folder: One file `<user>.json` for each, readable by this user only: a KAFKA_CONFIG_FILE.
        names: The users.
        how: What else the file is to say of connecting (security_protocol, ssl_...); no user and no password.

    Raises:
        Malformed: A file is there already and is no such file.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {name: _password(folder / f"{name}.json", name, how) for name in names}


def credentials_file(folder: Path, user: str) -> Path:
    """Return the KAFKA_CONFIG_FILE of a user."""
    return folder / f"{user}.json"


def how_to_connect(config: Mapping[str, object]) -> dict[str, object]:
    """Return how others connect to the broker that `config` connects to: the same, without who and with what."""
    kept = {name: value for name, value in config.items() if not name.startswith("sasl_")}
    return {"security_protocol": "SASL_SSL", **kept, "sasl_mechanism": MECHANISM}


def _password(file: Path, name: str, how: Mapping[str, object]) -> str:
    if not file.exists():
        password = secrets.token_urlsafe(32)
        file.touch(mode=0o600)
        told = {**how, "sasl_plain_username": name, "sasl_plain_password": password}
        file.write_text(json.dumps(told, indent=1), encoding="utf-8")
        return password
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        if held["sasl_plain_username"] == name:
            return str(held["sasl_plain_password"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Malformed(f"{file} is no file of how {name} connects") from error
    raise Malformed(f"{file} is another user's")


def _acl(grant: Grant) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if grant.is_prefix else ACLResourcePatternType.LITERAL
    resource = ResourcePattern(KINDS[grant.kind], grant.name, pattern)
    return ACL(f"User:{grant.user}", "*", OPERATIONS[grant.right], ACLPermissionType.ALLOW, resource)


def _filter(acl: ACL) -> ACLFilter:
    held = acl.resource_pattern
    pattern = ResourcePatternFilter(held.resource_type, held.resource_name, held.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, pattern)
