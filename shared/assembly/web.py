"""A service's HTTP application, made from its blueprints and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from shared.assembly.parts import hosted_owners, unit_of_work
from shared.clock import SystemClock
from shared.process.settings import LOCAL, CommonSettings
from shared.storage.mongo import Client
from shared.telemetry import metrics

if TYPE_CHECKING:
    from flask import Blueprint, Flask


def make_app(
    service: str, given: CommonSettings, client: Client, *, title: str, blueprints: Sequence[Blueprint]
) -> Flask:
    """Return the application on a client that the caller made, in the worker process, after the fork."""
    from shared.http import ServiceDescription, create_app
    from shared.identity import RoleTable, TokenVerifier

    partnership, clock = given.partnership(), SystemClock()
    metrics.STARTED.labels(service, "api").set(clock.now().timestamp())
    return create_app(
        ServiceDescription(
            name=service,
            title=title,
            version=distribution_version(),
            blueprints=blueprints,
            unit_of_work=unit_of_work(service, given, client),
            partnership=partnership,
            roles=RoleTable.of_service(service),
            verifier=TokenVerifier(given.trusted_issuers_file, service, clock),
            hosted=hosted_owners(service, given, partnership),
            clock=clock,
            is_production=given.profile != LOCAL,
        )
    )


def distribution_version() -> str:
    """Return the distribution's version; a checkout that nobody installed has none."""
    try:
        return version("teaching-partnership")
    except PackageNotFoundError:
        return "0+checkout"
