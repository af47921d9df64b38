"""Apache Kafka and MongoDB in containers, through testcontainers: only when asked for, never picked by itself.

The images are the official ones; MongoDB is a replica set of one, because transactions need one.
"""

from __future__ import annotations

from contextlib import ExitStack

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from shared.errors import Unavailable
from shared.local.backbone import DOCKER, Backbone
from shared.local.ports import LOOPBACK, accepts, preferred

KAFKA_IMAGE = "apache/kafka:4.3.1"
MONGO_IMAGE = "mongo:8"
PATIENCE = stop_after_delay(90)
NOT_INSTALLED = "--backbone docker needs testcontainers, which is in the dev extra: pip install '.[dev]'"


def start_containers() -> Backbone:
    """Return a backbone whose two containers run; its `close` ends them.

    Raises:
        Unavailable: there is no Docker engine, an image cannot be pulled, or testcontainers is not installed.
    """
    try:
        from docker.errors import DockerException
        from testcontainers.core.container import DockerContainer
    except ImportError as error:
        raise Unavailable(NOT_INSTALLED) from error
    kafka_port, mongo_port = preferred(19092), preferred(27018)
    uri = f"mongodb://{LOOPBACK}:{mongo_port}/?directConnection=true&retryWrites=true"
    with ExitStack() as started:
        try:
            kafka = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, kafka_port)
            for name, value in kafka_environment(kafka_port).items():
                kafka = kafka.with_env(name, value)
            started.enter_context(kafka)
            mongo = DockerContainer(MONGO_IMAGE).with_bind_ports(27017, mongo_port)
            started.enter_context(mongo.with_command("--replSet rs0 --bind_ip_all"))
            _make_replica_set(uri)
            _wait_for_broker(kafka_port)
        except (DockerException, PyMongoError, OSError) as error:
            raise Unavailable(
                f"no containers ({type(error).__name__}): is there a Docker engine with images?"
            ) from error
        close = started.pop_all().close
    return Backbone(
        kind=DOCKER,
        description=f"docker ({KAFKA_IMAGE} on port {kafka_port}, {MONGO_IMAGE} on port {mongo_port})",
        mongodb_uri=uri,
        kafka_bootstrap_servers=f"{LOOPBACK}:{kafka_port}",
        close=close,
    )


def kafka_environment(port: int) -> dict[str, str]:
    """Return the settings of a lone KRaft node that clients on this machine reach at `port`."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }


@retry(retry=retry_if_exception_type(PyMongoError), stop=PATIENCE, wait=wait_fixed(1), reraise=True)
def _make_replica_set(uri: str) -> None:
    """Make the lone server a replica set of one and wait until it takes writes."""
    with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=5000) as client:
        if not client.admin.command("hello").get("setName"):
            members = [{"_id": 0, "host": "localhost:27017"}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        if not client.admin.command("hello")["isWritablePrimary"]:
            raise PyMongoError("not yet primary")


@retry(retry=retry_if_exception_type(OSError), stop=PATIENCE, wait=wait_fixed(1), reraise=True)
def _wait_for_broker(port: int) -> None:
    if not accepts(port):
        raise ConnectionRefusedError(port)
