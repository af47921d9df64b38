"""HTTP, the same for every service: application, routes, strict bodies, problems, idempotency, paging, health.

No word of the domain, no query. Services write, in `api/routes.py`:

    from shared.http import Reply, Routes, accepts, current_principal, etag_of, load, returns, scope, transact

    routes = Routes("enrolments")

    @routes.post("/v1/organisations/<org>/enrolments")
    @scope("enrolments.create")                       # an action of shared/contracts/roles/<service>.yaml
    @accepts(ENROLMENT_IN)                            # instance of a StrictSchema subclass, made once at import
    @returns(201, ENROLMENT_OUT, etag=True)
    def create(org: str) -> Reply: ...

Signatures:

    create_app(ServiceDescription(name=, title=, version=, blueprints=, unit_of_work=, partnership=, roles=, verifier=,
               hosted=, clock=, ready=None, is_production=False, cursor_key=None)) -> Flask
    Routes(name, *, description="")  .get/.post/.put/.patch/.delete(rule) -> decorator
    scope(action) public(reason) accepts(schema) asks(schema) uploads(*content_types, most_bytes=) paged conditional
    returns(status, schema=None, *, content_type="application/json", etag=False, description=None) refuses(status, text)
    current_principal() -> Principal ; current_service() -> ServiceDescription
    carry_on(organisation, Callable[[Work], bool])  (small transactions after the one that was answered)
    transact(organisation, Callable[[Work], Reply]) -> Reply ; read(organisation, Callable[[Reading], Reply]) -> Reply
    Reply(status, body=None, etag=None, location=None, raw=None, content_type=..., filename=None)
    load(schema) -> dict ; query(schema) -> dict ; uploaded() -> Upload(content, content_type, filename)
    page_of() -> Page(after: str | None, limit: int) .fetch .reply(rows, position, show) ; cursor_for(position) -> str
    etag_of(version) -> str ; if_match(current_etag: str | None) -> None
    routes_without_decision(app) ; unlisted_actions(app, roles) ; shared.http.matrix.matrix_cells(app)

The guard refuses query parameters that a route does not state (`asks`, `paged`), and POSTs without Idempotency-Key.
"""

from shared.http.app import create_app
from shared.http.bodies import Upload, load, query, uploaded
from shared.http.facts import accepts, asks, conditional, paged, public, refuses, returns, scope, uploads
from shared.http.fields import (
    Choice,
    CivilDate,
    Exact,
    Flag,
    Identifier,
    Instant,
    Items,
    Part,
    Slug,
    StrictSchema,
    Table,
    Text,
    Whole,
    WholeText,
)
from shared.http.paging import Page, cursor_for, page_of
from shared.http.replies import Reply, etag_of, if_match
from shared.http.routes import Routes, routes_without_decision, unlisted_actions
from shared.http.service import (
    ServiceDescription,
    carry_on,
    current_principal,
    current_service,
    keep_content,
    kept_content,
    read,
    transact,
)

__all__ = [
    "Choice",
    "CivilDate",
    "Exact",
    "Flag",
    "Identifier",
    "Instant",
    "Items",
    "Page",
    "Part",
    "Reply",
    "Routes",
    "ServiceDescription",
    "Slug",
    "StrictSchema",
    "Table",
    "Text",
    "Upload",
    "Whole",
    "WholeText",
    "accepts",
    "asks",
    "carry_on",
    "conditional",
    "create_app",
    "current_principal",
    "current_service",
    "cursor_for",
    "etag_of",
    "if_match",
    "keep_content",
    "kept_content",
    "load",
    "page_of",
    "paged",
    "public",
    "query",
    "read",
    "refuses",
    "returns",
    "routes_without_decision",
    "scope",
    "transact",
    "unlisted_actions",
    "uploaded",
    "uploads",
]
