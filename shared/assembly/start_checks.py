"""What is looked at before a process serves anything: weak settings, sample secrets, a database that forgets.

Everything that is wrong comes in one message, each with what to do about it. What is only unwise is logged, and the
process starts. The rooms below look; what is a fault in which profile is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import structlog
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from shared.assembly.parts import Indexes, hosted_owners, unit_of_work
from shared.clock import Clock, SystemClock
from shared.errors import Fault, Malformed, Unavailable
from shared.events import parking
from shared.identity.organisation_keys import read_keys
from shared.process.settings import LOCAL, CommonSettings
from shared.process.weak_settings import is_nobodys, is_sample, sample_issuers, weak_kafka, weak_session_secret
from shared.storage.mongo import Client, connect, server_is_gone
from shared.storage.replies import prepare_replies
from shared.storage.safety import (
    MOST_SKEW_SECONDS,
    clock_skew_seconds,
    declared_indexes,
    missing_indexes,
    weak_deployment,
    weak_uri,
)
from shared.telemetry import metrics

MOST_NAMED: Final = 5
API: Final = "api"
UNINDEXED_PARTS: Final = frozenset({"relay"})
"""What finds everything by `_id` and so needs no index."""

log = structlog.get_logger(__name__)


def check_start(service: str, given: CommonSettings, part: str, *indexes: Indexes, clock: Clock | None = None) -> None:
    """Refuse to start on anything that would not keep what people rely on; say all of it at once.

    Args:
        service: Whose process.
        given: Its settings.
        part: `api`, `relay`, `consume` or `worker`.
        indexes: What makes the indexes that this part relies on.
        clock: The time; the machine's own without it.

    Raises:
        Malformed: With every fault in one message.
        Unavailable: The database does not answer, so nobody knows; ask again.
    """
    faults = [*_of_connection(given), *(_of_secrets(service, given) if given.profile != LOCAL else ())]
    try:
        client = connect(given.mongodb_uri, appname=f"{service}-{part}-check")
    except ConfigurationError as error:
        raise _refusal([*faults, _fault("MONGODB_URI", f"cannot be used ({type(error).__name__})")]) from error
    try:
        faults += [_fault("MONGODB_URI", said) for said in weak_deployment(client)]
        if part not in UNINDEXED_PARTS:
            replies = partial(prepare_replies, server_removes=given.profile != LOCAL)
            relied_on = (*indexes, parking.prepare, *((replies,) if part == API else ()))
            faults += _of_indexes(service, given, client, relied_on)
        _note_clock(service, client, clock or SystemClock())
    except PyMongoError as error:
        if isinstance(error, OperationFailure) and not server_is_gone(error):
            faults.append(_fault("MONGODB_URI", f"the database refuses this user (code {error.code}); grant readWrite"))
        elif not faults:
            raise Unavailable("the database does not answer") from error
    finally:
        client.close()
    if faults:
        raise _refusal(faults)
    if given.profile != LOCAL:
        _advise(service, given)


def _of_connection(given: CommonSettings) -> list[Fault]:
    said = [_fault("MONGODB_URI", weak) for weak in weak_uri(given.mongodb_uri)]
    return said + [_fault("KAFKA_CONFIG_FILE", weak) for weak in weak_kafka(given)]


def _of_secrets(service: str, given: CommonSettings) -> Iterable[Fault]:
    """Yield what must not be outside the local profile."""
    for weak in weak_session_secret(given):
        yield _fault("SESSION_SECRET_FILE", weak)
    for weak in sample_issuers(given):
        yield _fault("TRUSTED_ISSUERS_FILE", weak)
    yield from given.weak_in_production()
    for owner in hosted_owners(service, given, given.partnership()):
        if not (given.organisation_keys_dir / f"{owner}.json").exists():
            continue  # an instance that signs nothing for it needs none
        try:
            keys = read_keys(given.organisation_keys_dir, owner)
            sample = is_nobodys(keys.issuer) or is_sample(keys.pseudonym_secret())
        except Malformed as error:
            yield _fault("ORGANISATION_KEYS_DIR", error.detail)
            continue
        if sample:
            yield _fault(
                "ORGANISATION_KEYS_DIR",
                f"the keys of {owner} were made for the local profile or copied from an example; make its own",
            )


def _of_indexes(service: str, given: CommonSettings, client: Client, indexes: Iterable[Indexes]) -> list[Fault]:
    declared = [one for prepare in indexes for one in declared_indexes(prepare)]
    unit, found = unit_of_work(service, given, client), []
    for owner in hosted_owners(service, given, given.partnership()) if declared else ():
        database = unit.database(owner)
        missing = [str(one) for one in missing_indexes(database, declared)]
        if missing:
            rest = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
            said = (
                f"lacks the indexes {'; '.join(missing[:MOST_NAMED])}{rest}; run python -m services.{service} prepare"
            )
            found.append(_fault(database.name, said))
    return found


def _note_clock(service: str, client: Client, clock: Clock) -> None:
    skew = clock_skew_seconds(client, clock)
    metrics.CLOCK_SKEW.labels(service).set(skew)
    if abs(skew) > MOST_SKEW_SECONDS:
        log.warning("start.clock_differs", seconds=round(skew, 1), most=MOST_SKEW_SECONDS)


def _advise(service: str, given: CommonSettings) -> None:
    """Log what is unwise but may be meant."""
    from shared.events.topics import SAFE_REPLICATION

    if given.replication_factor < SAFE_REPLICATION:
        log.warning("start.few_copies", replication_factor=given.replication_factor, advised=SAFE_REPLICATION)
    if str(given.kafka_config().get("security_protocol", "PLAINTEXT")).endswith("PLAINTEXT"):
        log.warning("start.kafka_in_the_clear", advised="security_protocol SASL_SSL in KAFKA_CONFIG_FILE")
    log.info("start.checked", checked=service)


def _refusal(faults: Sequence[Fault]) -> Malformed:
    lines = "\n".join(f"  {_line(fault)}" for fault in faults)
    return Malformed(f"it does not start, because this would not be safe:\n{lines}", faults=tuple(faults))


def _line(fault: Fault) -> str:
    pointer = fault.pointer or ""
    return fault.detail if fault.detail.startswith(pointer) else f"{pointer}: {fault.detail}"


def _fault(pointer: str, detail: str) -> Fault:
    return Fault(code="weak_setting", detail=detail, pointer=pointer)
