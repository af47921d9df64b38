"""Who emits what and who reads it: the catalogue, the services' subscriptions and the errors agree."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

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

ROOT = Path(__file__).resolve().parents[2]
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
def test_every_declared_type_is_emitted_by_its_service(service):
    """What the catalogue promises of a service, its code can say."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "services" / service).rglob("*.py")))
    for entry in BOOK.catalogue():
        if entry.service == service:
            assert entry.type in text or entry.type.split(".")[1] in text, entry.type


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
