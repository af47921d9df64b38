"""The pure parts of the benchmark: taking turns, ratios, targets, the tables, the file and the chart."""

import json
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tests.bench.chart import drawn
from tests.bench.figures import RATIO, Figure, one
from tests.bench.machine import Machine
from tests.bench.ratios import Block, Round, Sample, interleaved, percentile, spread
from tests.bench.report import Report, document, footer, table, targets_table
from tests.bench.targets import TARGETS, Target, verdicts


def a_sample(per_second: float) -> Sample:
    """Return a second's sample."""
    return Sample(
        events=int(per_second), seconds=1.0, cpu_seconds=0.5, database_cpu_seconds=0.4, broker_cpu_seconds=0.1
    )


def a_figure(*speeds: float, bare: float = 1000, load: float = 0.1, before: float = 1000) -> Figure:
    """Return a B1 of made-up rounds."""
    rounds = tuple(Round(platform=a_sample(speed), bare=a_sample(bare)) for speed in speeds)
    return Figure(
        id="B1",
        part="SEC",
        title="reader",
        bare_title="poll & insert",
        unit=RATIO,
        value=spread([each.ratio for each in rounds]),
        block=Block(before=a_sample(before), rounds=rounds),
        load_before=load,
    )


def a_report(*figures: Figure) -> Report:
    """Return a report of made-up figures."""
    return Report(
        measured_at="2026-01-01T00:00:00+00:00",
        seconds=100.0,
        machine=Machine(
            system="Linux 6", processor="x86_64", cores=2, memory_mebibytes=2048, python="3.11.2", has_c_crc32c=True
        ),
        versions={"pymongo": "4"},
        rounds=3,
        backbone="local",
        figures=figures,
    )


def shown(thing: object) -> str:
    """Return what a wide screen shows of something."""
    console = Console(width=200)
    with console.capture() as captured:
        console.print(thing)
    return captured.get()


def test_rounds_are_taken_in_turns_after_a_bracket():
    """B, then A and B alternate, so that a slow minute of the machine meets both."""
    order: list[str] = []

    def side(name: str, per_second: float) -> Sample:
        order.append(name)
        return a_sample(per_second)

    block = interleaved(3, lambda: side("A", 50), lambda: side("B", 100), lambda: True)

    assert order == ["B", "A", "B", "A", "B", "A", "B"]
    assert [each.ratio for each in block.rounds] == [0.5, 0.5, 0.5]


def test_no_further_round_begins_when_time_is_up():
    """One round is always measured; a slow machine has no more."""
    answers = iter([False])

    block = interleaved(3, lambda: a_sample(1), lambda: a_sample(1), lambda: next(answers))

    assert len(block.rounds) == 1


@pytest.mark.parametrize(("before", "steady"), [(1000, True), (1140, True), (1160, False), (860, False)])
def test_a_block_is_unsteady_when_the_bare_side_changed(before, steady):
    """More than 15 % before or after is another machine."""
    block = a_figure(500, before=before).block
    assert block is not None
    assert block.is_steady is steady


def test_spread_is_the_median_between_least_and_most():
    """One odd round moves the bounds and not the middle."""
    found = spread([0.9, 0.1, 0.5])

    assert (found.least, found.middle, found.most) == (0.1, 0.5, 0.9)
    assert str(found) == "0.50 (0.10..0.90)"


def test_sample_tells_speed_cost_and_shares():
    """Events per second, CPU microseconds per event, and whose CPU it was."""
    sample = Sample(events=200, seconds=4.0, cpu_seconds=0.1, database_cpu_seconds=0.25, broker_cpu_seconds=0.15)

    assert sample.per_second == 50
    assert sample.cpu_microseconds == pytest.approx(500)
    assert sample.shares == pytest.approx((0.5, 0.3))


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentile_is_a_value_that_was_measured(part, expected):
    """The nearest rank, nothing between two values."""
    assert percentile(list(range(100, 0, -1)), part) == expected


@pytest.mark.parametrize(
    ("target", "value", "met", "surpassed"),
    [
        (Target(0.9, 1.05), 0.9, True, False),
        (Target(0.9, 1.05), 0.89, False, False),
        (Target(0.9, 1.05), 1.06, True, True),
        (Target(25, 10, "ms"), 9, True, True),
        (Target(25, 10, "ms"), 26, False, False),
        (Target(120, 120, "MiB"), 119, True, True),
        (Target(120, 120, "MiB"), 121, False, False),
    ],
)
def test_a_target_knows_which_way_is_better(target, value, met, surpassed):
    """Ratios want more; seconds and memory want less, also where both numbers are the same."""
    assert target.is_met(value) is met
    assert target.is_surpassed(value) is surpassed


def test_verdicts_are_of_what_was_measured():
    """A run of one row says nothing of the others."""
    found = verdicts({"B1 SEC": 0.95, "of no target": 1.0})

    assert list(found) == ["B1 SEC"]
    assert (found["B1 SEC"].must, found["B1 SEC"].ambitious, found["B1 SEC"].met) == (0.9, 1.05, True)


def test_every_target_must_less_than_it_wishes():
    """The ambitious side is never the easier one."""
    assert all(target.is_met(target.ambitious) for target in TARGETS.values())


def test_table_shows_ratio_speeds_costs_and_shares():
    """Median and bounds, both speeds, whose CPU."""
    found = shown(table(a_report(a_figure(400, 500, 600))))

    assert "0.50 (0.40..0.60)" in found
    assert "1,000" in found
    assert "40 %, 10 %" in found
    assert "not met" in shown(targets_table(a_report(a_figure(400, 500, 600))))


def test_footer_says_when_the_machine_was_busy_or_changed():
    """Bounds that other work made are not the code's."""
    assert "busy" not in footer(a_report(a_figure(500)))
    assert "busy" in footer(a_report(a_figure(500, load=9.0)))
    assert "15 %: B1" not in footer(a_report(a_figure(500)))
    assert "B1 SEC" in footer(a_report(a_figure(500, before=2000)))


def test_document_holds_every_round_and_the_target():
    """`bench.json` can be reckoned again."""
    found = json.loads(document(a_report(a_figure(950, 950, 950))))

    [result] = found["results"]
    assert (result["median"], result["least"], result["most"]) == (0.95, 0.95, 0.95)
    assert result["rounds"][0]["bare"]["events_per_second"] == 1000
    assert found["targets"]["B1 SEC"] == {"value": 0.95, "must": 0.9, "ambitious": 1.05, "met": True}
    assert found["machine"]["has_c_crc32c"] is True


def test_chart_is_svg_with_every_ratio_and_no_other_figure():
    """Well-formed, escaped, readable by its title."""
    other = Figure(id="D2", part="start", title="s", bare_title="", unit="s", value=one(1.0))

    found = drawn(a_report(a_figure(950), other))

    root = ElementTree.fromstring(found)  # noqa: S314 - our own text
    assert root.tag.endswith("svg")
    assert "B1 SEC" in found
    assert "D2" not in found
