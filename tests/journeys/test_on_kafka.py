"""A whole term on Apache Kafka: the second partnership, as one reader takes every feed and as readers share them."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from rich.console import Console

from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local import backbone as backbones
from shared.local.fresh import refuse_yesterday
from shared.local.platform import Place, RunningPlatform, running
from shared.local.play.main import play
from shared.partnership import load
from shared.testing.backbone import Server, database_server, database_uri

MARCHLAND = Path(__file__).resolve().parents[2] / "scenarios" / "marchland"

pytestmark = [pytest.mark.kafka, pytest.mark.journey, pytest.mark.timeout(600)]


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


def is_of(topic: str, partners) -> bool:
    """Return whether a topic belongs to one of the partners."""
    kind, _, rest = topic.partition(".")
    return kind in ("org", "out", "in") and rest.split(".")[0] in partners


@contextlib.contextmanager
def kept_running(place: Place, stores: backbones.Backbone) -> Iterator[RunningPlatform]:
    """Run the platform on the stores until the block ends."""
    stop = threading.Event()
    with running(
        place, stores, stop, clock=SystemClock(), new_identifier=new_identifier, say=lambda _: None
    ) as platform:
        keeper = threading.Thread(target=platform.supervisor.supervise, args=(stop,), daemon=True)
        keeper.start()
        try:
            yield platform
        finally:
            stop.set()
            keeper.join(timeout=30)


@pytest.mark.parametrize("mode", ["assign", "group"])
def test_term_on_apache_kafka_is_right_in_every_part(mode, monkeypatch, tmp_path, stores, free_ports):
    """On a broker that keeps its records, whichever way feeds are read, nothing differs from what is expected."""
    monkeypatch.setenv("READER_MODE", mode)
    place = Place(directory=tmp_path / "state", partnership_file=MARCHLAND / "partnership.yaml", port_base=free_ports)
    written = io.StringIO()
    with kept_running(place, stores) as platform:
        verdict = play(MARCHLAND, platform, Console(file=written, width=200, highlight=False, soft_wrap=True))
    assert verdict == 0, written.getvalue()
    assert written.getvalue().count("no difference") == 5
