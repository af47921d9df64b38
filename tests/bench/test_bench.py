"""The benchmark once through, with a few events per row, on the backbone that it starts itself; and its door."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from rich.console import Console

from shared.clock import SystemClock
from shared.local import cli
from tests.bench.feeds import publish
from tests.bench.following import EFFECTS, recount
from tests.bench.main import Asked, all_rows, bench
from tests.bench.measuring import WARM_UP
from tests.bench.sizes import SMOKE_ROWS, TINY
from tests.bench.stage import NULL, SEC, Miscounted
from tests.bench.surroundings import surroundings
from tests.bench.targets import TARGETS

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory) -> dict:
    """The parsed `bench.json` of a run through every row."""
    folder = tmp_path_factory.mktemp("bench")
    asked = Asked(sizes=TINY, output=folder / "bench.json", chart=folder / "bench.svg", shares=True)
    bench(asked, SystemClock(), Console(width=160))
    assert (folder / "bench.svg").read_text().startswith("<svg")
    return json.loads((folder / "bench.json").read_bytes())


def test_every_row_is_measured_and_the_run_stops_by_itself(tiny_run):
    """Every row has a figure above nothing, on each of its sinks."""
    assert {result["id"] for result in tiny_run["results"]} == {row.id for row in all_rows()}
    assert all(result["median"] > 0 for result in tiny_run["results"])
    assert all(result["least"] <= result["median"] <= result["most"] for result in tiny_run["results"])


def test_every_target_has_a_figure(tiny_run):
    """No target is written down that nothing is held against."""
    assert set(tiny_run["targets"]) == set(TARGETS)


def test_the_file_has_the_promised_shape(tiny_run):
    """`{machine, versions, rounds, results, targets: {key: {value, must, ambitious, met}}}`."""
    assert set(tiny_run) == {"machine", "versions", "rounds", "results", "targets"}
    assert {"kafka-python", "crc32c", "pymongo", "SecantusDB"} <= set(tiny_run["versions"])
    assert tiny_run["rounds"] == TINY.rounds
    for verdict in tiny_run["targets"].values():
        assert set(verdict) == {"value", "must", "ambitious", "met"}
        assert isinstance(verdict["met"], bool)


def test_a_duel_tells_both_sides_and_its_brackets(tiny_run):
    """Events per second, the client's CPU, the shares of database and broker; the bare side before the first round."""
    [found] = [each for each in tiny_run["results"] if (each["id"], each["part"]) == ("B1", "SEC")]
    side = found["rounds"][0]["platform"]
    assert side["events_per_second"] > 0
    assert side["client_cpu_microseconds_per_event"] > 0
    assert 0 <= side["database_share"] + side["broker_share"] <= 1
    assert found["brackets"]["before"]["events"] > 0


def test_a_row_too_few_or_too_many_is_no_result():
    """The recount finds what is missing and what is another's, on the database; on NULL it counts."""
    with surroundings(None, TINY, SystemClock()) as stage:
        published = publish(stage, stage.new_feed(), 3)
        for name in (SEC, NULL):
            sink = stage.sinks[name]
            database = stage.unit(sink).database(published.feed.organisation)
            rows = [{"_id": n, "enrolment_id": each} for n, each in enumerate(published.enrolment_ids)]
            database[EFFECTS].insert_many(rows)
            recount(sink, database, published)
            database[EFFECTS].insert_one({"_id": 9, "enrolment_id": "another"})
            with pytest.raises(Miscounted):
                recount(sink, database, published)


def test_smoke_rows_are_rows():
    """The selection names nothing that is not there."""
    assert set(SMOKE_ROWS) <= {row.id for row in all_rows()}
    assert WARM_UP > 1


def test_outside_a_checkout_the_command_says_so(monkeypatch, tmp_path):
    """The console script is installed without the tests; the message says what to do."""
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    result = CliRunner().invoke(cli.main, ["bench", "--smoke"])
    assert result.exit_code == 1
    assert "checkout" in result.stderr


def test_a_wrong_option_is_wrong_usage():
    """Exit code 2, as of every command."""
    result = subprocess.run([sys.executable, "-m", "tests.bench", "--fast"], capture_output=True, check=False)
    assert result.returncode == 2
