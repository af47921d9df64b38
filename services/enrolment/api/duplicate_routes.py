"""Records that may be one person over HTTP: found, merged, split, kept apart. For an employer's HR only."""

from __future__ import annotations

from services.enrolment.api import people_views as show
from services.enrolment.api.people_schemas import APART_IN, DUPLICATE_OUT, MERGE_IN, SPLIT_IN
from services.enrolment.api.practitioner_schemas import PRACTITIONER_OUT
from services.enrolment.api.rooms import books, desk
from services.enrolment.application import duplicates, people
from services.enrolment.application.ports import Books
from services.enrolment.application.register_checks import registration_of
from services.enrolment.domain.practitioners import Practitioner, on_day
from shared.http import (
    Reply,
    Routes,
    accepts,
    etag_of,
    load,
    page_of,
    paged,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Work

duplicate_routes = Routes("practitioner-duplicates", description="Records of one employer that may be one person.")

_DUPLICATES = "/v1/organisations/<org>/practitioner-duplicates"


@duplicate_routes.get(_DUPLICATES)
@scope("practitioners.merge")
@paged
@returns(200, DUPLICATE_OUT)
def list_duplicates(org: str) -> Reply:
    """Read who may be one person and why: the same number, the same name and birth, or the same e-mail address."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            duplicates.duplicates(books(reading), page.after, page.fetch), lambda found: found.pair, show.duplicate
        ),
    )


@duplicate_routes.post(f"{_DUPLICATES}/merge")
@scope("practitioners.merge")
@accepts(MERGE_IN)
@returns(200, PRACTITIONER_OUT, etag=True)
@refuses(409, "they are one already, or both hold a live enrolment in one cohort")
def merge(org: str) -> Reply:
    """Let one person's reference and id lead to another's, for ever; nothing is deleted or moved."""
    body = load(MERGE_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        return _shown(at, duplicates.merge(at, body["into"], body["merged"]))

    return transact(org, change)


@duplicate_routes.post(f"{_DUPLICATES}/split")
@scope("practitioners.merge")
@accepts(SPLIT_IN)
@returns(200, PRACTITIONER_OUT, etag=True)
@refuses(409, "this person was not merged into another")
def split(org: str) -> Reply:
    """Let a merged person be their own again, with all that was theirs."""
    body = load(SPLIT_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        return _shown(at, duplicates.split(at, body["merged"]))

    return transact(org, change)


@duplicate_routes.post(f"{_DUPLICATES}/keep-apart")
@scope("practitioners.merge")
@accepts(APART_IN)
@returns(204)
@refuses(409, "they were merged")
def keep_apart(org: str) -> Reply:
    """Say that two people who are alike are two; they are not listed again."""
    body = load(APART_IN)

    def change(work: Work) -> Reply:
        duplicates.keep_apart(desk(work), body["one"], body["other"])
        return Reply(204)

    return transact(org, change)


def _shown(at: Books, found: Practitioner) -> Reply:
    today = people.telling_now(at).today
    body = show.practitioner(on_day(found, today), registration_of(at, found), today)
    return Reply(200, body, etag=etag_of(found.version))
