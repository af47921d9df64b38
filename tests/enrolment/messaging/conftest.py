"""A broker of one test's own: the scenario's organisations have real slugs, and so their topics have real names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.testing.backbone import bootstrap, broker_server


@pytest.fixture
def own_bootstrap(tmp_path) -> Iterator[str]:
    """The address of a broker that holds no topic yet and ends with the test."""
    server = broker_server(tmp_path / "broker")
    server.start()
    yield bootstrap(server)
    server.stop()
