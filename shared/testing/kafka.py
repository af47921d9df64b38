"""An Apache Kafka of a test's own: one broker, one that asks for passwords, or three; skipped loudly without Java.

To be stopped, killed, emptied or put back by the test that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import pytest
from environs import Env
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.local import kafka
from shared.local.ports import accepts, any_free
from shared.testing.backbone import Server, bootstrap, broker_server

T = TypeVar("T")

IS_REAL: Final = Env().bool("KAFKA_IS_REAL", False)
"""Whether this run of the tests is about Apache Kafka."""

OPERATOR: Final = "cluster"
OPERATORS_PASSWORD: Final = "made-up-cluster"  # noqa: S105 - of a broker on loopback that lives for one test
WITH_PASSWORDS: Final = f"""
listeners=SASL_PLAINTEXT://127.0.0.1:PORT,CONTROLLER://127.0.0.1:CONTROLLER_PORT
advertised.listeners=SASL_PLAINTEXT://127.0.0.1:PORT
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
required username="{OPERATOR}" password="{OPERATORS_PASSWORD}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{OPERATOR};User:ANONYMOUS
"""
"""A broker on which nobody may do anything but its operator (and the controller's own line, which is not offered)."""
OF_THREE: Final = """
node.id=NODE
process.roles=ROLES
listeners=LISTENERS
controller.quorum.voters=VOTERS
controller.quorum.bootstrap.servers=CONTROLLERS
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""
CLUSTER_SECONDS: Final = 180.0


def kafka_server(folder: Path, *, more: str = "", users: Mapping[str, str] | None = None) -> Server:
    """Return an Apache Kafka, not yet started, that keeps its records in `folder` over restarts.

    Args:
        folder: Where everything of the broker is kept.
        more: See `shared.local.kafka.prepare`.
        users: See `shared.local.kafka.prepare`.
    """
    skip_without_kafka()
    port = any_free()
    program = kafka.program(kafka.prepare(folder, port, more=more, users=users), port)
    return Server(list(program.command), port, folder / "broker.log", accepts)


def broker_of_this_run(folder: Path, *, more: str = "") -> Server:
    """Return a broker, not yet started, of the kind that this run of the tests is about.

    The local one keeps its records in memory; Apache Kafka keeps them in `folder`, with `more` settings.
    """
    return kafka_server(folder, more=more) if IS_REAL else broker_server(folder)


def asking_kafka_server(folder: Path) -> Server:
    """Return an Apache Kafka, not yet started, that asks who is there; it knows nobody yet but its operator."""
    return kafka_server(folder, more=WITH_PASSWORDS, users={OPERATOR: OPERATORS_PASSWORD})


def as_user(name: str, password: str) -> dict[str, object]:
    """Return what a KAFKA_CONFIG_FILE of that user holds, for a broker that asks who is there."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": name,
        "sasl_plain_password": password,
    }


def as_operator() -> dict[str, object]:
    """Return how the operator of `asking_kafka_server` connects."""
    return as_user(OPERATOR, OPERATORS_PASSWORD)


@dataclass
class Cluster:
    """Three brokers of one cluster."""

    nodes: dict[int, Server]
    voters: tuple[int, ...]

    @property
    def bootstrap(self) -> str:
        """Return the addresses of all of them."""
        return ",".join(bootstrap(node) for node in self.nodes.values())

    def start(self) -> None:
        """Start every node that does not run, and wait until all of them are in the cluster.

        All at once: none of them answers anybody before most of those who vote are there.

        Raises:
            RuntimeError: One of them does not come up, or not all come into the cluster.
        """
        with ThreadPoolExecutor(len(self.nodes)) as all_at_once:
            starting = [all_at_once.submit(node.start) for node in self.nodes.values() if node.process is None]
        for started in starting:
            started.result()
        clock = SystemClock()
        until = clock.monotonic() + CLUSTER_SECONDS
        while len(self.members()) < len(self.nodes):
            if clock.monotonic() > until:
                message = f"only {sorted(self.members())} are in the cluster"
                raise RuntimeError(message)
            clock.sleep(0.2)

    def stop(self) -> None:
        """End every node; a cluster that is ended cannot be asked to hand anything over."""
        for node in self.nodes.values():
            node.kill()

    def members(self) -> set[int]:
        """Return the nodes that are in the cluster, none where nobody answers."""
        described = self.ask(lambda admin: admin.describe_cluster())
        return {int(broker["broker_id"]) for broker in described["brokers"]} if described else set()

    def leader_of(self, topic: str) -> int:
        """Return the node that leads the topic's one partition, -1 where there is none."""
        described = self.ask(lambda admin: admin.describe_topics([topic]))
        return int(described[0]["partitions"][0]["leader_id"]) if described else -1

    def in_sync(self, topic: str) -> set[int]:
        """Return the nodes that hold everything of the topic's one partition."""
        described = self.ask(lambda admin: admin.describe_topics([topic]))
        return set(described[0]["partitions"][0]["isr_nodes"]) if described else set()

    def ask(self, question: Callable[[KafkaAdminClient], T]) -> T | None:
        """Return the answer of an admin client, None where nobody answers."""
        try:
            with_admin = KafkaAdminClient(
                bootstrap_servers=self.bootstrap, request_timeout_ms=5000, bootstrap_timeout_ms=5000
            )
        except (KafkaError, OSError):
            return None
        try:
            return question(with_admin)
        except (KafkaError, OSError):
            return None
        finally:
            with_admin.close()


def three_brokers(folder: Path, *, controllers: tuple[int, ...] = (1, 2, 3)) -> Cluster:
    """Return three brokers, not yet started, each record on all of them as far as topics ask for it.

    Args:
        folder: Where everything of the brokers is kept.
        controllers: Which of 1, 2 and 3 vote on who leads; the cluster decides nothing without most of them.
    """
    skip_without_kafka()
    cluster = kafka.new_cluster()
    ports = {node: (any_free(), any_free()) for node in (1, 2, 3)}
    voters = ",".join(f"{node}@127.0.0.1:{ports[node][1]}" for node in controllers)
    nodes = {}
    for node, (port, controller_port) in ports.items():
        listeners = f"PLAINTEXT://127.0.0.1:{port}"
        if node in controllers:
            listeners += f",CONTROLLER://127.0.0.1:{controller_port}"
        filled = {
            "NODE": str(node),
            "ROLES": "broker,controller" if node in controllers else "broker",
            "LISTENERS": listeners,
            "VOTERS": voters,
            "CONTROLLERS": ",".join(f"127.0.0.1:{ports[node][1]}" for node in controllers),
        }
        more = OF_THREE
        for name, value in filled.items():
            more = more.replace(f"={name}", f"={value}")
        settings = kafka.prepare(folder / f"node-{node}", port, more=more, cluster=cluster)
        program = kafka.program(settings, port, heap_megabytes=192)
        nodes[node] = Server(list(program.command), port, folder / f"node-{node}" / "broker.log", accepts)
    return Cluster(nodes, controllers)


def skip_without_kafka() -> None:
    """Skip the test, loudly, where Apache Kafka cannot be started."""
    if not kafka.JARS.exists():
        pytest.skip("NOT RUN: there is no Apache Kafka here to start; make test-kafka fetches it (Java, Maven)")
    try:
        kafka.check_java()
    except Unavailable as error:
        pytest.skip(f"NOT RUN: {error.detail}")
