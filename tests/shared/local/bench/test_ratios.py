"""The pure parts of the benchmark: taking turns, ratios, the table and the file."""

import json

import pytest
from rich.console import Console

from shared.local.bench.machine import Machine
from shared.local.bench.ratios import Round, Sample, interleaved, percentile, spread
from shared.local.bench.report import Report, Row, document, footer, table
from shared.local.bench.sizes import Sizes
from shared.local.bench.through import Through


def a_sample(per_second: float) -> Sample:
    """Return a second's sample."""
    return Sample(events=int(per_second), seconds=1.0, cpu_seconds=0.5)


def a_report(*rows: Row, missing: int = 0) -> Report:
    """Return a report of made-up figures."""
    return Report(
        measured_at="2026-01-01T00:00:00+00:00",
        seconds=100.0,
        sizes=Sizes(),
        machine=Machine(
            system="Linux 6",
            processor="x86_64",
            cores=2,
            memory_mebibytes=2048,
            python="3.11.2",
            versions={"pymongo": "4"},
            has_c_crc32c=True,
        ),
        rows=rows,
        through=Through(
            events=200, per_second=20.0, p50_seconds=0.05, p99_seconds=0.2, most_seconds=0.3, missing=missing
        ),
        peak_mebibytes=100.0,
        backbone_mebibytes=200.0,
        own_cpu_seconds=10.0,
        backbone_cpu_seconds=20.0,
    )


def a_row(*rounds: Round) -> Row:
    """Return a row."""
    return Row(id="A1", title="commit", bare_title="insert", load_before=0.1, rounds=rounds)


def test_rounds_are_taken_in_turns():
    """A and B alternate, so that a slow minute of the machine meets both."""
    order: list[str] = []

    def side(name: str, per_second: float) -> Sample:
        order.append(name)
        return a_sample(per_second)

    rounds = interleaved(3, lambda: side("A", 50), lambda: side("B", 100), lambda: True)

    assert order == ["A", "B", "A", "B", "A", "B"]
    assert [each.ratio for each in rounds] == [0.5, 0.5, 0.5]


def test_no_further_round_begins_when_time_is_up():
    """One round is always measured; a slow machine has no more."""
    answers = iter([False])

    rounds = interleaved(3, lambda: a_sample(1), lambda: a_sample(1), lambda: next(answers))

    assert len(rounds) == 1


def test_spread_is_the_median_between_least_and_most():
    """One odd round moves the bounds and not the middle."""
    found = spread([0.9, 0.1, 0.5])

    assert (found.least, found.middle, found.most) == (0.1, 0.5, 0.9)
    assert str(found) == "0.50 (0.10..0.90)"


def test_sample_tells_speed_and_cost():
    """Events per second, and CPU microseconds per event."""
    sample = Sample(events=200, seconds=4.0, cpu_seconds=0.1)

    assert sample.per_second == 50
    assert sample.cpu_microseconds == pytest.approx(500)


@pytest.mark.parametrize(("part", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentile_is_a_value_that_was_measured(part, expected):
    """The nearest rank, nothing between two values."""
    assert percentile(list(range(100, 0, -1)), part) == expected


def test_table_shows_ratio_speeds_and_costs():
    """Median and bounds, both speeds, and D1 in seconds."""
    rounds = [Round(platform=a_sample(speed), bare=a_sample(1000)) for speed in (400, 500, 600)]
    console = Console(width=200)

    with console.capture() as shown:
        console.print(table(a_report(a_row(*rounds))))

    assert "0.50 (0.40..0.60)" in shown.get()
    assert "1,000" in shown.get()
    assert "p50 0.050 s" in shown.get()
    assert "p99 0.200 s" in shown.get()


def test_report_is_incomplete_when_rounds_are_missing():
    """A run that ran out of time is not a success."""
    rounds = [Round(platform=a_sample(1), bare=a_sample(2))] * Sizes().rounds

    assert a_report(a_row(*rounds)).is_complete
    assert not a_report(a_row(*rounds[1:])).is_complete


def test_report_is_incomplete_when_events_went_missing():
    """Speed without the events is no speed."""
    whole = a_row(*[Round(platform=a_sample(1), bare=a_sample(2))] * Sizes().rounds)

    assert a_report(whole).is_complete
    assert not a_report(whole, missing=1).is_complete


def test_report_says_when_the_machine_was_busy():
    """Bounds that other work made are not the code's."""
    assert "busy" not in footer(a_report(a_row(Round(platform=a_sample(1), bare=a_sample(2)))))

    loaded = Row(
        id="A1",
        title="commit",
        bare_title="insert",
        load_before=9.0,
        rounds=(Round(platform=a_sample(1), bare=a_sample(2)),),
    )
    assert "busy" in footer(a_report(loaded))


def test_document_holds_every_round_and_the_ratio():
    """`bench.json` can be reckoned again."""
    row = a_row(*[Round(platform=a_sample(50), bare=a_sample(100))] * Sizes().rounds)

    found = json.loads(document(a_report(row)))

    assert found["rows"][0]["ratio"] == {"middle": 0.5, "least": 0.5, "most": 0.5}
    assert found["rows"][0]["rounds"][0]["bare"] == {"events": 100, "seconds": 1.0, "cpu_seconds": 0.5}
    assert found["machine"]["has_c_crc32c"] is True
    assert found["is_complete"] is True
