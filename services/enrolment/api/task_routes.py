"""What waits for whom over HTTP: counted, as a feed for machines (JSON pages and Atom), and the e-mail of it."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from services.enrolment.api.rooms import books, desk
from services.enrolment.api.task_schemas import NOTICE_OUT, NOTICE_SETTINGS, OPEN_TASK_OUT, TASKS_OUT
from services.enrolment.application import notices, tasks
from services.enrolment.domain.notices import Notice, NoticeSettings
from services.enrolment.domain.tasks import ROLES, OpenTask, Standing, kind_named
from shared.clock import london_date
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    current_principal,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    read,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Reading, Work

task_routes = Routes("tasks", description="What waits for whom, and the e-mail of it.")

_HERE = "/v1/organisations/<org>"
ATOM = "application/atom+xml"
ATOM_ENTRIES = 200


@task_routes.get(f"{_HERE}/tasks")
@scope("tasks.read")
@returns(200, TASKS_OUT)
def list_tasks(org: str) -> Reply:
    """Read what waits for one's roles: how many of each kind, and since when."""
    roles = _roles()

    def answer(reading: Reading) -> Reply:
        today = london_date(reading.now)
        found = tasks.standings(books(reading), roles)
        return Reply(200, {"on": today, "tasks": [_standing(org, one, one.age(today)) for one in found]})

    return read(org, answer)


@task_routes.get(f"{_HERE}/tasks/items")
@scope("tasks.read")
@paged
@returns(200, OPEN_TASK_OUT)
def list_open_tasks(org: str) -> Reply:
    """Read every single thing that waits for one's roles, kind by kind; an id stays as long as the task does."""
    roles, page = _roles(), page_of()
    return read(
        org,
        lambda reading: page.reply(
            tasks.feed(books(reading), roles, page.after, page.fetch),
            lambda found: found.task_id,
            lambda found: _open_task(org, found),
        ),
    )


@task_routes.get(f"{_HERE}/tasks.atom")
@scope("tasks.read")
@returns(200, content_type=ATOM, description=f"the first {ATOM_ENTRIES} as an Atom feed")
def atom_of_tasks(org: str) -> Reply:
    """Read the same as an Atom feed, for what reads feeds."""
    roles = _roles()

    def answer(reading: Reading) -> Reply:
        found = tasks.feed(books(reading), roles, None, ATOM_ENTRIES)
        return Reply(200, raw=_atom(org, found, reading), content_type=ATOM)

    return read(org, answer)


@task_routes.get(f"{_HERE}/notices")
@scope("notices.read")
@paged
@returns(200, NOTICE_OUT)
def list_notices(org: str) -> Reply:
    """Read which digests were sent, and which were not."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).notices.page(page.after, page.fetch), lambda found: found.notice_id, _notice
        ),
    )


@task_routes.get(f"{_HERE}/notice-settings")
@scope("notices.read")
@returns(200, NOTICE_SETTINGS, etag=True)
def read_notice_settings(org: str) -> Reply:
    """Read to which addresses each role's daily digest goes."""
    return read(org, lambda reading: _settings(200, books(reading).notices.settings()))


@task_routes.put(f"{_HERE}/notice-settings")
@scope("notices.set")
@conditional
@accepts(NOTICE_SETTINGS)
@returns(200, NOTICE_SETTINGS, etag=True)
def set_notice_settings(org: str) -> Reply:
    """Set to which addresses each role's daily digest goes; sent only where the instance has a mail server."""
    wanted = {role: tuple(found) for role, found in load(NOTICE_SETTINGS)["addresses"].items()}

    def change(work: Work) -> Reply:
        at = desk(work)
        known = at.notices.settings()
        if_match(etag_of(known.version), is_default=not known.version)
        return _settings(200, notices.set_addresses(at, known, wanted))

    return transact(org, change)


def _roles() -> list[str]:
    return sorted(current_principal().roles)


def _standing(org: str, found: Standing, age: int | None) -> dict[str, Any]:
    return {
        "kind": found.kind.name,
        "title": found.kind.title,
        "count": found.count,
        "is_more": found.is_more,
        "oldest": found.oldest,
        "age_days": age,
        "href": f"/v1/organisations/{org}/{found.kind.at}",
    }


def _open_task(org: str, found: OpenTask) -> dict[str, Any]:
    return {"id": found.task_id, "kind": found.kind, "since": found.since, "due": found.due, "href": _href(org, found)}


def _href(org: str, found: OpenTask) -> str:
    """Return where one task is looked at: the thing itself, where it has an address."""
    kind = kind_named(found.kind)
    at = kind.at.partition("?")[0]
    return f"/v1/organisations/{org}/{at}/{found.about}" if kind.has_own else f"/v1/organisations/{org}/{kind.at}"


def _notice(found: Notice) -> dict[str, Any]:
    return {
        "id": found.notice_id,
        "role": found.role,
        "day": found.day,
        "state": found.state,
        "tries": found.tries,
    }


def _settings(status: int, found: NoticeSettings) -> Reply:
    shown = {"addresses": {role: list(found.addresses.get(role, ())) for role in ROLES}}
    return Reply(status, shown, etag=etag_of(found.version))


def _atom(org: str, found: list[OpenTask], reading: Reading) -> bytes:
    """Return an Atom document (RFC 4287): ids are names, links are this service's addresses; nobody is named."""
    feed = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    SubElement(feed, "id").text = f"urn:tasks:{org}"
    SubElement(feed, "title").text = f"Tasks of {org}"
    SubElement(feed, "updated").text = reading.now.isoformat().replace("+00:00", "Z")
    SubElement(SubElement(feed, "author"), "name").text = org
    for task in found:
        entry = SubElement(feed, "entry")
        SubElement(entry, "id").text = f"urn:tasks:{org}:{task.task_id}"
        SubElement(entry, "title").text = kind_named(task.kind).title
        SubElement(entry, "updated").text = f"{(task.since or london_date(reading.now)).isoformat()}T00:00:00Z"
        SubElement(entry, "link", {"href": _href(org, task)})
    document: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return document
