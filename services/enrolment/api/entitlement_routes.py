"""Time to learn over HTTP: access of an employer's people, the ASYE support package, days of CPD."""

from __future__ import annotations

from services.enrolment.api import people_views as show
from services.enrolment.api.people_schemas import (
    ACCESS_ASKED,
    ACCESS_OUT,
    AGREEMENT_IN,
    ASYE_SUPPORT_OUT,
    CPD_ENTITLEMENT,
    CPD_ITEM_IN,
    CPD_ITEM_OUT,
    CPD_STATEMENT_OUT,
)
from services.enrolment.api.practitioner_schemas import ON_ASKED
from services.enrolment.api.rooms import books, desk
from services.enrolment.application import entitlements
from services.enrolment.domain.entitlements import AsyeSupport, CpdEntitlement, CpdItem
from services.enrolment.domain.errors import NoSuchThing
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    current_principal,
    load,
    query,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Reading, Work

entitlement_routes = Routes("entitlements", description="Time to learn: who gets it, who is owed it, who used it.")

_ORGANISATION = "/v1/organisations/<org>"
_SEES_ALL = frozenset({"hr", "supervisor"})
_PERSON = f"{_ORGANISATION}/practitioners/<employee_ref>"


@entitlement_routes.get(f"{_ORGANISATION}/access-summary")
@scope("access.read")
@asks(ACCESS_ASKED)
@returns(200, ACCESS_OUT)
def access_summary(org: str) -> Reply:
    """Read how many of one's own people were nominated and had places, by level, team and share of full time."""
    asked = query(ACCESS_ASKED)
    from_on = asked.get("from_on")

    def answer(reading: Reading) -> Reply:
        day, groups = entitlements.access_summary(books(reading), from_on, asked.get("until_on"))
        return Reply(200, show.plain({"from_on": from_on, "until_on": day, "groups": groups}))

    return read(org, answer)


@entitlement_routes.get(f"{_PERSON}/asye-support")
@scope("entitlements.read")
@asks(ON_ASKED)
@returns(200, ASYE_SUPPORT_OUT)
@refuses(422, "the person is not newly qualified, or not employed, on that day")
def read_asye_support(org: str, employee_ref: str) -> Reply:
    """Read a newly qualified person's protected time, workload, development plan and supervision; or one's own."""
    _only_own(employee_ref)
    on = query(ON_ASKED).get("on")
    return read(org, lambda reading: _support(entitlements.asye_support(books(reading), employee_ref, on)))


@entitlement_routes.put(f"{_PERSON}/asye-support")
@scope("entitlements.set")
@accepts(AGREEMENT_IN)
@returns(200, ASYE_SUPPORT_OUT)
@refuses(422, "the person is not newly qualified, or not employed")
def agree_asye_support(org: str, employee_ref: str) -> Reply:
    """Keep what was agreed with a newly qualified person, and when their development plan was spoken about."""
    body = load(AGREEMENT_IN)
    protected, workload = body["protected_time_percent"], body["workload_percent"]
    held = tuple(body["pdp_held_on"])
    return transact(
        org,
        lambda work: _support(entitlements.agree_support(desk(work), employee_ref, protected, workload, held)),
    )


@entitlement_routes.get(f"{_ORGANISATION}/cpd-entitlement")
@scope("entitlements.read")
@returns(200, CPD_ENTITLEMENT)
def read_cpd_entitlement(org: str) -> Reply:
    """Read how many days of formal and informal CPD a year everybody has."""

    def answer(reading: Reading) -> Reply:
        found = books(reading).entitlements.cpd()
        if found is None:
            raise NoSuchThing("the employer has set nothing")
        return Reply(200, show.plain(found))

    return read(org, answer)


@entitlement_routes.put(f"{_ORGANISATION}/cpd-entitlement")
@scope("entitlements.set")
@accepts(CPD_ENTITLEMENT)
@returns(200, CPD_ENTITLEMENT)
def set_cpd_entitlement(org: str) -> Reply:
    """Set how many days of formal and informal CPD a year everybody has."""
    body = load(CPD_ENTITLEMENT)
    wanted = CpdEntitlement(
        formal_days=_text(body["formal_days"]),
        informal_days=_text(body["informal_days"]),
        is_pro_rata=body["is_pro_rata"],
    )
    return transact(org, lambda work: Reply(200, show.plain(entitlements.set_cpd(desk(work), wanted))))


@entitlement_routes.get(f"{_PERSON}/cpd")
@scope("entitlements.read")
@asks(ON_ASKED)
@returns(200, CPD_STATEMENT_OUT)
def read_cpd(org: str, employee_ref: str) -> Reply:
    """Read a person's entitlement, used days and courses of a registration year; or one's own."""
    _only_own(employee_ref)
    on = query(ON_ASKED).get("on")
    return read(
        org,
        lambda reading: Reply(200, show.cpd_statement(entitlements.cpd_statement(books(reading), employee_ref, on))),
    )


@entitlement_routes.post(f"{_PERSON}/cpd-items")
@scope("entitlements.record")
@accepts(CPD_ITEM_IN)
@returns(201, CPD_ITEM_OUT)
def record_cpd(org: str, employee_ref: str) -> Reply:
    """Record days that somebody used to learn, formally or not; or that one used oneself."""
    _only_own(employee_ref)
    body = load(CPD_ITEM_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        item = CpdItem(at.new_id(), "", **{**body, "days": _text(body["days"])})
        kept = show.plain(entitlements.record_cpd(at, employee_ref, item))
        return Reply(201, {name: value for name, value in kept.items() if name != "practitioner_id"})

    return transact(org, change)


def _support(found: AsyeSupport) -> Reply:
    body = show.plain(found)
    if body["agreement"] is not None:
        del body["agreement"]["practitioner_id"]
    return Reply(200, body)


def _text(days: object) -> str:
    return str(days)


def _only_own(employee_ref: str) -> None:
    """Refuse a practitioner who asks for somebody else, as if there were nobody."""
    principal = current_principal()
    if not principal.roles & _SEES_ALL and principal.subject != employee_ref:
        raise NoSuchThing("another person")
