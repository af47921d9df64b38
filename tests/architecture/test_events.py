"""Who emits what and who reads it: the catalogue, the services' subscriptions and the errors agree."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from shared.errors import (
    ConcurrentChange,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    PlatformError,
    RuleBroken,
    Unavailable,
)
from shared.events.contracts import ContractBook
from shared.events.envelope import Outgoing

SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
BOOK = ContractBook()
KINDS = (ConcurrentChange, Conflict, Forbidden, Malformed, NotFound, RuleBroken, Unavailable, PlatformError)


def subscribed(service: str) -> set[str]:
    """Return the types that a service's reader reacts to, as its own table says."""
    consumed = importlib.import_module(f"services.{service}.messaging.consumed")
    return {row.type for row in consumed.subscriptions(_nobody)}


def _nobody(*_: object) -> None:
    """Stand where a reaction's desk would: the table is looked at, no reaction is called."""


@pytest.mark.parametrize("service", SERVICES)
def test_subscriptions_are_what_the_catalogue_declares(service):
    """Every declared consumer listens, and nobody listens to what the catalogue does not say."""
    declared = {entry.type for entry in BOOK.catalogue() if service in entry.consumers}
    assert subscribed(service) == declared


@pytest.mark.parametrize("service", SERVICES)
def test_every_type_on_a_followed_feed_is_taken_or_ignored_by_name(service):
    """A type that nobody decided about would be parked: that is for the future's types, not for today's."""
    consumed = importlib.import_module(f"services.{service}.messaging.consumed")
    on_feeds = {entry.type for entry in BOOK.catalogue() if entry.feed == "org" and entry.service in consumed.FEEDS}
    undecided = on_feeds - subscribed(service) - set(consumed.IGNORED)
    assert undecided == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_domain_event_has_its_branch_and_its_contract(service):
    """Each event class of a service is spelled as a type of its own; together they are what the catalogue promises."""
    published = importlib.import_module(f"services.{service}.messaging.published")
    spelled = [_spelled(published.outgoing, kind) for kind in domain_events(service)]
    promised = {entry.type: entry.feed for entry in BOOK.catalogue() if entry.service == service}
    assert len(spelled) == len(promised)
    assert {one.type: one.feed for one in spelled} == promised


def domain_events(service: str) -> list[type]:
    """Return the classes of a service's events: all but those that are parts of another."""
    module = importlib.import_module(f"services.{service}.domain.events")
    kinds = [kind for _, kind in inspect.getmembers(module, is_dataclass) if kind.__module__.endswith("events")]
    parts = {part for kind in kinds for hint in get_type_hints(kind).values() for part in (hint, *get_args(hint))}
    return [kind for kind in kinds if kind not in parts]


def _spelled(outgoing: Callable[..., Outgoing], kind: type) -> Outgoing:
    given = (_anything(kind), 1)
    return outgoing(*given[: len(inspect.signature(outgoing).parameters)])


def _anything(hint: Any) -> Any:  # noqa: ANN401 - of whatever type is asked for
    """Return some value of a type."""
    if is_dataclass(hint):
        return hint(**{name: _anything(of) for name, of in get_type_hints(hint).items()})
    kind = get_origin(hint) or hint
    if kind in (Union, UnionType):
        return _anything(get_args(hint)[0])
    plain = {str: "x", date: date(2026, 1, 1), datetime: datetime(2026, 1, 1, tzinfo=UTC), Mapping: {}}
    return plain[kind] if kind in plain else kind()


def platform_errors() -> list[type[PlatformError]]:
    """Return every error class of the services and of shared."""
    found: set[type[PlatformError]] = set()
    for package in ("services", "shared"):
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if module.name.endswith(("__main__", "gunicorn_conf")) or ".testing" in module.name:
                continue
            for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(kind, PlatformError):
                    found.add(kind)
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__name__}")


def test_one_slug_means_one_kind_of_error():
    """A problem's type is stable: the same slug never stands for two HTTP statuses."""
    meanings: dict[str, set[type[PlatformError]]] = {}
    for kind in platform_errors():
        meanings.setdefault(kind.slug, set()).add(next(base for base in kind.__mro__ if base in KINDS))
    assert {slug: kinds for slug, kinds in meanings.items() if len(kinds) > 1} == {}


def test_every_domain_error_names_its_slug():
    """A service's own error does not hide behind the slug of its kind."""
    nameless = [
        f"{kind.__module__}.{kind.__name__}"
        for kind in platform_errors()
        if ".domain." in kind.__module__ and "slug" not in vars(kind) and not kind.__name__.startswith("_")
    ]
    assert nameless == []
