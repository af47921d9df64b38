"""The play from the first act to the last, what it prints, and its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from shared.clock import Clock, SystemClock
from shared.local.play.arrivals import play_exports, play_withdrawals
from shared.local.play.board import close_publication, read_reports
from shared.local.play.compare import PARTS, differences
from shared.local.play.doors import Doors, Platform, PlayError
from shared.local.play.figures import projection_age
from shared.local.play.opening import open_term
from shared.local.play.practice import play_practice
from shared.local.play.refusals import try_refusals
from shared.local.play.scenario import ScenarioError, read_scenario
from shared.local.play.stage import Stage
from shared.local.play.university import play_university
from shared.partnership.loader import load

_MEBIBYTE = 1024 * 1024
_MOST_SHOWN = 40


def play(folder: Path, platform: Platform, console: Console | None = None, clock: Clock | None = None) -> int:
    """Play the scenario in `folder`; return 0 when all is as it says, 1 when anything differs or was not refused."""
    console = console or Console(highlight=False, soft_wrap=True)
    clock = clock or SystemClock()
    try:
        scenario = read_scenario(folder)
    except ScenarioError as error:
        console.print(str(error))
        return 1
    doors = Doors(platform, clock)
    started = clock.monotonic()

    def tell(text: str) -> None:
        console.print(f"[{clock.monotonic() - started:6.1f} s] {text}", markup=False)

    stage = Stage(platform, doors, scenario, load(scenario.partnership_file), clock, tell)
    try:
        _acts(stage, console)
    except PlayError as error:
        tell(f"the play stopped: {error}")
        return 1
    finally:
        doors.close()
    return _verdict(stage, console, clock.monotonic() - started)


def _acts(stage: Stage, console: Console) -> None:
    acts: tuple[tuple[str, Callable[[Stage], object]], ...] = (
        ("the university approves, the programme lead opens", open_term),
        ("the employers' exports arrive", play_exports),
        ("people withdraw, the queue moves up", play_withdrawals),
        ("the board's first publication", lambda stage: close_publication(stage, "Start of term")),
        ("practice is assessed", play_practice),
        ("marks, exam board, credit", play_university),
        ("what must be refused", try_refusals),
        ("the board's last publication", lambda stage: read_reports(stage, close_publication(stage, "End of term"))),
    )
    for number, (title, act) in enumerate(acts, start=1):
        with _shown(console, f"{number}/{len(acts)} {title}"):
            stage.tell(f"{number}/{len(acts)} {title}")
            act(stage)


@contextmanager
def _shown(console: Console, title: str) -> Iterator[None]:
    """Show on a terminal that something is going on; print nothing extra elsewhere."""
    if console.is_terminal:
        with console.status(title):
            yield
    else:
        yield


def _verdict(stage: Stage, console: Console, seconds: float) -> int:
    for line in stage.refused:
        console.print(f"  refused, as it must be: {line}", markup=False)
    found = differences(stage.scenario.expected, stage.observed)
    for part in PARTS:
        console.print(f"  {part}: {'no difference' if not found[part] else f'{len(found[part])} differences'}")
        for difference in found[part][:_MOST_SHOWN]:
            console.print(f"    {difference}", markup=False)
    for surprise in stage.surprises:
        console.print(f"  NOT AS IT MUST BE: {surprise}", markup=False)
    _figures(stage, console, seconds)
    return 1 if stage.surprises or any(found.values()) else 0


def _figures(stage: Stage, console: Console, seconds: float) -> None:
    ages = projection_age(stage.platform.metrics_url("reporting", "consume"))
    reached = f"median up to {ages[0]:g} s, p99 up to {ages[1]:g} s" if ages else "not measured"
    console.print(f"  the play took {seconds:.1f} s: {stage.doors.calls} calls, {stage.doors.retries} made again")
    console.print(f"  from an owner's commit to the board's projection: {reached}")
    console.print(f"  all processes together: {stage.platform.memory_bytes() / _MEBIBYTE:.0f} MiB")
