"""What an owner may do with all that is theirs: `partnership export`, `import`, `erase`. Thin, like `cli.py`."""

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
from shared.local.operator_commands import organisation_option, state_option
from shared.local.owning import export_organisation, import_organisation


@click.command("export")
@state_option
@organisation_option
@click.option(
    "--move", is_flag=True, help="Close the feeds here: nobody numbers or sends them from this instance again."
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def export(state: Path, organisation: str, folder: Path, *, move: bool) -> None:
    """Write everything of one organisation into DIR: rows, feeds byte for byte, and how far it has read others."""
    with _on(state) as platform:
        manifest = export_organisation(platform, organisation, folder, say=click.echo, move=move)
        count = sum(one.documents for one in manifest.files)
        click.echo(f"{count} documents of {organisation} in {len(manifest.files)} files; keys are not among them")


@click.command("import")
@state_option
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
def import_(state: Path, folder: Path) -> None:
    """Load an organisation from DIR into this instance's empty databases, and walk every feed anew."""
    sound = True
    with _on(state) as platform:
        for name, verdict in import_organisation(platform, folder, say=click.echo):
            sound = sound and verdict.is_sound
            judgement = "sound" if verdict.is_sound else f"BROKEN at {verdict.first_break}"
            click.echo(f"{name.topic:<44} {verdict.number:>8} events, {verdict.head_hash[:16]}, {judgement}")
    if not sound:
        sys.exit(1)


@click.command("erase")
@state_option
@organisation_option
@click.option("--practitioner", required=True, help="The person's opaque id, as their employer's pages show it.")
@click.option(
    "--basis",
    type=click.Choice(("person_asked", "retention_ended", "never_lawful")),
    default="person_asked",
    show_default=True,
    help="Why.",
)
def erase(state: Path, organisation: str, practitioner: str, basis: str) -> None:
    """Erase a person at their employer, through enrolment's own door, and say who has answered."""
    from shared.local.erasing import erase_person  # its HTTP client is in the local extra

    try:
        told = erase_person(state, organisation, practitioner, basis, SystemClock(), say=click.echo)
    except PlatformError as error:
        click.echo(f"partnership: {error.detail}", err=True)
        sys.exit(1)
    click.echo(f"erasure {told.id} is {told.state}")
    for receipt in told.receipts:
        click.echo(f"  {receipt.by:<40} {receipt.outcome} {receipt.reason_code or ''}".rstrip())
    for name in told.missing:
        click.echo(f"  {name:<40} has not answered yet")
    if told.state != "done":
        sys.exit(1)


@contextmanager
def _on(state: Path) -> Iterator[Operations]:
    """Yield the platform's operations; a platform error ends the command with exit code 1."""
    try:
        with operations(state, SystemClock(), new_identifier) as platform:
            yield platform
    except PlatformError as error:
        click.echo(f"partnership: {error.detail}", err=True)
        sys.exit(1)
