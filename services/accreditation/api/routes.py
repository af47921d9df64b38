"""Shell modules and module instances over HTTP: defined by the university, proposed by partners, decided by it.

Which organisation asks comes from the token alone. There is no route that awards credit.
"""

from __future__ import annotations

from services.accreditation.api import representations as show
from services.accreditation.api.rooms import books, desk
from services.accreditation.api.schemas import (
    APPROVAL_IN,
    INSTANCE_OUT,
    MODULE_IN,
    MODULE_OUT,
    NOTHING_IN,
    PROPOSAL_IN,
)
from services.accreditation.application import handlers, queries
from services.accreditation.application.commands import (
    ApproveInstance,
    DefineModule,
    ProposeInstance,
    RefuseInstance,
)
from services.accreditation.domain.modules import ModuleInstance, Partners, Proposal, Run, ShellModule
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    current_principal,
    current_service,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.partnership.model import DELIVERING_PARTNER, PROGRAMME_LEAD
from shared.storage.unit_of_work import Reading, Work

routes = Routes("modules", description="Shell modules, and their runs by delivering partners.")


@routes.put("/v1/organisations/<org>/shell-modules/<code>")
@scope("shell-modules.define")
@accepts(MODULE_IN)
@conditional
@returns(200, MODULE_OUT, etag=True)
@returns(201, MODULE_OUT, etag=True)
@refuses(409, "a run of the module exists and its credits, level or pass mark would change")
def define_module(org: str, code: str) -> Reply:
    """Set a shell module; the same definition again needs no If-Match and changes nothing."""
    wanted = ShellModule(code=code, **load(MODULE_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.modules.find(code)
        if standing is None or not standing.same_as(wanted):
            if_match(etag_of(standing.version) if standing else None)
        made = handlers.define_module(at, DefineModule(wanted))
        return Reply(200 if standing else 201, show.module(made), etag=etag_of(made.version))

    return transact(org, change)


@routes.get("/v1/organisations/<org>/shell-modules")
@scope("shell-modules.read")
@paged
@returns(200, MODULE_OUT)
def list_modules(org: str) -> Reply:
    """Read the university's shell modules, in order of code."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).modules.page(page.after, page.fetch), lambda module: module.code, show.module
        ),
    )


@routes.get("/v1/organisations/<org>/shell-modules/<code>")
@scope("shell-modules.read")
@returns(200, MODULE_OUT, etag=True)
def get_module(org: str, code: str) -> Reply:
    """Read one shell module."""

    def look(reading: Reading) -> Reply:
        found = queries.shell_module(books(reading), code)
        return Reply(200, show.module(found), etag=etag_of(found.version))

    return read(org, look)


@routes.post("/v1/organisations/<org>/module-instances")
@scope("module-instances.propose")
@accepts(PROPOSAL_IN)
@returns(201, INSTANCE_OUT, etag=True)
@refuses(409, "the cohort has a live instance of this module")
def propose_instance(org: str) -> Reply:
    """Propose a run of a shell module, as the organisation that asks."""
    body = load(PROPOSAL_IN)
    proposal = Proposal(
        module=body["module"],
        run=Run(body["course_owner"], body["course"], body["intake"]),
        proposed_by=current_principal().organisation,
        delivered_by=tuple(dict.fromkeys(body["delivered_by"])),
    )
    command = ProposeInstance(proposal, _partners())
    return transact(org, lambda work: _instance(201, handlers.propose_instance(desk(work), command)))


@routes.get("/v1/organisations/<org>/module-instances")
@scope("module-instances.read")
@paged
@returns(200, INSTANCE_OUT)
def list_instances(org: str) -> Reply:
    """Read module instances; a partner sees those that it proposed or delivers."""
    page, partner = page_of(), _as_partner(org)
    return read(
        org,
        lambda reading: page.reply(
            books(reading).instances.page(page.after, page.fetch, partner),
            lambda instance: instance.instance_id,
            show.instance,
        ),
    )


@routes.get("/v1/organisations/<org>/module-instances/<instance_id>")
@scope("module-instances.read")
@returns(200, INSTANCE_OUT, etag=True)
def get_instance(org: str, instance_id: str) -> Reply:
    """Read one module instance."""
    partner = _as_partner(org)
    return read(org, lambda reading: _instance(200, queries.instance(books(reading), instance_id, partner)))


@routes.post("/v1/organisations/<org>/module-instances/<instance_id>/approve")
@scope("module-instances.decide")
@accepts(APPROVAL_IN)
@returns(200, INSTANCE_OUT, etag=True)
@refuses(409, "it has been decided otherwise")
def approve_instance(org: str, instance_id: str) -> Reply:
    """Approve a run from a day; candidates for whom this was the last fact get their credit."""
    command = ApproveInstance(instance_id, load(APPROVAL_IN)["approved_on"])
    return transact(org, lambda work: _instance(200, handlers.approve_instance(desk(work), command)))


@routes.post("/v1/organisations/<org>/module-instances/<instance_id>/refuse")
@scope("module-instances.decide")
@accepts(NOTHING_IN)
@returns(200, INSTANCE_OUT, etag=True)
@refuses(409, "it has been approved")
def refuse_instance(org: str, instance_id: str) -> Reply:
    """Refuse a run."""
    load(NOTHING_IN)
    command = RefuseInstance(instance_id)
    return transact(org, lambda work: _instance(200, handlers.refuse_instance(desk(work), command)))


def _instance(status: int, instance: ModuleInstance) -> Reply:
    return Reply(status, show.instance(instance), etag=etag_of(instance.version))


def _as_partner(org: str) -> str | None:
    """Return the asking organisation when it is not the university itself."""
    asking = current_principal().organisation
    return None if asking == org else asking


def _partners() -> Partners:
    partnership = current_service().partnership
    delivering = {*partnership.with_role(DELIVERING_PARTNER), *partnership.with_role(PROGRAMME_LEAD)}
    return Partners(everyone=frozenset(partnership.organisations), delivering=frozenset(delivering))
