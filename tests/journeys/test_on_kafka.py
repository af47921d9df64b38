"""A whole term on Apache Kafka: the second partnership, on an open broker and on one that asks who is there."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from rich.console import Console

from shared.events.access import grants, instances
from shared.local import backbone as backbones
from shared.local.fresh import refuse_yesterday
from shared.local.platform import INSTANCE, Place
from shared.local.play.main import play
from shared.local.provisioning import Provisioning, how_to_connect, keep_passwords
from shared.partnership import load
from shared.testing.backbone import Server, bootstrap, database_server, database_uri
from shared.testing.kafka import as_operator, asking_kafka_server
from tests.journeys.conftest import kept_running

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
MARCHLAND = SCENARIOS / "marchland"

pytestmark = [pytest.mark.kafka, pytest.mark.journey, pytest.mark.timeout(1200)]


@pytest.fixture
def database(tmp_path) -> Iterator[Server]:
    """A database of this test's own: the partners' names are the scenario's."""
    server = database_server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stores(database, kafka_bootstrap) -> Iterator[backbones.Backbone]:
    """Stores that the platform does not start, with nothing of the partnership; the broker is left so again."""
    backbone = backbones.external(database_uri(database), kafka_bootstrap)
    refuse_yesterday(backbone, load(MARCHLAND / "partnership.yaml"))
    yield backbone
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    partners = load(MARCHLAND / "partnership.yaml").organisations
    admin.delete_topics([topic for topic in admin.list_topics() if is_of(topic, partners)])
    admin.close()


@pytest.fixture(params=["marchland", "north-west-london"])
def scenario(request) -> Path:
    """Each scenario in turn: the smaller one, and the one that the demo plays."""
    return SCENARIOS / request.param


@pytest.fixture
def guarded_stores(database, tmp_path, scenario) -> Iterator[backbones.Backbone]:
    """Stores whose broker asks who is there, with the users and rights that the partnership file gives."""
    server = asking_kafka_server(tmp_path / "broker")
    server.start()
    partnership = load(scenario / "partnership.yaml")
    provisioning = Provisioning(bootstrap(server), as_operator())
    change = provisioning.look(grants(partnership, instances(partnership, {INSTANCE: ()})))
    provisioning.make(change, keep_passwords(tmp_path / "users", change.users, how_to_connect(as_operator())))
    provisioning.close()
    backbone = backbones.external(database_uri(database), bootstrap(server), as_operator())
    yield dataclasses.replace(backbone, kafka_users=tmp_path / "users")
    server.stop()


def is_of(topic: str, partners) -> bool:
    """Return whether a topic belongs to one of the partners."""
    kind, _, rest = topic.partition(".")
    return kind in ("org", "out", "in") and rest.split(".")[0] in partners


def test_term_on_apache_kafka_is_right_in_every_part(monkeypatch, tmp_path, stores, free_ports):
    """On a broker that keeps its records, with one reader that takes every feed, nothing differs from the expected."""
    monkeypatch.setenv("READER_MODE", "assign")
    plays_right(MARCHLAND, tmp_path, stores, free_ports)


@pytest.mark.own_broker
def test_k14_term_with_the_brokers_own_rights_is_right_in_every_part(
    monkeypatch, tmp_path, scenario, guarded_stores, free_ports
):
    """Every process and every HR system is a user of its own, readers share feeds as groups, and nothing differs."""
    monkeypatch.setenv("READER_MODE", "group")
    plays_right(scenario, tmp_path, guarded_stores, free_ports)
    refused = [log.name for log in (tmp_path / "state" / "logs").glob("*.log") if "refused" in log.read_text("utf-8")]
    assert refused == []


def plays_right(scenario: Path, directory: Path, stores: backbones.Backbone, port_base: int) -> None:
    """Play the term on the stores and hold it against what is expected."""
    place = Place(directory=directory / "state", partnership_file=scenario / "partnership.yaml", port_base=port_base)
    written = io.StringIO()
    with kept_running(place, stores) as platform:
        verdict = play(scenario, platform, Console(file=written, width=200, highlight=False, soft_wrap=True))
    assert verdict == 0, written.getvalue()
    assert written.getvalue().count("no difference") == 5
