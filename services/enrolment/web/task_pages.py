"""The first page: what waits for somebody who has just signed in, counted, with its age and a link to it."""

from __future__ import annotations

from typing import Final

from flask import current_app
from werkzeug.exceptions import HTTPException

from services.enrolment.application import tasks as task_list
from services.enrolment.domain.tasks import ROLES, Standing
from services.enrolment.web.rooms import books
from shared.clock import london_date
from shared.storage.unit_of_work import Reading
from shared.web import Page, PageRoutes, page, page_read, who_asks

task_pages = PageRoutes("task_pages", __name__)

PLACES: Final = {
    "to_approve": "/enrolments?status=nominated",
    "offered_seat": "/enrolments?status=offered",
    "unanswered_request": "/enrolments?status=requested",
    "incoming_transfer": "/incoming-transfers",
    "held_snapshot": "/uploads?state=held",
    "file_to_map": "/uploads?state=mapping",
    "unreadable_file": "/uploads?state=failed",
    "checked_file": "/uploads?state=checked",
    "refused_rows": "/uploads?state=completed",
    "duplicate": "/people/duplicates",
    "lapsed_registration": "/people/registrations",
    "erasure_to_decide": "/people/erasures",
    "erasure_without_receipts": "/people/erasures",
    "failed_notice": "/settings/notices",
}
"""Where each kind of task is done; a kind whose page is not there is shown without a link."""


@task_pages.show("/tasks", "catalogue.read")
def tasks() -> Page:
    """Show what waits for the viewer's roles; whoever has no task list is told so."""
    principal = who_asks()
    roles = sorted(principal.roles)
    if not principal.roles & frozenset(ROLES):
        return page("tasks/none.html")

    def answer(reading: Reading) -> Page:
        today = london_date(reading.now)
        found = task_list.standings(books(reading), roles)
        waiting = [_shown(one, one.age(today)) for one in found if one.count]
        nothing = [one.kind.title for one in found if not one.count]
        feed = f"/v1/organisations/{principal.organisation}/tasks"
        return page("tasks/list.html", waiting=waiting, nothing=nothing, today=today, feed=feed)

    return page_read(answer)


def _shown(found: Standing, age: int | None) -> dict[str, str]:
    count = f"more than {found.count:,}" if found.is_more else f"{found.count:,}"
    return {
        "title": found.kind.title,
        "status": f"{count} to do",
        "colour": "blue",
        "hint": _age(age, found.count),
        "href": _address(found.kind.name),
    }


def _age(days: int | None, count: int) -> str:
    if days is None:
        return ""
    since = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
    return f"Waiting since {since}" if count == 1 else f"The oldest has waited since {since}"


def _address(kind: str) -> str:
    address = PLACES.get(kind, "")
    try:
        current_app.url_map.bind("").match(address.partition("?")[0], method="GET")
    except HTTPException:
        return ""
    return address
