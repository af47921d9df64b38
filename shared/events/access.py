"""Who may do what on the broker, from the partnership file alone: users, prefixes, rights.

Pure: nothing is asked of a broker and nothing is set there; that is `shared/local/provisioning.py`. The names of topics
carry ownership, so one prefix per organisation says who writes; who reads is `Partnership.reads`, organisation by
organisation, and an instance's reader has what the organisations that it hosts have.

    relay.<instance>      writes, makes and reads back `org.<o>.` and `out.<o>.` of each organisation o that it hosts;
                          makes `in.<o>.`, which it neither writes nor reads
    <service>.<instance>  the reader of a service: reads the feeds that the terms let the hosted organisations read, and
                          `in.<o>.` of the service that takes it; its group has its name
    hr.<organisation>     an employer's HR system: writes `in.<o>.`, reads `out.<o>.`, groups under `hr.<o>.`

Nobody else has any right. Whoever changes rights is the cluster's own operator, not part of the partnership.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from shared.errors import Malformed
from shared.events.envelope import topic_of
from shared.partnership import Partnership
from shared.partnership.model import EMPLOYER, SERVICES

TAKES_INTAKE: Final = "enrolment"
"""The service whose employers have an intake topic and its private answers."""


class Right(Enum):
    """What may be done; reading or writing includes seeing that the topic is there."""

    SEE = "see"
    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DELETE = "delete"
    DESCRIBE_CONFIGS = "see the settings of"


OF_AN_OWNER: Final = (Right.WRITE, Right.READ, Right.CREATE, Right.DELETE, Right.DESCRIBE_CONFIGS)
"""What a relay does with its own topics: among the rest it makes one anew that somebody made with the wrong partitions,
and sees whether enough brokers hold it."""


class Kind(Enum):
    """On what."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Grant:
    """One right of one user: on the names that begin with `name`, or on that name alone where `is_prefix` is False."""

    user: str
    kind: Kind
    name: str
    is_prefix: bool
    right: Right

    def allows(self, kind: Kind, name: str, right: Right) -> bool:
        """Return whether this is the right that is asked for."""
        named = name.startswith(self.name) if self.is_prefix else name == self.name
        return named and kind is self.kind and right is self.right


@dataclass(frozen=True, slots=True)
class Instance:
    """A running platform: its name (INSTANCE) and the organisations that it hosts (HOSTED_ORGANISATIONS)."""

    name: str
    hosts: tuple[str, ...]


def instances(partnership: Partnership, told: Mapping[str, Sequence[str]]) -> tuple[Instance, ...]:
    """Return who hosts whom: as told, and every organisation that is not told of runs an instance of its own name.

    Args:
        partnership: The terms.
        told: Instance -> hosted organisations; an empty list is all of the partnership.

    Raises:
        Malformed: A stranger is hosted, an organisation is hosted twice, or a name stands for two instances.
    """
    everybody = tuple(partnership.organisations)
    found = [Instance(name, tuple(hosts) or everybody) for name, hosts in told.items()]
    hosted = [slug for instance in found for slug in instance.hosts]
    strangers = sorted(set(hosted) - set(everybody))
    twice = sorted({slug for slug in hosted if hosted.count(slug) > 1})
    if strangers or twice:
        raise Malformed(f"hosted, but no partners: {strangers}; hosted by two instances: {twice}")
    found += [Instance(slug, (slug,)) for slug in everybody if slug not in hosted]
    names = [instance.name for instance in found]
    if len(set(names)) < len(names):
        raise Malformed(f"two instances have one name: {sorted({name for name in names if names.count(name) > 1})}")
    return tuple(found)


def relay_user(instance: str) -> str:
    """Return who an instance's relays are on the broker."""
    return f"relay.{instance}"


def reader_user(service: str, instance: str) -> str:
    """Return who an instance's readers of a service are on the broker, and their group."""
    return f"{service}.{instance}"


def hr_user(organisation: str) -> str:
    """Return who an employer's HR system is on the broker."""
    return f"hr.{organisation}"


def is_ours(user: str) -> bool:
    """Return whether a user's name is one that these rules give."""
    kind, dot, rest = user.partition(".")
    return bool(dot and rest) and kind in ("relay", "hr", *SERVICES)


def grants(partnership: Partnership, running: Iterable[Instance]) -> frozenset[Grant]:
    """Return every right that the partnership's users have on the broker."""
    found: set[Grant] = set()
    for instance in running:
        found.update(_of_relay(partnership, instance))
        for service in SERVICES:
            found.update(_of_reader(partnership, instance, service))
    for employer in partnership.with_role(EMPLOYER):
        found.update(_of_hr_system(employer))
    return frozenset(found)


def users(given: Iterable[Grant]) -> tuple[str, ...]:
    """Return the users that have a right, by name."""
    return tuple(sorted({grant.user for grant in given}))


def reading_table(partnership: Partnership) -> dict[str, frozenset[str]]:
    """Return every topic of the partnership -> the organisations that may read it: what decides what may stand in it.

    An intake topic is read by the employer's own enrolment, its answers by the employer's own HR system.
    """
    table = {
        topic_of("org", owner, service): frozenset(
            reader for reader in partnership.organisations if partnership.reads(owner, service, reader)
        )
        for service in SERVICES
        for owner in partnership.owners(service)
    }
    for employer in partnership.with_role(EMPLOYER):
        for kind in ("in", "out"):
            table[topic_of(kind, employer, TAKES_INTAKE)] = frozenset({employer})
    return table


def _of_relay(partnership: Partnership, instance: Instance) -> Iterator[Grant]:
    user = relay_user(instance.name)
    owners = {owner for service in SERVICES for owner in partnership.owners(service)}
    for owner in instance.hosts:
        prefixes = ["org"] if owner in owners else []
        if partnership.has_role(owner, EMPLOYER):
            prefixes.append("out")
            yield from _on_topics(user, f"in.{owner}.", Right.CREATE, Right.SEE)
        for kind in prefixes:
            yield from _on_topics(user, f"{kind}.{owner}.", *OF_AN_OWNER)


def _of_reader(partnership: Partnership, instance: Instance, service: str) -> Iterator[Grant]:
    user = reader_user(service, instance.name)
    takers = [slug for slug in instance.hosts if slug in partnership.owners(service)]
    if not takers:
        return
    yield Grant(user, Kind.GROUP, user, is_prefix=False, right=Right.READ)
    for source in SERVICES:
        for owner in partnership.owners(source):
            if any(partnership.reads(owner, source, taker) for taker in takers):
                yield from _on_topics(user, f"org.{owner}.{source}.", Right.READ)
    if service == TAKES_INTAKE:
        for taker in takers:
            if partnership.has_role(taker, EMPLOYER):
                yield from _on_topics(user, f"in.{taker}.", Right.READ)


def _of_hr_system(employer: str) -> Iterator[Grant]:
    user = hr_user(employer)
    yield from _on_topics(user, f"in.{employer}.", Right.WRITE)
    yield from _on_topics(user, f"out.{employer}.", Right.READ)
    yield Grant(user, Kind.GROUP, f"{user}.", is_prefix=True, right=Right.READ)


def _on_topics(user: str, prefix: str, *rights: Right) -> Iterator[Grant]:
    return (Grant(user, Kind.TOPIC, prefix, is_prefix=True, right=right) for right in rights)
