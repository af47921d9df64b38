"""Enrolment on loopback with its pages: `site.house` is the House of tests/enrolment, on real databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.enrolment.settings import EnrolmentSettings
from shared.local.ports import LOOPBACK, any_free
from shared.process.settings import load
from tests.browser.conftest import Site, served
from tests.enrolment.conftest import enrolment_issuer, house  # noqa: F401 - fixtures
from tests.enrolment.conftest import enrolment_settings as usual_settings  # noqa: F401 - a fixture


@pytest.fixture
def site_port() -> int:
    """Where this site listens."""
    return any_free()


@pytest.fixture
def enrolment_settings(usual_settings, enrolment_issuer, people_address, site_port, monkeypatch) -> EnrolmentSettings:  # noqa: F811
    """The usual settings, with a public address and the sign-in of made-up people."""
    enrolment_issuer.prepare(tuple(usual_settings.partnership().organisations), people_address)
    monkeypatch.setenv("PUBLIC_URL", f"http://{LOOPBACK}:{site_port}")
    monkeypatch.setenv("SESSION_SECRET_FILE", str(enrolment_issuer.session_secret_file))
    return load(EnrolmentSettings.read)


@pytest.fixture
def site(house, site_port) -> Iterator[Site]:  # noqa: F811
    """Enrolment, running."""
    with served(house.app, site_port):
        yield Site(f"http://{LOOPBACK}:{site_port}", house)
