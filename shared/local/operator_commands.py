"""The operator's commands of `partnership`: `topics`, `republish`. Thin, like `cli.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from shared.clock import SystemClock
from shared.errors import PlatformError
from shared.identifiers import new_identifier
from shared.local.operations import Operations, operations
from shared.partnership.model import SERVICES

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".local"),
    show_default=True,
    help="Where data, keys and logs are kept.",
)
organisation_option = click.option("--organisation", required=True, help="The organisation's slug, such as brent.")
service_option = click.option("--service", type=click.Choice(SERVICES), help="Only this service's feeds.")


@click.command()
@state_option
def topics(state: Path) -> None:
    """List the feeds: owner, on the broker or not, events held, events sent."""
    with on_platform(state) as platform:
        click.echo(f"{'topic':<44} {'on broker':<10} {'held':>8} {'sent':>8}")
        for found in platform.topics():
            on_broker = "yes" if found.is_on_broker else "no"
            click.echo(f"{found.topic:<44} {on_broker:<10} {found.numbered:>8} {found.published:>8}")


@click.command()
@state_option
@organisation_option
@service_option
@click.option(
    "--new-generation",
    "is_new_generation",
    is_flag=True,
    help="Say first that the log begins anew: where its first records are gone, or the relay refuses the feed.",
)
def republish(state: Path, organisation: str, service: str | None, *, is_new_generation: bool) -> None:
    """Let an organisation's feeds be sent again from their first event; readers drop what they have."""
    with on_platform(state) as platform:
        count = 0
        for name in platform.republish(organisation, service, is_new_generation=is_new_generation):
            count += 1
            click.echo(f"{name.topic} is sent again by its relay")
        click.echo(f"{count} feeds of {organisation}")


@contextmanager
def on_platform(state: Path) -> Iterator[Operations]:
    """Yield the platform's operations; a platform error ends the command with exit code 1."""
    try:
        with operations(state, SystemClock(), new_identifier) as platform:
            yield platform
    except PlatformError as error:
        click.echo(f"partnership: {error.detail}", err=True)
        sys.exit(1)
