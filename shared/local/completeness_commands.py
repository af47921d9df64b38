"""`partnership freshness`, `verify-feed`, `recover-feed`, `adopt-feed`: is everything there, and what if not. Thin.

What is found and done lives in `completeness.py`. Each command ends with 1 when something is missing, differs or still
has to be decided.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from shared.events.freshness import LATE_SECONDS, SILENT_SECONDS, Freshness
from shared.events.recovery import Examined
from shared.events.retold import redone
from shared.local import completeness
from shared.local.operations import Operations
from shared.local.operator_commands import on_platform, organisation_option, service_option, state_option
from shared.local.parking_commands import by_option
from shared.local.parking_commands import service_option as needed_service_option

KINDS = ("org", "out")
SHOWN = 20

needed_reason = click.option("--reason", default="", help="Why; kept with the decision. Needed with --apply.")
apply_option = click.option("--apply", "is_real", is_flag=True, help="Do it; without this nothing is changed.")
kind_option = click.option(
    "--feed", "kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="The bus, or private answers."
)


@click.command()
@state_option
@click.option("--organisation", help="Only what this organisation takes, and the feeds that it owns.")
@service_option
@click.option("--late-seconds", default=LATE_SECONDS, show_default=True, help="How long something may be on its way.")
@click.option("--silent-seconds", default=SILENT_SECONDS, show_default=True, help="How long an owner may say nothing.")
@click.option("--all", "is_all", is_flag=True, help="Show also what is as it should be.")
def freshness(
    state: Path,
    organisation: str | None,
    service: str | None,
    late_seconds: float,
    silent_seconds: float,
    *,
    is_all: bool,
) -> None:
    """Hold every reader here against the owners' own figures, and every owner here against its log."""
    bad = count = 0
    with on_platform(state) as platform:
        for found in completeness.freshness(
            platform,
            organisation=organisation,
            service=service,
            late_seconds=late_seconds,
            silent_seconds=silent_seconds,
        ):
            count += 1
            bad += int(not found.is_fine)
            if is_all or not found.is_fine:
                _say_fresh(found)
        for behind in completeness.owners_behind(platform, organisation=organisation, service=service):
            bad += 1
            name = behind.feed
            click.echo(f"{name.topic}: the log names {behind.named}, its owner's database knows {behind.known}")
            click.echo(f"  look: partnership recover-feed --organisation {name.organisation} --service {name.service}")
    click.echo(f"{count} readings, {bad} to look at")
    if bad:
        sys.exit(1)


@click.command("verify-feed")
@state_option
@organisation_option
@service_option
@click.option(
    "--against",
    type=click.Choice((completeness.LOG, completeness.READERS)),
    multiple=True,
    help="Compare also with the broker's records, or with what the readers here hold; may be given again.",
)
def verify_feed(state: Path, organisation: str, service: str | None, against: tuple[str, ...]) -> None:
    """Walk an organisation's feeds from the first event: every number and hash anew. Names whatever does not hold."""
    sound = True
    with on_platform(state) as platform:
        for name, verdict in platform.verify(organisation, service):
            others = [one for witness in against for one in completeness.verify_against(platform, name, witness)]
            is_sound = verdict.is_sound and not others
            sound = sound and is_sound
            broken = verdict.first_break or (min(one.number for one in others) if others else None)
            judgement = "sound" if is_sound else f"BROKEN at {broken}, {verdict.lost} lost"
            click.echo(f"{name.topic:<44} {verdict.number:>8} events, {verdict.head_hash[:16]}, {judgement}")
            for finding in (*verdict.findings, *others):
                click.echo(f"  {finding}")
    if not sound:
        sys.exit(1)


@click.command("recover-feed")
@state_option
@organisation_option
@needed_service_option
@kind_option
@click.option("--list", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write every event to this file.")
@apply_option
@needed_reason
@by_option
def recover_feed(
    state: Path, organisation: str, service: str, kind: str, file: Path | None, reason: str, by: str, *, is_real: bool
) -> None:
    """Bring back what the log knows and a database from a backup does not. Without --apply: say what that would be."""
    _refuse_without_reason(reason, is_real=is_real)
    with on_platform(state) as platform:
        name = completeness.one_feed(platform, organisation, service, kind)
        found, beyond = completeness.examine(platform, name)
        _say_examined(name.topic, found)
        for finding in beyond:
            click.echo(f"  {finding}")
        if file is not None:
            file.write_text("\n".join(_lines(found)) + "\n", encoding="utf-8")
        if found.parted is not None or beyond:
            click.echo(
                "  not everything can be brought back: docs/runbooks/database-restored.md, “The log has gone too”"
            )
        if not is_real:
            _say_redone(platform, organisation, service)
            if not found.is_whole or beyond:
                sys.exit(1)
            return
        count = completeness.recover(platform, name, by=by, reason=reason)
        click.echo(f"{name.topic}: {count} events are back; its relay goes on by itself")
        if beyond:
            sys.exit(1)


@click.command("adopt-feed")
@state_option
@organisation_option
@needed_service_option
@click.option("--number", type=click.IntRange(min=0), required=True, help="The last number both histories have.")
@apply_option
@needed_reason
@by_option
def adopt_feed(
    state: Path, organisation: str, service: str, number: int, reason: str, by: str, *, is_real: bool
) -> None:
    """Let the readers here go on with an owner's new history after a number. What they read beyond it stays done."""
    _refuse_without_reason(reason, is_real=is_real)
    with on_platform(state) as platform:
        name = completeness.one_feed(platform, organisation, service, KINDS[0])
        if not is_real:
            reading = completeness.to_adopt(platform, name, number)
            for reader, taker, position, alarm in reading:
                why = "" if alarm is None else f"; stands still: {alarm.kind} since {alarm.number}"
                click.echo(f"{reader} of {taker} has taken {number + 1} to {position.number}, which stays done{why}")
            click.echo(f"{len(reading)} would go on after {number}")
            return
        count = 0
        for reader, adopted in completeness.adopt(platform, name, number, by=by, reason=reason):
            count += 1
            aside = f", {adopted.parked} parked put aside" if adopted.parked else ""
            click.echo(f"{reader} of {adopted.organisation} goes on after {number}; it had {adopted.read}{aside}")
        click.echo(f"{count} go on; reporting's tables need: partnership rebuild reporting")


def _refuse_without_reason(reason: str, *, is_real: bool) -> None:
    if is_real and not reason:
        raise click.UsageError("--apply needs --reason")


def _say_fresh(found: Freshness) -> None:
    owner = "?" if found.owner_number is None else str(found.owner_number)
    delay = "?" if found.delay_seconds is None else f"{found.delay_seconds} s"
    click.echo(
        f"{found.service:<14} {found.organisation:<16} {found.feed:<40} {found.number:>7} of {owner:>7}, "
        f"heard {delay} ago, {found.parked} parked"
    )
    for fault in found.faults:
        click.echo(f"  {fault}")


def _say_examined(topic: str, found: Examined) -> None:
    if found.is_whole:
        click.echo(f"{topic}: the database knows all {found.known} events that the log does")
        return
    click.echo(f"{topic}: the database knows {found.known} events, the log names {found.announced}")
    if found.broken_off:
        click.echo("  bringing back was broken off, and its relay waits: run it again with --apply")
    if found.lost:
        _say_lost(found)
    if found.out_of_reach:
        click.echo(f"  {found.out_of_reach} more are named and no longer on the log")
    if found.parted is not None:
        click.echo(f"  the histories parted: another event stands under number {found.parted} here than on the log")
    if found.waiting:
        click.echo(f"  {found.waiting} entries written since wait for a number; they come after those")
    for key in found.touched:
        click.echo(f"  changed again since, look at it: {key}")


def _say_lost(found: Examined) -> None:
    click.echo(f"  {found.known + 1} to {found.lost[-1].number} can be brought back, with the same numbers and bytes")
    told = sum(1 for event in found.lost if event.cause)
    click.echo(f"  {told} of them were told by reactions: their rows come back as this service reads on")
    click.echo(f"  {len(found.lost) - told} were told by what people did: their rows have to be put right by hand")
    for event_type, count in sorted(Counter(event.type for event in found.lost).items()):
        click.echo(f"    {count:>6} {event_type}")
    for line in _lines(found)[1 : SHOWN + 1]:
        click.echo(f"  {line}")
    if len(found.lost) > SHOWN:
        click.echo(f"  and {len(found.lost) - SHOWN} more; --list FILE writes them all")


def _lines(found: Examined) -> list[str]:
    """Return the events to be brought back as tab-separated lines: opaque ids only, as on the bus."""
    lines = ["number\ttype\taggregate\ttime\ttold by"]
    for event in found.lost:
        who = "reaction" if event.cause else "person"
        lines.append(f"{event.number}\t{event.type}\t{event.subject}\t{event.time}\t{who}")
    return lines


def _say_redone(platform: Operations, organisation: str, service: str) -> None:
    done = redone(platform.unit_of(service).reading(organisation))
    if done.expected:
        click.echo(
            f"  earlier recoveries: {done.done} of {done.expected} reactions have happened again, "
            f"{done.other} of them would have told something else"
        )
