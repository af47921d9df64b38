"""The backbone's suite on apache/kafka and mongo:8, where a Docker engine can start them."""

import subprocess
import sys
from pathlib import Path

import pytest

import shared
from shared.testing.containers import container_backbone

ROOT = Path(shared.__file__).parent.parent


@pytest.mark.containers
@pytest.mark.timeout(1800)
def test_the_backbones_suite_passes_on_containers(monkeypatch):
    """What is promised on the local backbone holds on Apache Kafka and MongoDB.

    Left out is what starts a broker of its own from the archive, which only `make test-kafka` has.
    """
    with container_backbone() as backbone:
        addresses = {
            "MONGODB_URI": backbone.mongodb_uri,
            "KAFKA_BOOTSTRAP_SERVERS": backbone.kafka_bootstrap_servers,
            "KAFKA_IS_REAL": "1",
        }
        for name, value in addresses.items():
            monkeypatch.setenv(name, value)
        command = [sys.executable, "-m", "pytest", "-m", "(kafka or backbone) and not own_broker"]
        done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == 0
