"""The `partnership` command. Thin: it reads options, says what went wrong, and returns 0 done, 1 failed, 2 wrong usage.

What a command does lives beside it in `shared.local`; nothing here knows a rule.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import click
from environs import Env

from shared.clock import SystemClock
from shared.errors import Malformed, PlatformError, Unavailable
from shared.identifiers import new_identifier
from shared.local import backbone as backbones
from shared.local.broker_commands import provision
from shared.local.completeness_commands import adopt_feed, freshness, recover_feed, verify_feed
from shared.local.fresh import refuse_yesterday
from shared.local.issuer import LocalIssuer
from shared.local.operator_commands import republish, state_option, topics
from shared.local.owner_commands import erase, export, import_
from shared.local.parking_commands import parked
from shared.local.platform import ROOT, Place, RunningPlatform, alone, running
from shared.local.ports import DEFAULT_BASE
from shared.local.rebuild_commands import rebuild
from shared.partnership import load
from shared.partnership.model import SERVICES
from shared.process.settings import LOCAL

DEFAULT_SCENARIO = ROOT / "scenarios" / "north-west-london"
PARTNERSHIP_FILE = "partnership.yaml"
PAGES = ("enrolment", "reporting")

backbone_option = click.option(
    "--backbone",
    type=click.Choice(backbones.CHOICES),
    help="Where events and documents are kept; external when KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI are set.",
)


users_option = click.option(
    "--kafka-users",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with a file per user of the broker, as `partnership provision --instance local` made it.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run and look after a teaching partnership's platform."""


@main.command()
@backbone_option
@users_option
@state_option
@click.option(
    "--partnership",
    "partnership_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=DEFAULT_SCENARIO / PARTNERSHIP_FILE,
    help="The partnership file; by default North West London's.",
)
def up(backbone: str | None, kafka_users: Path | None, state: Path, partnership_file: Path) -> None:
    """Start the four services with what they held yesterday, and keep them running until Ctrl-C."""
    place = Place(directory=state, partnership_file=partnership_file, port_base=_port_base())
    sys.exit(_run(place, Asked(backbone, kafka_users), state / "data", None))


@main.command()
@backbone_option
@users_option
@state_option
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=DEFAULT_SCENARIO,
    help="The scenario folder to play; by default North West London's term.",
)
@click.option("--exit", "exit_after", is_flag=True, help="Stop after the play, also on a terminal.")
@click.option("--stay", is_flag=True, help="Keep running after the play, also without a terminal.")
def demo(
    backbone: str | None, kafka_users: Path | None, state: Path, scenario: Path, *, exit_after: bool, stay: bool
) -> None:
    """Start everything afresh, play a whole term through the public doors and compare with what is expected."""
    place = Place(directory=state, partnership_file=scenario / PARTNERSHIP_FILE, port_base=_port_base())
    leaves = exit_after or not (stay or sys.stdout.isatty())
    sys.exit(_run(place, Asked(backbone, kafka_users), state / "demo-data", Play(scenario, exit_after=leaves)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a partnership file: every fault with its line, or a sentence about what it holds."""
    try:
        partnership = load(file)
    except PlatformError as error:
        _fail(error)
    counts = f"{len(partnership.organisations)} organisations, {len(partnership.evidence_sets)} evidence sets"
    click.echo(f"{file} is good: {partnership.title}, version {partnership.version}, {counts}")
    click.echo(f"hash {partnership.hash}")


@main.command()
@state_option
@click.option("--organisation", required=True, help="The organisation's slug, such as brent.")
@click.option("--role", "roles", required=True, multiple=True, help="A role, such as hr; may be given again.")
@click.option("--subject", help="Who acts; by default a desk of that role.")
@click.option(
    "--service", type=click.Choice(SERVICES), default=SERVICES[0], show_default=True, help="For which service."
)
def token(state: Path, organisation: str, roles: tuple[str, ...], subject: str | None, service: str) -> None:
    """Print a token of the local profile, good for ten minutes at one service."""
    try:
        issuer = LocalIssuer(state / "keys", Env().str("PROFILE", LOCAL), SystemClock(), new_identifier)
        click.echo(issuer.mint(organisation, roles, subject or f"{roles[0]}-desk", service))
    except PlatformError as error:
        _fail(error)


@main.command()
@state_option
@click.option("--title", required=True, help="What the publication is called, such as Autumn term.")
def publish(state: Path, title: str) -> None:
    """Close a publication: freeze the board's five tables as they stand, through reporting's own door."""
    from shared.local.publishing import close_publication  # its HTTP client is in the local extra

    try:
        click.echo(f"publication {close_publication(state, title)} is closed")
    except PlatformError as error:
        _fail(error)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the platform's own code beside bare driver calls; --help says what may be chosen. Needs a checkout."""
    if not (ROOT / "tests" / "bench").is_dir():
        _fail(Unavailable("the benchmark is not installed with the platform: run it from a checkout (make bench)"))
    command = (sys.executable, "-m", "tests.bench", *arguments)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # noqa: TID251 - handed on, not read
    sys.exit(subprocess.run(command, check=False, env=environment).returncode)  # noqa: S603 - our own module


for command in (
    provision,
    topics,
    republish,
    freshness,
    verify_feed,
    recover_feed,
    adopt_feed,
    parked,
    rebuild,
    export,
    import_,
    erase,
):
    main.add_command(command)


class Play:
    """A scenario to be played on the running platform, on a thread of its own."""

    def __init__(self, scenario: Path, *, exit_after: bool) -> None:
        self.exit_after = exit_after
        self.result = 1
        self._scenario = scenario

    def start(self, platform: RunningPlatform, stop: threading.Event) -> None:
        """Begin to play; `stop` is set at the end where nothing is to run on."""
        threading.Thread(target=self._play, args=(platform, stop), name="play", daemon=True).start()

    def _play(self, platform: RunningPlatform, stop: threading.Event) -> None:
        from shared.local.play.main import play

        try:
            self.result = play(self._scenario, platform)
        finally:
            if self.exit_after:
                stop.set()
            else:
                click.echo("The platform keeps running; Ctrl-C stops it.")


@dataclass(frozen=True, slots=True)
class Asked:
    """The backbone that was asked for, if one was, and as whom the processes are to connect to its broker."""

    kind: str | None
    kafka_users: Path | None

    def backbone(self, data: Path, port_base: int) -> backbones.Backbone:
        """Return it; see `backbones.choose`.

        Raises:
            Malformed: users are named for a broker that has none.
        """
        chosen = backbones.choose(self.kind, data, port_base)
        if self.kafka_users is None:
            return chosen
        if chosen.kind != backbones.EXTERNAL:
            raise Malformed("--kafka-users is for a broker that asks who is there: --backbone external")
        return replace(chosen, kafka_users=self.kafka_users)


def _run(place: Place, asked: Asked, data: Path, play: Play | None) -> int:
    """Run the platform until Ctrl-C, or until the play is over, and return the exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with alone(place.directory):
            if play is not None and data.exists():
                shutil.rmtree(data)
            chosen = asked.backbone(data, place.port_base)
            try:
                if play is not None and chosen.kind == backbones.EXTERNAL:
                    refuse_yesterday(chosen, load(place.partnership_file))
                _keep_running(place, chosen, stop, play)
            finally:
                chosen.close()
    except KeyboardInterrupt:
        return 0 if play is None else 1
    except PlatformError as error:
        click.echo(f"partnership: {error.detail}", err=True)
        return 1
    return play.result if play is not None else 0


def _keep_running(place: Place, chosen: backbones.Backbone, stop: threading.Event, play: Play | None) -> None:
    clock = SystemClock()
    with running(place, chosen, stop, clock=clock, new_identifier=new_identifier, say=click.echo) as platform:
        for service in SERVICES:
            pages = f" and {platform.url(service)}/ (pages; sign in as somebody made up)" if service in PAGES else ""
            click.echo(f"  {service:<14} {platform.url(service)}/docs{pages}")
        click.echo(f"logs in {place.logs}; memory {platform.memory_bytes() / 1_048_576:.0f} MB")
        if play is not None:
            play.start(platform, stop)
        else:
            click.echo("The platform runs; Ctrl-C stops it.")
        platform.supervisor.supervise(stop)


def _port_base() -> int:
    return Env().int("PORT_BASE", DEFAULT_BASE)


def _fail(error: PlatformError) -> None:
    click.echo(f"partnership: {error.detail}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
