"""`partnership rebuild …`: a projection built anew beside the running one, and what came of it. Thin, like `cli.py`."""

from __future__ import annotations

import getpass
import sys
import threading
from pathlib import Path
from typing import Final

import click

from shared.clock import SystemClock, wait_for
from shared.errors import Unavailable
from shared.events.rebuild_requests import (
    ASKED,
    BUILDING,
    CHECKED,
    DONE,
    FAILED,
    SWAPPED,
    AlreadyRebuilding,
    Rebuild,
    ask_rebuild,
    rebuild_in,
)
from shared.local.operations import Operations
from shared.local.operator_commands import on_platform, state_option

PROJECTIONS: Final = ("reporting",)
LOOK_SECONDS: Final = 0.5
TOLD_EVERY: Final = 0.1
"""Of the whole, between two lines where nobody watches a terminal."""


@click.command()
@state_option
@click.option("--check", is_flag=True, help="Only build and compare: swap nothing, and fail where something differs.")
@click.option("--by", default=getpass.getuser, help="Who asks; by default this machine's user.")
@click.argument("projection", type=click.Choice(PROJECTIONS))
def rebuild(state: Path, by: str, projection: str, *, check: bool) -> None:
    """Build a projection anew from its owners' feeds, beside the running one, and swap the two.

    The service's own reader does it; this command asks for it, shows how far it is and says what differs, in counts,
    before the swap. Readers see the old one until the swap and the new one after it. What waits parked is left out, as
    in the running one; what was discarded stays out. A rebuild that was killed begins again by itself; this command,
    given again, shows how far it is, and Ctrl-C ends the command, not the rebuild. Only `reporting` is derived from
    feeds alone: the other services decide and tell others, and are kept by backups.
    """
    with on_platform(state) as platform:
        board = platform.partnership.board
        unit = platform.unit_of(projection)
        try:
            unit.run(board, lambda work: ask_rebuild(work, projection, by=by, is_check=check))
        except AlreadyRebuilding:
            click.echo("a rebuild is at work already; this is how far it is")
        last = _watch(platform, board, projection)
    if last.state == FAILED or (last.state == CHECKED and last.differences):
        sys.exit(1)


def _watch(platform: Operations, board: str, projection: str) -> Rebuild:
    """Say how far the rebuild is until it is over, and return it as it ended."""
    reading, clock, never = platform.unit_of(projection).reading(board), SystemClock(), threading.Event()
    teller, began = _Teller(), clock.monotonic()
    while True:
        found = rebuild_in(reading, projection)
        if found is None:
            raise Unavailable("the rebuild is gone: the database came back from a backup")
        teller.tell(found, clock.monotonic() - began)
        if not found.is_open:
            return found
        wait_for(never, LOOK_SECONDS)


class _Teller:
    """Says what changed: a line that rewrites itself on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._state = ""
        self._waits_for: str | None = None
        self._told = -1.0
        self._is_compared = False

    def tell(self, found: Rebuild, seconds: float) -> None:
        """Say what is new since the last look."""
        if found.state == ASKED and found.state != self._state:
            click.echo("asked; reporting's reader begins within a few seconds, when it runs")
        if found.waits_for != self._waits_for and found.waits_for:
            click.echo(f"waits for the owner of {found.waits_for}: its door does not answer")
        if found.state == BUILDING:
            self._tell_progress(found)
        if found.differences is not None and not self._is_compared:
            self._is_compared = True
            self._tell_differences(found)
        if found.state != self._state and found.state in ENDS:
            code = f": {found.code}" if found.code else ""
            click.echo(f"{ENDS[found.state]}{code} ({seconds:.0f} s)")
        self._state, self._waits_for = found.state, found.waits_for

    def _tell_progress(self, found: Rebuild) -> None:
        share = found.taken / found.of if found.of else 0.0
        line = f"{found.taken} of {found.of} events"
        if self._is_terminal:
            click.echo(f"\r{line}", nl=False)
        elif share - self._told >= TOLD_EVERY:
            self._told = share
            click.echo(line)

    def _tell_differences(self, found: Rebuild) -> None:
        if self._is_terminal:
            click.echo("")
        click.echo(f"{found.taken} events taken, {found.left_out} left out because they wait parked")
        for one in found.differences or ():
            click.echo(
                f"DIFFERS {one.what:<16} {one.missing} missing in the running one, {one.extra} too many, "
                f"{one.other} that say something else"
            )
        if not found.differences:
            click.echo("the running one says the same")


ENDS: Final = {
    SWAPPED: "swapped: whoever asks now sees the rebuilt one; the old one is removed in a moment",
    DONE: "done",
    CHECKED: "checked: nothing was changed",
    FAILED: "FAILED, and nothing was changed",
}
