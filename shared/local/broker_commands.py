"""`partnership provision`: the broker's users and rights, from the partnership file. Thin, like `cli.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from environs import Env

from shared.errors import Malformed, PlatformError
from shared.events.access import Grant, grants, instances
from shared.local.provisioning import Change, Provisioning, how_to_connect, keep_passwords
from shared.partnership import load
from shared.process.settings import read_kafka_config


@click.command()
@click.option(
    "--partnership",
    "partnership_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The partnership file.",
)
@click.option(
    "--instance",
    "told",
    multiple=True,
    metavar="NAME[=ORG,ORG...]",
    help="An instance and whom it hosts (everybody without a list); whoever is not named runs one of their own name.",
)
@click.option(
    "--users",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A folder for the users' files, each the KAFKA_CONFIG_FILE of one process; a file that is there is kept.",
)
@click.option("--check", "only_look", is_flag=True, help="Change nothing; exit with 1 where something differs.")
def provision(partnership_file: Path, told: tuple[str, ...], users: Path, *, only_look: bool) -> None:
    """Give the broker its users and rights: who writes where, and who reads what, as the partnership file says.

    KAFKA_BOOTSTRAP_SERVERS and KAFKA_CONFIG_FILE say where the broker is and how its own operator connects. May be run
    again at any time: what is there stays, what the file no longer says is taken back.
    """
    try:
        partnership = load(partnership_file)
        wanted = grants(partnership, instances(partnership, _hosting(told)))
        sys.exit(_provision(wanted, users, only_look=only_look))
    except PlatformError as error:
        click.echo(f"partnership: {error.detail}", err=True)
        sys.exit(1)


def _provision(wanted: frozenset[Grant], folder: Path, *, only_look: bool) -> int:
    env = Env()
    servers, file = env.str("KAFKA_BOOTSTRAP_SERVERS", ""), env.str("KAFKA_CONFIG_FILE", "")
    if not (servers and file):
        raise Malformed("KAFKA_BOOTSTRAP_SERVERS and the cluster operator's KAFKA_CONFIG_FILE are needed")
    config = read_kafka_config(Path(file))
    provisioning = Provisioning(servers, config)
    try:
        change = provisioning.look(wanted)
        _tell(change)
        if only_look:
            return 0 if change.is_empty() else 1
        provisioning.make(change, keep_passwords(folder, change.users, how_to_connect(config)))
        click.echo(f"done; the users' files are in {folder}")
        return 0
    finally:
        provisioning.close()


def _hosting(told: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in told:
        name, _, hosts = one.partition("=")
        if name in found:
            raise Malformed(f"instance {name} is told of twice")
        found[name] = [slug.strip() for slug in hosts.split(",") if slug.strip()]
    return found


def _tell(change: Change) -> None:
    for grant in sorted(change.given, key=lambda one: (one.user, one.kind.value, one.name, one.right.value)):
        names = f"{grant.name}*" if grant.is_prefix else grant.name
        click.echo(f"give       {grant.user:<28} {grant.right.value} {grant.kind.value} {names}")
    for acl in sorted(change.taken_back, key=str):
        held = acl.resource_pattern
        click.echo(f"take back  {acl.principal:<28} {acl.operation.name.lower()} {held.resource_name}")
    for name in change.users_gone:
        click.echo(f"delete     {name}")
    given, taken, gone = len(change.given), len(change.taken_back), len(change.users_gone)
    click.echo(f"{len(change.users)} users, {given} rights to give, {taken} to take back, {gone} users to delete")
