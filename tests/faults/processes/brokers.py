"""Which broker a stage has: the local one, or on `make test-faults-kafka` an Apache Kafka of the stage's own.

    chosen = backbone_of_stage(folder, database_port, broker_port)      # not yet started
    begins_empty(folder)                                                # the broker that is started next has nothing

The local broker keeps its records in memory, so that each new one is empty; Apache Kafka keeps them on disk.

    python -m tests.faults.processes.brokers FOLDER PORT                # what the supervisor starts for Apache Kafka
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from shared.local import backbone, kafka
from shared.local.backbone import Backbone
from shared.local.programs import Program, listens
from shared.testing.kafka import IS_REAL, skip_without_kafka

EMPTY = "begins-empty"
HEAP_MEGABYTES = 512


def backbone_of_stage(folder: Path, database_port: int, broker_port: int) -> Backbone:
    """Return the database of the local profile with the broker that this run of the tests is about."""
    if IS_REAL:
        return on_apache_kafka(folder, database_port, broker_port)
    return backbone.local(folder, database_port, broker_port)


def on_apache_kafka(folder: Path, database_port: int, broker_port: int) -> Backbone:
    """Return the database of the local profile with an Apache Kafka that keeps its records in `folder`."""
    skip_without_kafka()
    where = folder.resolve() / "apache-kafka"
    where.mkdir(parents=True, exist_ok=True)
    return Backbone(
        kind=backbone.EXTERNAL,
        description=f"Apache Kafka on port {broker_port}, SecantusDB on port {database_port}",
        mongodb_uri=backbone.database_uri(database_port),
        kafka_bootstrap_servers=f"127.0.0.1:{broker_port}",
        programs=(
            backbone.database_program(folder / "mongodb", database_port),
            Program(
                name="kafka",
                command=(sys.executable, "-m", "tests.faults.processes.brokers", str(where), str(broker_port)),
                environment={"PYTHONPATH": str(kafka.ROOT)},
                port=broker_port,
                ready=listens(broker_port),
            ),
        ),
    )


def begins_empty(folder: Path) -> None:
    """Have the broker that is started next begin with nothing, as another cluster."""
    where = folder.resolve() / "apache-kafka"
    if where.exists():
        (where / EMPTY).touch()


def main(folder: str, port: str) -> None:
    """Become the broker, with the records of the last one unless it is to begin empty."""
    where = Path(folder)
    if (where / EMPTY).exists():
        shutil.rmtree(where / "records", ignore_errors=True)
        (where / EMPTY).unlink()
    command = kafka.program(kafka.prepare(where, int(port)), int(port), heap_megabytes=HEAP_MEGABYTES).command
    os.execvp(command[0], command)  # noqa: S606 - the supervisor is to know the broker, not this program


if __name__ == "__main__":
    main(*sys.argv[1:])
