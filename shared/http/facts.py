"""What a view function says of itself: who may call it, what it takes, what it gives. Decorators, no behaviour.

The guard enforces these facts, the OpenAPI document prints them and the role matrix walks them; there is no other
place where a route's promises stand. Decorators may stand in any order below `@routes.route(...)`:

    @scope("enrolments.create")        # or @public("why")
    @accepts(ENROLMENT_IN)             # JSON body, read by load(ENROLMENT_IN)
    @uploads("text/csv", most_bytes=20 * 2**20)     # raw or multipart body
    @asks(FILTERS)                     # query parameters, read by query(FILTERS)
    @paged                             # ?after=&limit=, read by page_of()
    @conditional                       # If-Match, read by if_match(...)
    @returns(201, ENROLMENT_OUT, etag=True)         # one per success status
    @refuses(409, "no seat is free")   # documented refusals beyond the usual ones
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, ParamSpec, TypeVar

from marshmallow import Schema

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]

FACTS: Final = "__route_facts__"
ONE_MEBIBYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Result:
    """One success reply."""

    schema: Schema | None
    content_type: str = "application/json"
    has_etag: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one view says of itself."""

    action: str | None = None
    public_reason: str | None = None
    accepts: Schema | None = None
    upload_types: tuple[str, ...] = ()
    most_bytes: int = ONE_MEBIBYTE
    asks: Schema | None = None
    is_paged: bool = False
    is_conditional: bool = False
    results: Mapping[int, Result] = field(default_factory=dict)
    refusals: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_decided(self) -> bool:
        """Return whether somebody decided who may call this."""
        return bool(self.action) or bool(self.public_reason)


def facts_of(view: Callable[..., Any] | None) -> Facts:
    """Return what `view` says of itself; nothing at all for a stranger."""
    found = getattr(view, FACTS, None)
    return found if isinstance(found, Facts) else Facts()


def _stating(view: Callable[P, R], **changes: Any) -> Callable[P, R]:  # noqa: ANN401 - fields of Facts
    """Return `view` with changed facts."""
    setattr(view, FACTS, replace(facts_of(view), **changes))
    return view


def scope(action: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State the action of the role table that a caller must be allowed."""
    return lambda view: _stating(view, action=action)


def public(reason: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State that nobody need be asked, and why."""
    return lambda view: _stating(view, public_reason=reason)


def accepts(schema: Schema) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State the JSON body."""
    return lambda view: _stating(view, accepts=schema)


def uploads(*content_types: str, most_bytes: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State that the body is a file, raw or as the part `file` of a form, of at most `most_bytes`."""
    return lambda view: _stating(view, upload_types=content_types, most_bytes=most_bytes)


def asks(schema: Schema) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State the query parameters."""
    return lambda view: _stating(view, asks=schema)


def paged(view: Callable[P, R]) -> Callable[P, R]:
    """State that the reply is one page of a list."""
    return _stating(view, is_paged=True)


def conditional(view: Callable[P, R]) -> Callable[P, R]:
    """State that the change needs `If-Match`."""
    return _stating(view, is_conditional=True)


def returns(
    status: int,
    schema: Schema | None = None,
    *,
    content_type: str = "application/json",
    etag: bool = False,
    description: str | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State one success reply."""
    result = Result(schema, content_type, etag, description)
    return lambda view: _stating(view, results={**facts_of(view).results, status: result})


def refuses(status: int, description: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """State a refusal that callers must expect beyond the usual ones."""
    return lambda view: _stating(view, refusals={**facts_of(view).refusals, status: description})
