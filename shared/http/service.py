"""What an HTTP application is made of, and how views reach it: the description, the principal, the two doors.

`transact` and `read` are the only ways from a view to an organisation's database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, g, request

from shared.errors import NotFound
from shared.events.envelope import Cause
from shared.http.idempotency import COLLECTION, Idempotency
from shared.http.replies import Reply
from shared.identity import Principal, RoleTable, TokenVerifier
from shared.partnership.model import Partnership
from shared.storage.contents import Contents
from shared.storage.unit_of_work import Reading, UnitOfWork, Work
from shared.telemetry import correlation

if TYPE_CHECKING:
    from shared.clock import Clock

EXTENSION = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDescription:
    """Everything that `create_app` needs. Made in a service's bootstrap, in the worker process, after fork.

    `hosted` are the organisations that this instance serves; others of the partnership are not found here.
    `cursor_key` defaults to one derived from the service's name: cursors are then checked, not secret.
    """

    name: str
    title: str
    version: str
    blueprints: Sequence[Blueprint]
    unit_of_work: UnitOfWork
    partnership: Partnership
    roles: RoleTable
    verifier: TokenVerifier
    hosted: Collection[str]
    clock: Clock
    ready: Callable[[], bool] | None = None
    is_production: bool = False
    cursor_key: bytes | None = field(default=None, repr=False)


def current_service() -> ServiceDescription:
    """Return the description that the running application was made from."""
    description: ServiceDescription = current_app.extensions[EXTENSION]
    return description


def current_principal() -> Principal:
    """Return who is asking. Only in views with a `scope`; a public view has nobody to ask for."""
    principal: Principal | None = g.get("principal")
    if principal is None:
        raise RuntimeError(f"{request.endpoint} is public: nobody was asked who they are")
    return principal


def must_be_hosted(organisation: str) -> None:
    """Refuse what this instance does not serve.

    Raises:
        NotFound: with the same body as anything absent.
    """
    if organisation not in current_service().hosted:
        raise NotFound("not hosted here")


def read(organisation: str, callback: Callable[[Reading], Reply]) -> Reply:
    """Return what `callback` makes of `organisation`'s data, read outside any transaction. For GETs."""
    must_be_hosted(organisation)
    return callback(current_service().unit_of_work.reading(organisation))


def keep_content(organisation: str, content: bytes) -> str:
    """Keep an uploaded file and return its id, for the transaction that follows to name; unnamed it is swept away.

    Raises:
        Unavailable: the database does not answer (503).
    """
    must_be_hosted(organisation)
    return Contents(current_service().unit_of_work, organisation).keep(content)


def kept_content(organisation: str, content_id: str) -> bytes:
    """Return a file that was kept; one that is no longer there is no bytes.

    Raises:
        Unavailable: the database does not answer (503).
    """
    must_be_hosted(organisation)
    return Contents(current_service().unit_of_work, organisation).read(content_id)


def transact(organisation: str, callback: Callable[[Work], Reply]) -> Reply:
    """Return what `callback` did in one transaction in `organisation`'s database.

    `callback` may run more than once and must be pure apart from its `Work`. A POST transacts once; its reply is stored
    under the Idempotency-Key in the same transaction: the same request again gets the same reply, one effect.

    A callback that changes something emits an event, or says by `work.silent("why")` that nobody need know. One that
    does neither is a bug and nothing of it is committed, in production as in tests: a 500 can be asked again once the
    bug is gone, but a change that partners were not told of is lost to them for ever.

    Raises:
        KeyReused: the key came before with another request (422).
        ConcurrentChange: others kept changing the same things (409).
        Unavailable: the database does not answer (503).
    """
    must_be_hosted(organisation)
    if request.method != "POST":
        return current_service().unit_of_work.run(
            organisation, _telling(callback), cause=cause_of_request(), together=True
        )
    return transact_keyed(organisation, callback)


def transact_keyed(
    organisation: str, callback: Callable[[Work], Reply], key: str = "", content_hash: str = ""
) -> Reply:
    """Return what `callback` did in one transaction, once for a key: the request's own, or that of a page's form.

    Raises:
        PlatformError: as `transact`.
    """
    must_be_hosted(organisation)
    if g.get("has_transacted"):
        raise RuntimeError(f"{request.endpoint} transacts twice: one POST, one key, one transaction")
    g.has_transacted = True
    unit, asking = current_service().unit_of_work, current_principal().organisation
    once = Idempotency(unit, organisation, asking, key=key, content_hash=content_hash)
    return once.run(_telling(callback), cause_of_request())


def carry_on(organisation: str, step: Callable[[Work], bool]) -> None:
    """Run `step` in transactions of its own, one after the other, until it returns False: there is nothing more to do.

    For what follows from a change that `transact` has taken and is too much for one transaction. Each step finds by
    itself where the last one that was committed left off, and may run more than once; a process that ends in between
    leaves the rest undone, so what was taken must show that it is not finished. Steps tell or say why not, as ever.
    """
    must_be_hosted(organisation)
    unit, cause = current_service().unit_of_work, cause_of_request()

    def held_to_account(work: Work) -> bool:
        goes_on = step(work)
        work.before_commit(lambda: _must_have_told(work))
        return goes_on

    while unit.run(organisation, held_to_account, cause=cause, together=True):
        pass


def _telling(callback: Callable[[Work], Reply]) -> Callable[[Work], Reply]:
    """Return `callback`, held to account before it is committed: after the writes that it left for the end."""

    def told(work: Work) -> Reply:
        reply = callback(work)
        work.before_commit(lambda: _must_have_told(work))
        return reply

    return told


def _must_have_told(work: Work) -> None:
    changed = sorted(work.changed - {COLLECTION})
    if changed and not work.emitted and work.silence is None:
        raise RuntimeError(f"{request.endpoint} changed {', '.join(changed)}, emitted nothing and gave no reason")


def cause_of_request() -> Cause:
    """Return why this request's commits happen, for the events that they emit."""
    known = correlation.current()
    return Cause(known.correlation_id, None, known.traceparent)
