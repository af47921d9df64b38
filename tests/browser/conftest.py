"""A real Chromium on the real pages: visitors of every kind, axe, and screenshots to look at.

A folder per service has a fixture `site`, the service on loopback with the sign-in of made-up people. Here are the
visitors of any site: `visitor` at a desk, `phone`, and `plain`, whose browser runs no JavaScript. Each signs in through
the provider's own page, and its browser may ask nothing of any other machine and must complain of nothing.

    def test_people_are_listed(visitor):
        visitor.sign_in("brent", "Made-up HR officer")
        visitor.open("/people")
        visitor.must_be_accessible("people")          # axe finds nothing; a screenshot is written
        visitor.page.get_by_label("Name").fill("Aoife")   # Playwright's page

Chromium is the one that CHROMIUM names, or one on the path; none is ever downloaded.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from environs import Env
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from shared.clock import SystemClock
from shared.local.made_up_people import provider_app
from shared.local.ports import LOOPBACK, any_free
from shared.partnership import load

PARTNERSHIP = Path(__file__).parents[2] / "scenarios" / "north-west-london" / "partnership.yaml"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 740}


def chromium_path() -> str | None:
    """Return where Chromium is on this machine."""
    named = Env().str("CHROMIUM", "")
    return named or next((found for found in map(shutil.which, NAMES) if found), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, loudly, where there is no browser."""
    if item.get_closest_marker("browser") is not None and chromium_path() is None:
        pytest.skip(
            "NOT RUN: needs Chromium on the path, or its path in CHROMIUM (Debian and Ubuntu: apt install chromium)"
        )


@dataclass(frozen=True)
class Site:
    """A service that is running on loopback."""

    address: str
    house: Any


@dataclass
class Visitor:
    """Somebody at a browser, on one site."""

    site: Site
    context: BrowserContext
    page: Page
    shots: Path
    runs_scripts: bool
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page of the site."""
        self.page.goto(f"{self.site.address}{path}")

    def sign_in(self, organisation: str, person: str) -> None:
        """Sign in as somebody made up: on the provider's page, with a click."""
        self.open(f"/sign-in/{organisation}")
        self.page.get_by_role("button", name=person, exact=True).click()
        self.page.wait_for_url(f"{self.site.address}/**")

    def shot(self, name: str) -> None:
        """Write a screenshot of the whole page."""
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def must_be_accessible(self, name: str) -> None:
        """Hold the page against axe, and write a screenshot for eyes."""
        self.shot(name)
        found = Axe().run(self.page, options={"runOnly": STANDARDS, "resultTypes": ["violations"]})
        assert found.violations_count == 0, found.generate_report()
        assert self.complaints == []

    def must_fit(self) -> None:
        """See to it that the page is no wider than the window."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.page.viewport_size["width"], f"{self.page.url} is {width} pixels wide"

    def tab_to(self, most: int = 60) -> list[str]:
        """Return what the tab key reaches from the top of the page, in order."""
        reached = []
        for _ in range(most):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(
                "(() => { const e = document.activeElement; return e === document.body ? '' : "
                "(e.getAttribute('aria-label') || e.innerText || e.name || e.tagName).trim().split('\\n')[0]; })()"
            )
            if not at:
                break
            reached.append(at)
        return reached


@contextmanager
def served(app: Flask, port: int) -> Iterator[BaseWSGIServer]:
    """Run an application on loopback, on a thread of its own."""
    server = make_server(LOOPBACK, port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def people_address() -> Iterator[str]:
    """Where the made-up people of North West London sign in."""
    port = any_free()
    with served(provider_app(load(PARTNERSHIP), SystemClock()), port):
        yield f"http://{LOOPBACK}:{port}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots are written."""
    folder = Path(tempfile.gettempdir()) / "teaching-partnership-screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def make_visitor(site: Site, chromium: Browser, shots: Path) -> Iterator[Callable[..., Visitor]]:
    """`make_visitor(viewport=DESK, scripts=True)` -> somebody at a browser of their own."""
    made: list[Visitor] = []

    def make(viewport: dict[str, int] | None = None, *, scripts: bool = True) -> Visitor:
        context = chromium.new_context(
            viewport=viewport or DESK, java_script_enabled=scripts, locale="en-GB", reduced_motion="reduce"
        )
        context.set_default_timeout(20_000)
        visitor = Visitor(site, context, context.new_page(), shots, scripts)
        context.on("request", lambda request: _only_here(visitor, request.url))
        visitor.page.on("console", lambda said: _complaint(visitor, said.type, said.text))
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        made.append(visitor)
        return visitor

    yield make
    for visitor in made:
        visitor.context.close()
        assert visitor.complaints == []


@pytest.fixture
def visitor(make_visitor) -> Visitor:
    """Somebody at a desk."""
    return make_visitor()


@pytest.fixture
def phone(make_visitor) -> Visitor:
    """Somebody with a telephone."""
    return make_visitor(PHONE)


@pytest.fixture
def plain(make_visitor) -> Visitor:
    """Somebody whose browser runs no JavaScript."""
    return make_visitor(scripts=False)


def _only_here(visitor: Visitor, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname != LOOPBACK:
        visitor.complaints.append(f"asked another machine: {url}")


def _complaint(visitor: Visitor, kind: str, text: str) -> None:
    is_expected = text.startswith("Failed to load resource: the server responded with a status of 4")
    if kind in ("error", "warning") and not is_expected:
        visitor.complaints.append(text)
