"""The whole platform on one machine: backbone, then every service's parts, in the order in which they need each other.

Which programs there are, on which ports, with which settings, is decided here; keeping them alive is `supervisor.py`.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from environs import Env

import shared
from shared.clock import Clock
from shared.errors import Conflict
from shared.events.access import hr_user, reader_user, relay_user
from shared.events.bell import is_usable
from shared.identifiers import NewIdentifier
from shared.local.backbone import LOCAL as LOCAL_BACKBONE
from shared.local.backbone import Backbone
from shared.local.issuer import LocalIssuer
from shared.local.leftovers import end_leftovers
from shared.local.memory import memory_bytes
from shared.local.ports import LOOPBACK, needed, preferred
from shared.local.programs import Program, answers_ready
from shared.local.provisioning import credentials_file
from shared.local.supervisor import Say, Supervisor
from shared.partnership import Partnership, load
from shared.partnership.model import SERVICES
from shared.process.settings import LOCAL, read_kafka_config

ROOT = Path(shared.__file__).parent.parent
BACKGROUND_PARTS = ("relay", "consume", "worker")
RUNNING_FILE = "running.json"
INSTANCE = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a local run keeps its state and listens: `.local/` of a checkout and ports from `port_base` + 1."""

    directory: Path
    partnership_file: Path
    port_base: int

    @property
    def keys(self) -> Path:
        """The organisations' key files, the same for every run of this checkout."""
        return self.directory / "keys"

    @property
    def logs(self) -> Path:
        """One file per program."""
        return self.directory / "logs"

    @property
    def running_file(self) -> Path:
        """What other commands need to know of the running platform; absent when nothing runs."""
        return self.directory / RUNNING_FILE

    def api_port(self, service: str) -> int:
        """Return where a service's API listens: 8001 to 8004 unless `port_base` says otherwise."""
        return self.port_base + 1 + SERVICES.index(service)

    @property
    def sign_in_port(self) -> int:
        """Where the made-up people sign in: 8005 unless `port_base` says otherwise, or another where that is taken."""
        return self.port_base + 1 + len(SERVICES)

    def health_port(self, service: str, part: str) -> int:
        """Return where a background part would like to say how it is."""
        return self.port_base + 20 + 10 * SERVICES.index(service) + BACKGROUND_PARTS.index(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPlatform:
    """What somebody outside may know of a running platform: addresses, tokens, memory."""

    place: Place
    partnership: Partnership
    backbone: Backbone
    issuer: LocalIssuer
    supervisor: Supervisor
    health_ports: Mapping[tuple[str, str], int]

    @property
    def kafka_bootstrap(self) -> str:
        """Return host:port of the broker, for the intake topics."""
        return self.backbone.kafka_bootstrap_servers

    def kafka_config(self, organisation: str) -> Mapping[str, object]:
        """Return how an organisation's HR system connects to the broker where that is not in the clear.

        Raises:
            Malformed: there are users, and none for it.
        """
        users = self.backbone.kafka_users
        if users is None:
            return self.backbone.kafka_config
        return read_kafka_config(credentials_file(users, hr_user(organisation)))

    def url(self, service: str) -> str:
        """Return the base URL of a service's API, without `/v1`."""
        return f"http://{LOOPBACK}:{self.place.api_port(service)}"

    def mint(self, organisation: str, role: str, subject: str, audience: str) -> str:
        """Return a token for one person of an organisation, for one service."""
        return self.issuer.mint(organisation, (role,), subject, audience)

    def memory_bytes(self) -> int:
        """Return the memory of all processes together, backbone included, this one not; 0 where unknown."""
        return memory_bytes(set(self.supervisor.pids().values()))

    def metrics_url(self, service: str, part: str) -> str:
        """Return the address of the metrics of a service's part.

        Raises:
            KeyError: the service has no such part.
        """
        port = self.place.api_port(service) if part == "api" else self.health_ports[(service, part)]
        return f"http://{LOOPBACK}:{port}/metrics"

    def pid(self, program: str) -> int:
        """Return the process number of a program (`enrolment-api`, `reporting-consume`, `mongodb`).

        Raises:
            KeyError: there is no such program.
        """
        return self.supervisor.pids()[program]


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the lock of a state directory, so that two runs of one checkout do not fight.

    Raises:
        Conflict: another run holds it; the message names it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise Conflict(
                f"the platform already runs from this checkout (process {holder}): stop it with Ctrl-C first"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def running(
    place: Place, backbone: Backbone, stop: threading.Event, *, clock: Clock, new_identifier: NewIdentifier, say: Say
) -> Iterator[RunningPlatform]:
    """Start everything, yield the running platform, and end everything again.

    Raises:
        Unavailable: a port is taken, or a program does not stay up.
        Malformed: the partnership file has faults.
    """
    partnership = load(place.partnership_file)
    for name in end_leftovers(place.running_file):
        say(f"ended {name}, left behind by a run that was killed")
    for service in SERVICES:
        needed(place.api_port(service), service)
    issuer = LocalIssuer(place.keys, LOCAL, clock, new_identifier)
    sign_in_port = preferred(place.sign_in_port)
    issuer.prepare(tuple(partnership.organisations), f"http://{LOOPBACK}:{sign_in_port}")
    environment = _environment(place, backbone, issuer)
    supervisor = Supervisor(place.logs, clock, say)
    try:
        say(f"backbone: {backbone.description}")
        supervisor.start(backbone.programs, stop)
        say("preparing databases")
        parts = _prepare(supervisor, environment)
        say(f"starting {sum(len(names) for names in parts.values())} processes of {len(parts)} services")
        health_ports = _health_ports(place, parts)
        supervisor.start(
            [
                _sign_in(place, sign_in_port, environment),
                *_programs(place, parts, health_ports, environment, backbone.kafka_users),
            ],
            stop,
        )
        platform = RunningPlatform(
            place=place,
            partnership=partnership,
            backbone=backbone,
            issuer=issuer,
            supervisor=supervisor,
            health_ports=health_ports,
        )
        _tell_others(platform, environment)
        yield platform
    finally:
        place.running_file.unlink(missing_ok=True)
        say("stopping")
        supervisor.stop()


def _environment(place: Place, backbone: Backbone, issuer: LocalIssuer) -> dict[str, str]:
    doors = place.directory / "doors.json"
    addresses = {service: f"http://{LOOPBACK}:{place.api_port(service)}" for service in SERVICES}
    doors.write_text(json.dumps(addresses), encoding="utf-8")
    return {
        "PROFILE": LOCAL,
        "INSTANCE": INSTANCE,
        "PARTNERSHIP_FILE": str(place.partnership_file.resolve()),
        "MONGODB_URI": backbone.mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": backbone.kafka_bootstrap_servers,
        "TRUSTED_ISSUERS_FILE": str(issuer.trusted_issuers_file.resolve()),
        "ORGANISATION_KEYS_DIR": str(issuer.keys_dir.resolve()),
        "DOORS_FILE": str(doors.resolve()),
        "SESSION_SECRET_FILE": str(issuer.session_secret_file.resolve()),
        "DATABASE_PREFIX": "",
        "SESSIONS_DIR": str((place.directory / "sessions").resolve()),
        **bells(place.directory / "bells"),
        "HOST": LOOPBACK,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **_waits(backbone),
    }


def bells(directory: Path) -> dict[str, str]:
    """Return where commits wake the relays, and relays the readers; in a folder with too long a name nothing rings."""
    return {"BELLS_DIR": str(directory.resolve())} if is_usable(directory.resolve()) else {}


def _waits(backbone: Backbone) -> dict[str, str]:
    """Return how readers wait on Apache Kafka, which refuses the short sessions of the local broker's profile."""
    if backbone.kind == LOCAL_BACKBONE:
        return {}
    env = Env()
    usual = {"FETCH_MAX_WAIT_MS": "500", "SESSION_TIMEOUT_MS": "10000", "HEARTBEAT_INTERVAL_MS": "3000"}
    return {name: env.str(name, value) for name, value in usual.items()}


def _prepare(supervisor: Supervisor, environment: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Let every service make its databases ready, and return which parts each has."""
    programs = [
        Program(name=f"{service}-prepare", command=_command(service, "prepare"), environment=environment)
        for service in SERVICES
    ]
    written = supervisor.finish(programs)
    return {
        service: tuple(json.loads(written[f"{service}-prepare"].strip().splitlines()[-1])["parts"])
        for service in SERVICES
    }


def _health_ports(place: Place, parts: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, str], int]:
    return {
        (service, part): preferred(place.health_port(service, part))
        for service, names in parts.items()
        for part in names
        if part != "api"
    }


def _programs(
    place: Place,
    parts: Mapping[str, tuple[str, ...]],
    health_ports: Mapping[tuple[str, str], int],
    environment: Mapping[str, str],
    kafka_users: Path | None,
) -> list[Program]:
    programs = []
    for service, names in parts.items():
        for part in names:
            port = place.api_port(service) if part == "api" else health_ports[(service, part)]
            variable = "PORT" if part == "api" else "HEALTH_PORT"
            public_url = f"http://{LOOPBACK}:{place.api_port(service)}"
            programs.append(
                Program(
                    name=f"{service}-{part}",
                    command=_command(service, part),
                    environment={
                        **environment,
                        **_broker_user(kafka_users, service, part),
                        variable: str(port),
                        "PUBLIC_URL": public_url,
                    },
                    port=port,
                    ready=answers_ready(port),
                )
            )
    return programs


def _broker_user(users: Path | None, service: str, part: str) -> dict[str, str]:
    """Return as whom a process connects to the broker; those that do not connect get nobody's password."""
    if users is None:
        return {}
    names = {"relay": relay_user(INSTANCE), "consume": reader_user(service, INSTANCE)}
    file = credentials_file(users.resolve(), names[part]) if part in names else ""
    return {"KAFKA_CONFIG_FILE": str(file)}


def _sign_in(place: Place, port: int, environment: Mapping[str, str]) -> Program:
    """Return where the made-up people sign in to the services' pages."""
    return Program(
        name="sign-in",
        command=(sys.executable, "-m", "shared.local.made_up_people", str(place.partnership_file.resolve()), str(port)),
        environment=environment,
        port=port,
        ready=answers_ready(port),
    )


def _command(service: str, part: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"services.{service}", part)


def _tell_others(platform: RunningPlatform, environment: Mapping[str, str]) -> None:
    """Write what `partnership token`, `topics` and the like need; holds addresses and paths, no secret."""
    told = {
        "pid": os.getpid(),
        "environment": dict(environment),
        "services": {service: platform.url(service) for service in SERVICES},
        "programs": platform.supervisor.pids(),
    }
    platform.place.running_file.write_text(json.dumps(told, indent=1), encoding="utf-8")
