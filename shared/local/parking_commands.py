"""`partnership parked …`: what could not be taken, and what an operator decides about it. Thin, like `cli.py`.

What is shown of a record, and what two people must do together, is decided in `shared.events`.
"""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from shared.errors import NotFound
from shared.events import alarms, discarding, parked_view, parking, requests
from shared.events.contracts import contract_book
from shared.events.parked_view import Group, Shown, masked_key, type_shown
from shared.events.parking import Decision, Parked
from shared.events.requests import REHEARSED, ReplayRequest
from shared.local.operator_commands import on_platform, organisation_option, state_option
from shared.partnership.model import SERVICES
from shared.storage.unit_of_work import Reading, Work

reason_option = click.option("--reason", required=True, help="Why; kept with the decision.")
by_option = click.option("--by", default=getpass.getuser, help="Who decides; by default this machine's user.")
service_option = click.option("--service", type=click.Choice(SERVICES), required=True, help="Whose database.")


@click.group()
def parked() -> None:
    """Look at events that could not be taken, and decide about them.

    A parked event holds up whatever comes later under its own key, and nothing else. `list` tells why, `show` what it
    says with everything personal masked. Then: `replay --dry-run` asks the reader what would happen, `replay` has the
    key taken in order, `discard` gives a record up for good when a second person confirms, and `resume` lets a feed go
    on that was stopped because too much of it is parked.
    """


@parked.command("list")
@state_option
@organisation_option
@service_option
@click.option("--records", is_flag=True, help="Every record with its id, not only the reasons.")
def list_parked(state: Path, organisation: str, service: str, *, records: bool) -> None:
    """List what waits for a decision, by reason, and which feeds stand still."""
    with on_platform(state) as platform:
        reading = platform.unit_of(service).reading(organisation)
        waiting = parking.waiting_in(reading)
        _say_stopped(reading)
        for group in parked_view.grouped(waiting):
            click.echo(_group_line(group))
        if records:
            for one in sorted(waiting, key=lambda one: (one.feed, one.number is None, one.number or 0, one.id)):
                click.echo(_record_line(one))
        click.echo(f"{len(waiting)} parked")
        for request in sorted(requests.requests_in(reading), key=lambda one: one.name):
            click.echo(_request_line(request))


@parked.command("show")
@state_option
@organisation_option
@service_option
@click.argument("identifier")
def show_parked(state: Path, organisation: str, service: str, identifier: str) -> None:
    """Show one parked record: what it says, masked, and what people did about it."""
    with on_platform(state) as platform:
        reading = platform.unit_of(service).reading(organisation)
        found = parked_view.shown(reading, identifier, contract_book())
        if found is None:
            raise NotFound(f"nothing is parked as {identifier}")
        for line in _lines_of(found, parking.decision_about(reading, identifier)):
            click.echo(line)


@parked.command("replay")
@state_option
@organisation_option
@service_option
@reason_option
@by_option
@click.option("--dry-run", is_flag=True, help="Only say what would happen: the reader tries it and takes it all back.")
@click.argument("identifier")
def replay_parked(
    state: Path, organisation: str, service: str, reason: str, by: str, identifier: str, *, dry_run: bool
) -> None:
    """Have a parked event and all that waits under its key taken again, in order, by the reader.

    The answer, also that of a dry run, stands in `parked list` within a quarter of a minute.
    """

    def ask(work: Work) -> None:
        one = parking.waiting_one(work, identifier)
        if one.key is None:
            raise NotFound(f"{identifier} has no number and can only be discarded")
        requests.ask(work, one.feed, one.key, by=by, reason=reason, is_dry=dry_run)

    with on_platform(state) as platform:
        platform.unit_of(service).run(organisation, ask)
        what = "tries" if dry_run else "takes"
        click.echo(f"{service} of {organisation} {what} the key of {identifier} again within a quarter of a minute")


@parked.command("discard")
@state_option
@organisation_option
@service_option
@click.option("--reason", help="Why; kept with the decision. Whoever confirms need not repeat it.")
@by_option
@click.option("--confirm", is_flag=True, help="Confirm, as a second person, what another one asked for.")
@click.argument("identifiers", nargs=-1, required=True)
def discard_parked(
    state: Path,
    organisation: str,
    service: str,
    reason: str | None,
    by: str,
    identifiers: tuple[str, ...],
    *,
    confirm: bool,
) -> None:
    """Give up parked records for good, which takes two people; every rebuild skips what was discarded.

    One asks (--reason, --by), another confirms (--confirm, --by); the same person twice is refused.
    """
    if not confirm and not reason:
        raise click.UsageError("--reason is needed to ask for a discard")
    with on_platform(state) as platform:
        unit = platform.unit_of(service)
        for identifier in identifiers:
            if confirm:
                unit.run(organisation, lambda work, name=identifier: discarding.confirm_discard(work, name, by=by))  # type: ignore[misc]
                click.echo(f"{identifier} is discarded")
            else:
                unit.run(
                    organisation,
                    lambda work, name=identifier: discarding.ask_discard(work, name, by=by, reason=str(reason)),  # type: ignore[misc]
                )
                click.echo(f"{identifier} is discarded when a second person confirms it (--confirm)")


@parked.command("resume")
@state_option
@organisation_option
@service_option
@reason_option
@by_option
@click.argument("feed")
def resume_feed(state: Path, organisation: str, service: str, reason: str, by: str, feed: str) -> None:
    """Let a feed go on that stands still until a person decides; `parked list` names it, and why."""
    with on_platform(state) as platform:
        alarms.resolve_alarm(platform.unit_of(service), organisation, feed, by=by, reason=reason)
        click.echo(f"{service} of {organisation} reads {feed} on within a quarter of a minute")


def _say_stopped(reading: Reading) -> None:
    for alarm in alarms.open_alarms(reading):
        click.echo(f"STOPPED {alarm.feed} at {alarm.number} ({alarm.kind}): {alarm.detail}")
        click.echo(f"        it goes on with: partnership parked resume … {alarm.feed}")


def _group_line(group: Group) -> str:
    mark = "  SECURITY" if group.security else ""
    seen = f"{group.first_seen_at:%Y-%m-%d %H:%M:%S} to {group.last_seen_at:%Y-%m-%d %H:%M:%S}"
    count = f"{group.causes:>6} causes {group.followers:>6} followers"
    return f"{group.reason:<44} {count}  {seen}  {', '.join(group.feeds)}{mark}"


def _record_line(one: Parked) -> str:
    what = "cause" if one.is_cause else "follows"
    key = masked_key(one.key) or "-"
    return f"{one.id}  {type_shown(one.type) or '-'}  {key}  {what}  {one.reason}  {one.parked_at.isoformat()}"


def _request_line(request: ReplayRequest) -> str:
    if request.state == REHEARSED:
        where = f"; it would fail at {request.failed_at}: {request.code}" if request.code else ""
        count = f"would take {request.taken} of {request.tried} tried, {request.waiting} waiting"
        return f"dry run of {request.feed} {masked_key(request.key)}: {count}{where}"
    what = "dry run" if request.is_dry else "replay"
    at = f" at {request.failed_at}" if request.failed_at else ""
    why = f"{at}: {request.code}" if request.code else ""
    why += f"; {request.taken} were taken before and stay taken" if request.taken else ""
    return f"{what} of {request.feed} {masked_key(request.key)} {request.state}{why}"


def _lines_of(found: Shown, decision: Decision | None) -> list[str]:
    one = found.parked
    pairs = [
        ("id", one.id),
        ("feed", one.feed),
        ("number", one.number),
        ("key", found.key),
        ("type", found.type),
        ("time", found.time),
        ("reason", one.reason),
        ("is_cause", one.is_cause),
        ("security", one.security),
        ("state", one.state),
        ("parked_at", one.parked_at.isoformat()),
        ("size", found.size),
        ("sha256", found.sha256),
        ("headers", ", ".join(found.headers) or None),
        ("other_headers", found.other_headers or None),
        ("not in contract", f"{found.unnamed} fields" if found.unnamed else None),
    ]
    lines = [f"{name:<16} {value}" for name, value in pairs if value is not None]
    lines += [f"  {pointer:<30} {value}" for pointer, value in found.fields]
    steps = () if decision is None else decision.steps
    return lines + [f"{step.at:%Y-%m-%d %H:%M:%S}  {step.what} by {step.by}: {step.reason}" for step in steps]
