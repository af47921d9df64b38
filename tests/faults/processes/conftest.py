"""One platform for all tests of this folder that leave it whole, and what they measured, shown at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.processes.load import open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import Stage, a_stage, with_test_commands

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def figures(pytestconfig) -> list[str]:
    """What was measured in this run."""
    return pytestconfig.stash.setdefault(FIGURES, [])


@pytest.fixture(scope="package")
def whole_stage(tmp_path_factory, figures) -> Iterator[Stage]:
    """A platform with open cohorts, its parts ready to die by order, its database ready to fail by order."""
    with a_stage(tmp_path_factory.mktemp("faults"), change=with_test_commands) as stage:
        stage.figures = figures
        open_cohorts(stage)
        yield stage


@pytest.fixture
def stage(whole_stage) -> Iterator[Stage]:
    """That platform; after the test all is quiet again and nothing is lost, doubled or stale."""
    yield whole_stage
    whole_stage.quiet()
    findings(whole_stage, whole_stage.history).require_none()


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Show what was measured."""
    for figure in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"measured: {figure}")
