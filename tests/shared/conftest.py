"""Marks the backbone's suite: what must hold on every database and broker, not only on the local ones."""

from pathlib import Path

import pytest

BACKBONE = (Path(__file__).parent / "events", Path(__file__).parent / "storage")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the mark `backbone` to everything in the rooms of events and storage."""
    for item in items:
        if any(item.path.is_relative_to(room) for room in BACKBONE):
            item.add_marker(pytest.mark.backbone)
