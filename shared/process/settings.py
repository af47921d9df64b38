"""Everything that an instance needs for itself, read from the environment once, all faults in one message.

The one file (with the services' own `settings.py`) that asks the environment. What partners share (organisations,
frameworks, mappings) is the partnership file's. Every variable here stands in `deploy/env/*.example`; a test compares.

A service with settings of its own derives from `CommonSettings` and reads both in one go:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class EnrolmentSettings(CommonSettings):
        largest_upload_rows: int

        @classmethod
        def read(cls, env: Env) -> Self:
            return cls(**CommonSettings.variables(env), largest_upload_rows=env.int("LARGEST_UPLOAD_ROWS", 50_000))

    settings = load(EnrolmentSettings.read)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from environs import Env, EnvValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from shared.errors import Fault, Malformed
from shared.partnership import Partnership
from shared.partnership import load as load_partnership

LOCAL = "local"
PRODUCTION = "production"
SLUG = Regexp(r"[a-z0-9]+(-[a-z0-9]+)*\Z", error="must be small letters, digits and hyphens")
SHORTEST_SECRET_BYTES = 32
PUBLIC_ADDRESS = Regexp(r"(https?://[^/?#\s]+/?)?\Z", error="must be an address without a path, or empty")
SHORT_PATH = Length(max=72, error="must be a path of at most 72 characters")
PORTS = Range(min=0, max=65535)
HOW_TO_CONNECT = ("security_protocol", "ssl_", "sasl_")

Settings = TypeVar("Settings", bound="CommonSettings")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """What every process of every service needs.

    profile: `local` (made-up people on one machine) or `production`. PROFILE
    partnership_file: the partnership file. PARTNERSHIP_FILE
    hosted_organisations: the organisations that this instance hosts; empty means all. HOSTED_ORGANISATIONS
    instance: names this instance; its reader groups are `<service>.<instance>`. INSTANCE
    mongodb_uri, database_prefix: where the databases are, and what their names begin with. MONGODB_URI, DATABASE_PREFIX
    sessions_dir: where processes write which database sessions they use, for their successors. SESSIONS_DIR
    bells_dir: where a service's processes ring for its relay, and relays for readers, all of them on this machine;
        without it a change stream wakes the relay, and the broker the readers. BELLS_DIR
    kafka_bootstrap_servers: `host:port`, comma-separated. KAFKA_BOOTSTRAP_SERVERS
    kafka_config_file: JSON on how to connect (security_protocol, ssl_..., sasl_...), or None. KAFKA_CONFIG_FILE
    replication_factor: of the topics that this instance's relays make. REPLICATION_FACTOR
    trusted_issuers_file: whose tokens are believed, as which organisation. TRUSTED_ISSUERS_FILE
    organisation_keys_dir: the hosted organisations' key files. ORGANISATION_KEYS_DIR
    doors_file: JSON with the base address of other instances' services, or None. DOORS_FILE
    host, port: where the API listens. HOST, PORT
    health_port: where relay, reader and worker say how they are; 0 takes a free one. HEALTH_PORT
    web_concurrency: gunicorn workers. WEB_CONCURRENCY
    reader_mode: `assign` (one reader takes every feed) or `group` (readers share them). READER_MODE
    fetch_max_wait_ms: how long a broker may hold a fetch. FETCH_MAX_WAIT_MS
    session_timeout_ms, heartbeat_interval_ms: of the reader group. SESSION_TIMEOUT_MS, HEARTBEAT_INTERVAL_MS
    heartbeat_seconds: between two heartbeats of a feed. HEARTBEAT_SECONDS
    relay_poll_seconds: how long an idle relay waits before it looks again. RELAY_POLL_SECONDS
    log_level, log_format: `INFO`..., `json` or `console`. LOG_LEVEL, LOG_FORMAT
    """

    profile: str
    partnership_file: Path
    hosted_organisations: tuple[str, ...]
    instance: str
    mongodb_uri: str
    database_prefix: str
    sessions_dir: Path | None
    bells_dir: Path | None
    kafka_bootstrap_servers: str
    kafka_config_file: Path | None
    replication_factor: int
    trusted_issuers_file: Path
    organisation_keys_dir: Path
    doors_file: Path | None
    host: str
    port: int
    health_port: int
    web_concurrency: int
    reader_mode: str
    fetch_max_wait_ms: int
    session_timeout_ms: int
    heartbeat_interval_ms: int
    heartbeat_seconds: float
    relay_poll_seconds: float
    log_level: str
    log_format: str

    @classmethod
    def read(cls, env: Env) -> Self:
        """Return the settings as `env` has them; wrong ones are None until `env.seal()` says so."""
        return cls(**CommonSettings.variables(env))

    @staticmethod
    def variables(env: Env) -> dict[str, Any]:  # Any: environs' values, typed by the dataclass that takes them
        """Return the common variables by field name, for a service's own settings to add to."""
        profile = env.str("PROFILE", PRODUCTION, validate=OneOf((LOCAL, PRODUCTION)))
        is_local = profile == LOCAL
        return {
            "profile": profile,
            "partnership_file": env.path("PARTNERSHIP_FILE"),
            "hosted_organisations": tuple(env.list("HOSTED_ORGANISATIONS", []) or ()),
            "instance": env.str("INSTANCE", "local", validate=SLUG),
            "log_level": env.str("LOG_LEVEL", "INFO", validate=OneOf(("DEBUG", "INFO", "WARNING", "ERROR"))),
            "log_format": env.str("LOG_FORMAT", "json", validate=OneOf(("json", "console"))),
            **_stores(env),
            **_identity(env),
            **_listening(env),
            **_events(env, is_local=is_local),
        }

    def partnership(self) -> Partnership:
        """Return the partnership, with the hosted organisations checked against it.

        Raises:
            Malformed: the file has faults, or an organisation is hosted that is none of its partners.
        """
        partnership = load_partnership(self.partnership_file)
        strangers = [slug for slug in self.hosted_organisations if slug not in partnership.organisations]
        if strangers:
            raise Malformed(f"HOSTED_ORGANISATIONS names no partner of {partnership.slug}: {', '.join(strangers)}")
        return partnership

    def kafka_config(self) -> dict[str, object]:
        """Return the further settings of every Kafka client of this process; empty without a file.

        Raises:
            Malformed: the file cannot be read, is no JSON object, or sets what it may not.
        """
        file = self.kafka_config_file
        return {} if file is None else read_kafka_config(file)

    def weak_in_production(self) -> tuple[Fault, ...]:
        """Return the service's own settings that are weak outside the local profile; a service with such says so."""
        return ()

    def hosted(self, partnership: Partnership) -> tuple[str, ...]:
        """Return the organisations that this instance hosts, in the partnership file's order."""
        if not self.hosted_organisations:
            return tuple(partnership.organisations)
        return tuple(slug for slug in partnership.organisations if slug in self.hosted_organisations)


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesSettings(CommonSettings):
    """The settings of a service that has pages.

    public_url: this service's address as people's browsers know it: sign-in providers send browsers back there, and
        letters link to it; "" is no sign-in. PUBLIC_URL
    session_secret_file: a file of at least 32 bytes that signs the pages' sessions, the same for every process of the
        API; None makes a secret per process, so that sessions end with it. SESSION_SECRET_FILE
    """

    public_url: str
    session_secret_file: Path | None

    @staticmethod
    def variables(env: Env) -> dict[str, Any]:  # Any: environs' values, typed by the dataclass that takes them
        """Return the common variables and those of pages by field name."""
        return {
            **CommonSettings.variables(env),
            "public_url": env.str("PUBLIC_URL", "", validate=PUBLIC_ADDRESS),
            "session_secret_file": env.path("SESSION_SECRET_FILE", None),
        }

    @classmethod
    def read(cls, env: Env) -> Self:
        """Return the settings as `env` has them; wrong ones are None until `env.seal()` says so."""
        return cls(**PagesSettings.variables(env))

    def session_secret(self) -> bytes | None:
        """Return what sessions are signed with, None where no file says it.

        Raises:
            Malformed: the file cannot be read or is too short.
        """
        if self.session_secret_file is None:
            return None
        try:
            secret = self.session_secret_file.read_bytes().strip()
        except OSError as error:
            raise Malformed(f"SESSION_SECRET_FILE {self.session_secret_file} cannot be read") from error
        if len(secret) < SHORTEST_SECRET_BYTES:
            raise Malformed(f"SESSION_SECRET_FILE holds fewer than {SHORTEST_SECRET_BYTES} bytes")
        return secret


def load(read: Callable[[Env], Settings]) -> Settings:
    """Return the settings that `read` takes from the environment.

    Raises:
        Malformed: with every missing or wrong variable in one message.
    """
    env = Env(eager=False)
    settings = read(env)
    try:
        env.seal()
    except EnvValidationError as error:
        faults = tuple(
            Fault(code="invalid_setting", detail=" ".join(str(message) for message in messages), pointer=name)
            for name, messages in _by_name(error).items()
        )
        lines = "\n".join(f"  {fault.pointer}: {fault.detail}" for fault in faults)
        raise Malformed(f"settings that cannot be used:\n{lines}", faults=faults) from error
    return settings


def read_kafka_config(file: Path) -> dict[str, object]:
    """Return what a KAFKA_CONFIG_FILE holds: how the clients connect, never how they read or write.

    Raises:
        Malformed: the file cannot be read, is no JSON object, or sets what it may not. Values are not told: secrets.
    """
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Malformed(f"KAFKA_CONFIG_FILE {file} cannot be read as JSON ({type(error).__name__})") from error
    if not isinstance(config, dict):
        raise Malformed(f"KAFKA_CONFIG_FILE {file} must hold a JSON object")
    strange = sorted(name for name in config if not name.startswith(HOW_TO_CONNECT))
    if strange:
        raise Malformed(
            f"KAFKA_CONFIG_FILE may set security_protocol, ssl_... and sasl_..., not {', '.join(strange)}: how records "
            "are written and read (acks=all, idempotence, no commits of their own) is not to be set; take it out"
        )
    return config


def _by_name(error: EnvValidationError) -> Mapping[str, list[str]]:
    messages = error.error_messages
    return messages if isinstance(messages, Mapping) else {"environment": messages}


def _stores(env: Env) -> dict[str, Any]:
    return {
        "mongodb_uri": env.str(
            "MONGODB_URI", validate=Regexp(r"mongodb(\+srv)?://", error="must begin with mongodb://")
        ),
        "database_prefix": env.str("DATABASE_PREFIX", "", validate=Regexp(r"[a-z0-9_]{0,10}\Z")),
        "sessions_dir": env.path("SESSIONS_DIR", None) if env.str("SESSIONS_DIR", "") else None,
        "bells_dir": Path(bells) if (bells := env.str("BELLS_DIR", "", validate=SHORT_PATH)) else None,
        "kafka_bootstrap_servers": env.str("KAFKA_BOOTSTRAP_SERVERS", validate=Length(min=1)),
        "kafka_config_file": env.path("KAFKA_CONFIG_FILE", None) if env.str("KAFKA_CONFIG_FILE", "") else None,
        "replication_factor": env.int("REPLICATION_FACTOR", 1, validate=Range(min=1, max=9)),
    }


def _identity(env: Env) -> dict[str, Any]:
    return {
        "trusted_issuers_file": env.path("TRUSTED_ISSUERS_FILE"),
        "organisation_keys_dir": env.path("ORGANISATION_KEYS_DIR"),
        "doors_file": env.path("DOORS_FILE", None),
    }


def _listening(env: Env) -> dict[str, Any]:
    return {
        "host": env.str("HOST", "127.0.0.1", validate=Length(min=1)),
        "port": env.int("PORT", 8000, validate=PORTS),
        "health_port": env.int("HEALTH_PORT", 0, validate=PORTS),
        "web_concurrency": env.int("WEB_CONCURRENCY", 1, validate=Range(min=1, max=64)),
    }


def _events(env: Env, *, is_local: bool) -> dict[str, Any]:
    """Return what readers and relays need; the local profile's broker needs other waits than Apache Kafka."""
    modes = OneOf(("assign", "group"))
    return {
        "reader_mode": env.str("READER_MODE", "assign" if is_local else "group", validate=modes),
        "fetch_max_wait_ms": env.int("FETCH_MAX_WAIT_MS", 20 if is_local else 500, validate=Range(min=5, max=30_000)),
        "session_timeout_ms": env.int("SESSION_TIMEOUT_MS", 2000 if is_local else 10_000, validate=Range(min=1000)),
        "heartbeat_interval_ms": env.int("HEARTBEAT_INTERVAL_MS", 300 if is_local else 3000, validate=Range(min=100)),
        "heartbeat_seconds": env.float("HEARTBEAT_SECONDS", 10.0, validate=Range(min=0.1, max=3600)),
        "relay_poll_seconds": env.float("RELAY_POLL_SECONDS", 1.0, validate=Range(min=0.01, max=60)),
    }
