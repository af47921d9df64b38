"""Apache Kafka and MongoDB in containers for the tests that are marked `containers`; skipped loudly without Docker."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.errors import Unavailable
from shared.local.backbone import Backbone
from shared.local.containers import start_containers


@contextmanager
def container_backbone() -> Iterator[Backbone]:
    """Return a backbone in containers for the length of the block; skips the test where there is no engine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a client that finds no engine leaves its socket open
        reason, backbone = _started()
        gc.collect()
    if backbone is None:
        pytest.skip(f"NOT RUN on containers: {reason}")
    try:
        yield backbone
    finally:
        backbone.close()


def _started() -> tuple[str, Backbone | None]:
    try:
        return "", start_containers()
    except Unavailable as error:
        return error.detail, None
