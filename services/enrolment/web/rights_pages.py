"""The rights of people: access report, erasure by two persons with its receipts; registrations."""

from __future__ import annotations

import json
from typing import Final

import msgspec
from flask import Response, make_response, request

from services.enrolment.application import access_requests, erasure
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain.erasures import ASKED, BASES, REFUSALS, Erasure
from services.enrolment.domain.erasures import DONE as ERASED
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.practitioners import on_day
from services.enrolment.domain.registrations import LAPSED, NOT_CHECKED, STATUSES
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web import people_wording
from services.enrolment.web.asking import may_do, refused, today, with_query
from services.enrolment.web.people_pages import name_of
from services.enrolment.web.rooms import books, desk, names
from shared.errors import Conflict, Forbidden, RuleBroken
from shared.http import Choice, StrictSchema, current_service
from shared.storage.unit_of_work import Reading, Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

rights_pages = PageRoutes("rights_pages", __name__)

ON_A_PAGE: Final = 50
DONE: Final = {
    "asked": "The erasure is asked for. A second person has to approve it.",
    "approve": "The erasure is approved and under way.",
    "refuse": "The erasure is refused.",
    "is-back": "The person is back. They can be nominated again, with nothing of the past.",
}


class EraseForm(StrictSchema):
    """Why somebody is to be erased."""

    basis = Choice(BASES, required=True)


class DecisionForm(StrictSchema):
    """Whether an erasure is approved, or refused and why."""

    decision = Choice(("approve", "refuse"), required=True)
    reason = Choice(REFUSALS, load_default=None)


ERASE, DECISION, NOTHING = EraseForm(), DecisionForm(), StrictSchema()


@rights_pages.show("/people/<practitioner_id>/access-report", "practitioners.access-report")
def access_report(practitioner_id: str) -> Response:
    """Return everything that is held of one person, for the person, as a file."""

    def answer(reading: Reading) -> bytes:
        at, principal = books(reading), who_asks()
        if "hr" not in principal.roles and at.person_id(principal.subject) != practitioner_id:
            raise NoSuchThing("another person")
        found = msgspec.to_builtins(access_requests.access_report(at, practitioner_id))
        return json.dumps(found, ensure_ascii=False, indent=2).encode()

    response = make_response(page_read(answer))
    response.headers["Content-Type"] = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="access-report.json"'
    return response


@rights_pages.show("/people/<practitioner_id>/erase", "practitioners.erase")
def erase(practitioner_id: str) -> Page:
    """Ask why somebody is to be erased."""
    return page_read(lambda reading: _erase_form(books(reading), practitioner_id, blank()))


@rights_pages.act("/people/<practitioner_id>/erase", "practitioners.erase")
def ask_to_erase(practitioner_id: str) -> Page | Response:
    """Ask for somebody to be erased; a second person approves it."""
    form = submitted(ERASE, {"basis": "Choose why"})
    if form.errors:
        return page_read(lambda reading: _erase_form(books(reading), practitioner_id, form))
    principal = who_asks()
    expected = erasure.who_answers(current_service().partnership, principal.organisation)

    def change(work: Work) -> str:
        at = desk(work)
        asked = erasure.ask(at, practitioner_id, form.values["basis"], at.person_id(principal.subject), expected)
        return with_query(f"/people/erasures/{asked.erasure_id}", done="asked")

    try:
        return page_transact(change)
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error)
        return page_read(lambda reading: _erase_form(books(reading), practitioner_id, wrong))


@rights_pages.show("/people/erasures", "erasures.read")
def erasures() -> Page:
    """Show every erasure, oldest first; nobody is named."""
    found = page_read(lambda reading: books(reading).erasures.page(request.args.get("after"), ON_A_PAGE + 1))
    more = found[ON_A_PAGE - 1].erasure_id if len(found) > ON_A_PAGE else None
    rows = [
        [
            {"text": one.erasure_id, "href": f"/people/erasures/{one.erasure_id}"},
            people_wording.BASES[one.basis],
            {"at": one.asked_at},
            f"{len(one.receipts)} of {len(one.expected)}",
            {"tag": people_wording.ERASURE_TAGS[one.state]},
        ]
        for one in found[:ON_A_PAGE]
    ]
    return page("people/erasures.html", rows=rows, next=with_query("/people/erasures", after=more) if more else None)


@rights_pages.show("/people/erasures/<erasure_id>", "erasures.read")
def one_erasure(erasure_id: str) -> Page:
    """Show one erasure: which services answered, and the decision to a second person."""
    return page_read(lambda reading: _erasure(books(reading), erasure_id, blank()))


@rights_pages.act("/people/erasures/<erasure_id>", "erasures.decide")
def decide(erasure_id: str) -> Page | Response:
    """Approve an erasure that somebody else asked for, or refuse it."""
    form = submitted(DECISION, {"decision": "Choose whether the person is erased"})
    if not form.errors and form.values["decision"] == "refuse" and form.values["reason"] is None:
        form = form.with_error("reason", "Choose why it is refused")
    if form.errors:
        return page_read(lambda reading: _erasure(books(reading), erasure_id, form))

    def change(work: Work) -> str:
        at = desk(work)
        _decided(at, erasure_id, form)
        return with_query(f"/people/erasures/{erasure_id}", done=form.values["decision"])

    try:
        return page_transact(change)
    except (RuleBroken, Conflict, Forbidden) as error:
        wrong = refused(form, error, (("second person", "decision"),))
        return page_read(lambda reading: _erasure(books(reading), erasure_id, wrong))


@rights_pages.show("/people/erasures/<erasure_id>/is-back", "erasures.decide")
def ask_if_back(erasure_id: str) -> Page:
    """Ask whether somebody who was erased works here again."""

    def shown(at: Books) -> Page:
        found = at.erasures.find(erasure_id)
        if found is None:
            raise NoSuchThing("no such erasure")
        return page("people/is_back.html", form=blank(), found=found)

    return page_read(lambda reading: shown(books(reading)))


@rights_pages.act("/people/erasures/<erasure_id>/is-back", "erasures.decide")
def person_is_back(erasure_id: str) -> Page | Response:
    """Let somebody who was erased be taken again under the same reference."""
    form = submitted(NOTHING)

    def change(work: Work) -> str:
        erasure.welcome_back(desk(work), erasure_id)
        return with_query(f"/people/erasures/{erasure_id}", done="is-back")

    try:
        return page_transact(change)
    except Conflict as error:
        wrong = refused(form, error)
        return page_read(lambda reading: _erasure(books(reading), erasure_id, wrong))


def _decided(at: Desk, erasure_id: str, form: Form) -> Erasure:
    if at.erasures.find(erasure_id) is None:
        raise NoSuchThing("no such erasure")
    by = at.person_id(who_asks().subject)
    if form.values["decision"] == "approve":
        return erasure.approve(at, erasure_id, by)
    return erasure.refuse(at, erasure_id, by, form.values["reason"])


def _erase_form(at: Books, practitioner_id: str, form: Form) -> Page:
    found = at.people.find(practitioner_id)
    if found is None:
        raise NoSuchThing("no such practitioner")
    bases = list(people_wording.BASES.items())
    return page("people/erase.html", form=form, found=found, name=name_of(on_day(found, today())), bases=bases)


def _erasure(at: Books, erasure_id: str, form: Form) -> Page:
    found = at.erasures.find(erasure_id)
    if found is None:
        raise NoSuchThing("no such erasure")
    person = at.people.find(found.practitioner_id) if may_do("practitioners.read") else None
    return page(
        "people/erasure.html",
        form=form,
        found=found,
        tag=people_wording.ERASURE_TAGS[found.state],
        basis=people_wording.BASES[found.basis],
        refusal=people_wording.REFUSALS.get(found.refusal or ""),
        name=name_of(on_day(person, today())) if person else None,
        receipts=[[_service(one.by), words.said({}, one.outcome), {"at": one.at}] for one in found.receipts],
        missing=[_service(one) for one in found.missing] if found.erased_on else [],
        refusals=list(people_wording.REFUSALS.items()),
        may_decide=found.state == ASKED and may_do("erasures.decide"),
        may_return=found.state == ERASED and bool(found.receipts or not found.expected) and may_do("erasures.decide"),
        is_own=found.asked_by == at.person_id(who_asks().subject),
        done=DONE.get(request.args.get("done", "")),
    )


def _service(name: str) -> str:
    """Return who answers, `assessment/brent`, in words."""
    service, _, organisation = name.partition("/")
    return f"{service.capitalize()} of {names().get(organisation, organisation)}"


@rights_pages.show("/people/registrations", "registrations.read")
def registrations() -> Page:
    """Show whose registration stands how, by the last register file."""
    asked = request.args.get("status", LAPSED)
    status = asked if asked in STATUSES and asked != NOT_CHECKED else LAPSED

    def answer(at: Books) -> Page:
        found = at.registrations.page(status, request.args.get("after"), ON_A_PAGE + 1)
        people = at.people.many([one.practitioner_id for one in found]) if may_do("practitioners.read") else {}
        rows = []
        for one in found[:ON_A_PAGE]:
            person, last = people.get(one.practitioner_id), one.findings[-1]
            name = name_of(on_day(person, today())) if person else one.practitioner_id
            link = {"text": name, "href": f"/people/{one.practitioner_id}"} if person else name
            until = {"on": last.registered_until}
            rows.append(
                [link, until, {"on": last.last_checked_on}, {"tag": people_wording.REGISTRATION_TAGS[one.status]}]
            )
        more = found[ON_A_PAGE - 1].practitioner_id if len(found) > ON_A_PAGE else None
        return page(
            "people/registrations.html",
            form=blank(status=status),
            statuses=[(code, people_wording.REGISTRATION_TAGS[code][0]) for code in STATUSES if code != NOT_CHECKED],
            rows=rows,
            may_check=may_do("registrations.check"),
            next=with_query("/people/registrations", status=status, after=more) if more else None,
        )

    return page_read(lambda reading: answer(books(reading)))
