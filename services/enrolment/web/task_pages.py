"""The first page: what waits for somebody who has just signed in, counted, with its age and a link to it."""

from __future__ import annotations

from shared.web import Page, PageRoutes, page

task_pages = PageRoutes("task_pages", __name__)


@task_pages.show("/tasks", "catalogue.read")
def tasks() -> Page:
    """Show what waits for the viewer's roles."""
    return page("tasks/list.html")
