"""Reporting on loopback with North West London's term told to it: `site.house` is the House of tests/reporting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.reporting.settings import ReportingSettings
from shared.local.ports import LOOPBACK, any_free
from shared.process.settings import load
from tests.browser.conftest import Site, served
from tests.reporting.conftest import house, in_order, north_west_london, reporting_issuer, told_house  # noqa: F401
from tests.reporting.conftest import reporting_settings as usual_settings  # noqa: F401 - a fixture


@pytest.fixture
def site_port() -> int:
    """Where this site listens."""
    return any_free()


@pytest.fixture
def reporting_settings(usual_settings, reporting_issuer, people_address, site_port, monkeypatch) -> ReportingSettings:  # noqa: F811
    """The usual settings, with a public address and the sign-in of made-up people."""
    reporting_issuer.prepare(tuple(usual_settings.partnership().organisations), people_address)
    monkeypatch.setenv("PUBLIC_URL", f"http://{LOOPBACK}:{site_port}")
    monkeypatch.setenv("SESSION_SECRET_FILE", str(reporting_issuer.session_secret_file))
    return load(ReportingSettings.read)


@pytest.fixture
def site(told_house, site_port) -> Iterator[Site]:  # noqa: F811
    """Reporting, running."""
    with served(told_house.app, site_port):
        yield Site(f"http://{LOOPBACK}:{site_port}", told_house)
