"""Apache Kafka and MongoDB in containers for the tests that are marked `containers`; skipped loudly without Docker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.errors import Unavailable
from shared.local.backbone import Backbone
from shared.local.containers import start_containers


@contextmanager
def container_backbone() -> Iterator[Backbone]:
    """Return a backbone in containers for the length of the block; skips the test where there is no engine."""
    try:
        backbone = start_containers()
    except Unavailable as error:
        pytest.skip(f"NOT RUN on containers: {error.detail}")
    try:
        yield backbone
    finally:
        backbone.close()
