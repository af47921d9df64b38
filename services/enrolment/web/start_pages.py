"""The first page: where somebody stands who has just signed in."""

from __future__ import annotations

from shared.web import Page, PageRoutes, page

start_pages = PageRoutes("start", __name__)


@start_pages.show("/start", "catalogue.read")
def start() -> Page:
    """Show what somebody can do here."""
    return page("start.html")
