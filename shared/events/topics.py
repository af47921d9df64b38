"""Topics: what the broker has, and making a feed's topic as it must be. Only the owner's relay makes topics.

A broker may create missing topics by itself with the wrong number of partitions; a feed has one partition, so such a
topic is deleted and made again: everything on it can be sent again. No records are read or written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any, Final, TypeVar

import msgspec
from kafka import KafkaAdminClient
from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from shared.clock import Clock
from shared.errors import Unavailable
from shared.events.refusals import RefusedByBroker, unavailable

T = TypeVar("T")

FOR_EVER: Final = "-1"
SEVEN_DAYS: Final = str(7 * 24 * 60 * 60 * 1000)
LARGEST_RECORD_BYTES: Final = str(1024 * 1024 + 64 * 1024)
REQUEST_MILLISECONDS: Final = 5000
APPEAR_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.1
BROKERS_CHOICE: Final = -1
SAFE_REPLICATION: Final = 3
SAFE_IN_SYNC: Final = 2
LEAST_IN_SYNC: Final = "min.insync.replicas"


class LogPlace(msgspec.Struct, frozen=True):
    """Which log a topic is just now: it changes when the cluster is another or the topic was made again."""

    cluster_id: str
    topic_id: str


class Copies(msgspec.Struct, frozen=True):
    """How many brokers hold a topic, and how many must hold what is acknowledged (None where that is not told)."""

    replicas: int
    least_in_sync: int | None


class Topics:
    """The broker's topics, through one admin client that is made anew after any error. Safe to share by threads.

    `config` says how to connect (security_protocol, ssl_..., sasl_...).
    """

    def __init__(
        self,
        bootstrap_servers: str,
        clock: Clock,
        *,
        replication_factor: int = BROKERS_CHOICE,
        config: Mapping[str, object] | None = None,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._clock = clock
        self._replication_factor = replication_factor
        self._config = dict(config or {})
        self._admin: KafkaAdminClient | None = None
        self._lock = RLock()
        self._failures = 0

    def place(self, topic: str) -> LogPlace | None:
        """Return the log that the topic is, None when there is no such topic.

        Raises:
            Unavailable: The broker does not answer.
        """
        return self._ask(lambda admin: _place(admin, topic))[0]

    def ensure_feed(self, topic: str) -> LogPlace:
        """Return the log of a feed's topic, making it with one partition and kept for ever where it is not so.

        Raises:
            Unavailable: The broker does not answer or does not do it in time.
        """
        until = self._clock.monotonic() + APPEAR_SECONDS
        while True:
            place, partitions = self._ask(lambda admin: _place(admin, topic))
            if place is not None and partitions == 1:
                return place
            if place is not None:
                self._ask(lambda admin: _delete(admin, topic))
            else:
                self._ask(lambda admin: self._create(admin, topic, FOR_EVER))
            if self._clock.monotonic() > until:
                raise Unavailable(f"{topic} cannot be made with one partition")
            self._clock.sleep(PAUSE_SECONDS if place is not None else PAUSE_SECONDS / 10)

    def ensure_plain(self, topic: str) -> None:
        """Make a topic that is no feed (`in.brent.enrolment.v1`), kept 7 days, where it is missing.

        One that exists is left as it is: its records cannot be sent again by us.

        Raises:
            Unavailable: The broker does not answer.
        """
        place, _ = self._ask(lambda admin: _place(admin, topic))
        if place is None:
            self._ask(lambda admin: self._create(admin, topic, SEVEN_DAYS))

    def copies(self, topic: str) -> Copies | None:
        """Return how many brokers hold the topic, None when there is no such topic.

        Raises:
            Unavailable: The broker does not answer.
        """
        return self._ask(lambda admin: _copies(admin, topic))

    def close(self) -> None:
        """Close the client."""
        with self._lock:
            if self._admin is not None:
                self._admin.close()
                self._admin = None

    def _ask(self, question: Callable[[KafkaAdminClient], T]) -> T:
        """Put a question; who waited behind one that was not answered does not wait as long again for his own.

        Otherwise a broker that stands still would hold up the feeds of a process one after the other, longer than their
        leases last.
        """
        failures = self._failures
        with self._lock:
            if self._failures != failures:
                raise Unavailable("the broker does not answer")
            try:
                if self._admin is None:
                    self._admin = KafkaAdminClient(
                        **self._config,
                        bootstrap_servers=self._bootstrap_servers,
                        request_timeout_ms=REQUEST_MILLISECONDS,
                        bootstrap_timeout_ms=REQUEST_MILLISECONDS,
                    )
                return question(self._admin)
            except (KafkaError, OSError, ValueError) as error:
                self._discard()
                found = unavailable(error, "the broker does not answer")
                self._failures += not isinstance(found, RefusedByBroker)
                raise found from error

    def _discard(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            admin.close()

    def _create(self, admin: KafkaAdminClient, topic: str, retention_milliseconds: str) -> None:
        configs = topic_configs(retention_milliseconds, self._replication_factor)
        try:
            admin.create_topics([NewTopic(topic, 1, self._replication_factor, topic_configs=configs)])
        except TopicAlreadyExistsError:
            return


def topic_configs(retention_milliseconds: str, replication_factor: int) -> dict[str, str]:
    """Return a topic's settings: with three copies, an acknowledgement means that two hold the record."""
    configs = {
        "retention.ms": retention_milliseconds,
        "cleanup.policy": "delete",
        "max.message.bytes": LARGEST_RECORD_BYTES,
    }
    return {**configs, LEAST_IN_SYNC: str(SAFE_IN_SYNC)} if replication_factor >= SAFE_REPLICATION else configs


def _place(admin: KafkaAdminClient, topic: str) -> tuple[LogPlace | None, int]:
    try:
        described: Sequence[dict[str, object]] = admin.describe_topics([topic])
    except UnknownTopicOrPartitionError:
        return None, 0
    found = next((entry for entry in described if entry["name"] == topic), None)
    if found is None or found["error_code"] != 0:
        return None, 0
    cluster = admin.describe_cluster()["cluster_id"]
    partitions = found["partitions"]
    count = len(partitions) if isinstance(partitions, list) else 0
    return LogPlace(str(cluster), str(found["topic_id"])), count


def _copies(admin: KafkaAdminClient, topic: str) -> Copies | None:
    try:
        described: Sequence[dict[str, Any]] = admin.describe_topics([topic])
    except UnknownTopicOrPartitionError:
        return None
    partitions: Sequence[dict[str, Any]] = next(
        (entry["partitions"] for entry in described if entry["name"] == topic), []
    )
    if not partitions:
        return None
    return Copies(len(partitions[0]["replica_nodes"]), _least_in_sync(admin, topic))


def _least_in_sync(admin: KafkaAdminClient, topic: str) -> int | None:
    """Return the setting, None where the broker does not tell it: looking at settings takes a right of its own."""
    asked = ConfigResource(ConfigResourceType.TOPIC, topic, configs={LEAST_IN_SYNC: None})
    try:
        told = admin.describe_configs([asked], config_filter=ConfigFilterType.ALL)
    except KafkaError:
        return None
    found = [configs.get(LEAST_IN_SYNC) for named in told.values() for configs in named.values() if configs]
    value = found[0].get("value") if found and found[0] else None
    return None if value is None else int(value)


def _delete(admin: KafkaAdminClient, topic: str) -> None:
    try:
        admin.delete_topics([topic])
    except UnknownTopicOrPartitionError:
        return
