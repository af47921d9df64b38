"""What the comparison with other frameworks rests on; needs none of their environments."""

import ast
import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import bson
import msgspec
import pydantic
import pytest
from marshmallow import ValidationError
from pymongo import MongoClient
from rich.console import Console

from shared.clock import SystemClock
from shared.local.platform import ROOT
from shared.local.ports import LOOPBACK, accepts, any_free
from tests.bench.machine import Machine
from tests.bench.peers import events, with_marshmallow, with_msgspec, with_pydantic
from tests.bench.peers.catalogue import PEERS, SIDES, Peer, chosen
from tests.bench.peers.errand import Errand
from tests.bench.peers.figures import Pair, Row
from tests.bench.peers.main import asked_for, exit_code
from tests.bench.peers.null_sink import serial_of
from tests.bench.peers.report import Report, document, notes, pinned, table, versions_of
from tests.bench.peers.running import (
    NULL,
    SEC,
    DidNotRun,
    Place,
    Run,
    checked,
    committed_offset,
    reason_in,
    run_peer,
    run_platform,
    told,
)
from tests.bench.peers.sink import Sink
from tests.bench.peers.surroundings import surroundings

LOCKS = ROOT / "requirements" / "peers"
ODD = (
    None,
    "",
    " ",
    "x",
    "no-such",
    "2025-02-30",
    "a\n",
    "2025-13",
    -1,
    0,
    1.5,
    10**12,
    [],
    {},
    ["x"],
    True,
    "x" * 300,
)
AFTER = {"part_time": (False, True), "hours_per_week": (60, 60.5, 0.5, 0.4, "28.0"), "modules": (["MD001"] * 6, [])}
MISSING = object()


def leaves(document, path=()):
    """Yield the path of everything in a document that holds no other thing with a name."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name)


def size_of(thing):
    """Return how many values a document holds, those in lists too."""
    inner = thing.values() if isinstance(thing, dict) else thing
    return sum(size_of(each) if isinstance(each, dict | list) else 1 for each in inner)


def changed(document, path, value):
    """Return a copy in which one thing is another, or gone."""
    copy = json.loads(json.dumps(document))
    place = copy
    for name in path[:-1]:
        place = place[name]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


def verdicts(document):
    """Return what marshmallow, pydantic and msgspec make of a document: the row, or None."""
    found = []
    for check in (
        lambda: with_marshmallow.row(document),
        lambda: with_pydantic.row(with_pydantic.Enrolment.model_validate(document)),
        lambda: with_msgspec.row(msgspec.json.decode(json.dumps(document), type=with_msgspec.Enrolment)),
    ):
        try:
            found.append(check())
        except (ValidationError, pydantic.ValidationError, msgspec.ValidationError):
            found.append(None)
    return found


def broken():
    """Return documents of which one thing is wrong or odd: every leaf and every part, with every odd value."""
    good = json.loads(next(events.bodies(1)))
    parts = [("candidate",), ("placement",), ("course",)]
    for path in [*leaves(good), *parts]:
        for value in (*ODD, *AFTER.get(path[-1], ()), MISSING):
            yield path, value, changed(good, path, value)
        unknown = (*path[:-1], "unknown")
        yield unknown, 1, changed(good, unknown, 1)


def test_the_events_are_nested_with_22_leaves_and_about_574_bytes():
    """They are those that the first measurements were made with, in shape and size."""
    made = list(events.bodies(500))
    assert all(size_of(json.loads(each)) == 22 for each in made)
    assert sum(map(len, made)) / len(made) == pytest.approx(574, abs=6)


def test_the_events_follow_from_the_seed_and_name_nobody():
    """Two runs read the same, another seed reads something else; every address ends in .example."""
    made = list(events.bodies(50))
    assert made == list(events.bodies(50))
    assert made != list(events.bodies(50, seed=1))
    decoded = [json.loads(each) for each in made]
    assert sum(each["serial"] for each in decoded) == events.sum_of_serials(50)
    assert len({each["enrolment_id"] for each in decoded}) == 50
    assert all(each["candidate"]["email"].endswith(".example") for each in decoded)


def test_schema_and_models_take_every_event_and_store_the_same():
    """No side has less to check or less to write than another."""
    for body in events.bodies(300):
        in_marshmallow, in_pydantic, in_msgspec = verdicts(json.loads(body))
        assert in_marshmallow == in_pydantic == in_msgspec
        assert in_marshmallow is not None


def test_schema_and_models_refuse_the_same_broken_events():
    """One thing wrong at a time, at every place; where one takes it so do the others."""
    differing, refused = [], 0
    for path, value, candidate in broken():
        takes = [each is not None for each in verdicts(candidate)]
        refused += not any(takes)
        if len(set(takes)) != 1 and not is_known_difference(path, value):
            differing.append((path, value, takes))
    assert differing == []
    assert refused > 350


def is_known_difference(path, value):
    """Say whether it is a number as a day or an instant, which pydantic alone reads as seconds since 1970."""
    is_time = path[-1] in {"registered_on", "starts_on", "requested_at"}
    return is_time and isinstance(value, int | float | str) and not isinstance(value, bool)


def test_the_one_known_difference_is_that_pydantic_reads_numbers_as_times():
    """No event has one, so that nobody has less work by it."""
    document = changed(json.loads(next(events.bodies(1))), ("starts_on",), 0)
    assert [each is not None for each in verdicts(document)] == [False, True, False]


@pytest.fixture(scope="module")
def null_uri():
    """The NULL sink as the benchmark starts it."""
    port = any_free()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.peers.null_sink", str(port)], cwd=ROOT)
    clock = SystemClock()
    until = clock.monotonic() + 30
    while not accepts(port) and clock.monotonic() < until:
        clock.sleep(0.05)
    yield f"mongodb://{LOOPBACK}:{port}/?directConnection=true&retryWrites=false"
    process.terminate()
    process.wait(10)


def an_errand(uri, database):
    """Return what a side is told, as far as its sink needs it."""
    return Errand(
        servers="", topic="", group="", mongodb_uri=uri, database=database, collection="effects", events=1_500
    )


def rows(size):
    """Return the rows of the first events."""
    return [with_marshmallow.row(json.loads(body)) for body in events.bodies(size)]


def test_the_null_sink_counts_and_adds_up_what_it_acknowledges(null_uri):
    """A side that loses or invents events is found out there too."""
    with closing(Sink(an_errand(null_uri, "counted"))) as sink:
        sink.write(rows(1_500))
    with MongoClient(null_uri, timeoutMS=10_000) as client:
        place = Place(servers="", sink=NULL, uri=null_uri, client=client, events=1_500)
        run = Run(events=1_500, seconds=1.0, cpu_seconds=1.0, peak_mebibytes=1.0)
        assert checked(place, client["counted"], run) == run
        with pytest.raises(DidNotRun, match="1500 rows with sum"):
            checked(replace(place, events=1_501), client["counted"], replace(run, events=1_501))
        with pytest.raises(DidNotRun, match="0 rows"):
            checked(place, client["nothing"], run)


def test_a_serial_is_read_without_decoding_the_row_and_also_from_any_other_row():
    """The quick way and the sure way agree."""
    row = rows(1)[0]
    assert serial_of(bson.encode(row)) == serial_of(bson.encode({"x": 1, "serial": row["serial"]})) == 1


def test_a_repeated_write_is_no_error_and_adds_nothing(mongodb_uri, mongo_client, organisation):
    """The real database ignores what is there already, and the count and the sum stay right."""
    written = rows(20)
    with closing(Sink(an_errand(mongodb_uri, f"peers-{organisation}"))) as sink:
        sink.write(written)
        sink.write(written)
    place = Place(servers="", sink=SEC, uri=mongodb_uri, client=mongo_client, events=20)
    run = Run(events=20, seconds=1.0, cpu_seconds=1.0, peak_mebibytes=1.0)
    assert checked(place, mongo_client[f"peers-{organisation}"], run) == run
    mongo_client[f"peers-{organisation}"]["effects"].delete_one({"_id": written[3]["_id"]})
    with pytest.raises(DidNotRun, match="19 rows"):
        checked(place, mongo_client[f"peers-{organisation}"], run)


def test_the_platforms_side_reads_a_real_feed_and_a_peer_that_is_not_there_says_so():
    """One run of it as in the benchmark; beside it a peer without environment, and one that takes too long."""
    absent = replace(PEERS[0], environment="never-made")
    with surroundings(NULL, 1_000, SystemClock()) as place:
        run = run_platform(place)
        assert (run.events, run.committed) == (1_000, 1_000)
        assert min(run.seconds, run.cpu_seconds, run.peak_mebibytes) > 0
        with pytest.raises(DidNotRun, match="environment is not made"):
            run_peer(place, absent)
        with pytest.raises(DidNotRun, match="not done after"):
            run_platform(replace(place, seconds=0.01))
        assert committed_offset(place.servers, "nobody") is None


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        ("", "Traceback\nImportError: no module", "exit code 1: ImportError: no module"),
        ("hello\n", "", "exit code 1: it said nothing"),
        ('{"events": 1}\n', "", "exit code 1: it said nothing"),
    ],
)
def test_a_side_that_prints_no_figures_did_not_run(out, err, said):
    """Its last words are the reason."""
    with pytest.raises(DidNotRun, match=re.escape(said)):
        told(out, err, 1)


def test_a_reason_names_no_path_and_no_address():
    """It stands in a table that people pass on."""
    text = "warning\nerror: bad https://registry.example/simple for /somewhere/.bench/x (no wheels for this Python)\n"
    assert reason_in(text) == "error: bad ... for ... (no wheels for this Python)"


def a_run(speed, micros=50.0):
    """Return a run at so many events a second."""
    return Run(events=1_000, seconds=1_000 / speed, cpu_seconds=micros / 1_000, peak_mebibytes=80.0, committed=1_000)


def a_report(*found):
    """Return a report of these rows."""
    machine = Machine(system="x", processor="x", cores=2, memory_mebibytes=1, python="3.11", has_c_crc32c=True)
    return Report(
        measured_at=datetime(2025, 1, 1, tzinfo=UTC).isoformat(),
        seconds=1.0,
        machine=machine,
        versions={},
        rounds=3,
        sizes={SEC: 1_000, NULL: 1_000},
        most_load=0.1,
        rows=found,
    )


def a_row(peer, sink, *speeds):
    """Return a row of pairs of speeds."""
    return Row(
        peer=peer, sink=sink, pairs=[Pair(platform=a_run(own, 30.0), peer=a_run(other)) for own, other in speeds]
    )


def shown(report):
    """Return the tables as the screen has them."""
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    for sink in report.sizes:
        console.print(table(report, sink))
    console.file.close()
    return console.export_text()


def test_ratios_are_of_pairs_and_held_against_the_targets_of_sink_and_library():
    """The median of three, with its bounds; more is asked against marshmallow on NULL than against pydantic on SEC."""
    by = {peer.id: peer for peer in PEERS}
    row = a_row(by["arroyo"], NULL, (3_000, 1_000), (2_000, 1_000), (5_200, 2_000))
    quick = a_row(by["faststream-confluent-pydantic"], SEC, (1_500, 1_000), (1_500, 1_000), (1_500, 1_000))
    text = shown(a_report(row, quick))
    assert row.verdict.value == pytest.approx(2.6)
    assert (row.verdict.must, row.verdict.ambitious, row.verdict.met) == (2.5, 3.3, True)
    assert (quick.verdict.must, quick.verdict.ambitious) == (1.2, 1.4)
    assert "2.00..3.00" in text
    assert "ambitious" in text
    found = json.loads(document(a_report(row, quick)))
    assert found["targets"]["B2 NULL arroyo"]["met"] is True
    assert found["results"][0]["rounds"][0]["peer"]["cpu_microseconds"] == pytest.approx(50.0)
    assert found["is_complete"]


def test_a_missed_target_and_a_peer_that_did_not_run_are_said_and_the_second_is_an_error():
    """Nothing is passed over: the table, the notes, the file and the exit code say it."""
    slow = a_row(PEERS[0], SEC, (1_000, 1_000), (1_000, 1_000), (1_000, 1_000))
    gone = Row(peer=PEERS[-1], sink=SEC, why_not="no wheels for this Python")
    assert exit_code(a_report(slow)) == 0
    report = a_report(slow, gone)
    assert exit_code(report) == 1
    text = shown(report)
    assert " NO " in text
    assert "did not run" in text
    assert f"{PEERS[-1].title} on SEC did not run: no wheels for this Python" in notes(report)
    assert all(
        any(line.startswith(f"{peer.title}: less: ") for line in notes(report)) for peer in (PEERS[0], PEERS[-1])
    )
    found = json.loads(document(report))
    assert found["results"][1]["did_not_run"] == "no wheels for this Python"
    assert "B2 SEC bytewax" not in found["targets"]
    assert not found["is_complete"]


def test_every_peer_has_a_side_a_lock_and_a_note():
    """Eight of them; what is called by a name that nobody has is refused."""
    assert len(PEERS) == 8
    for peer in PEERS:
        assert (ROOT / f"{peer.module.replace('.', '/')}.py").exists()
        assert set(versions_of(peer)) == set(peer.packages)
        assert peer.less
    assert [peer.id for peer in chosen("arroyo pydantic")] == [
        "faststream-aiokafka-pydantic",
        "faststream-confluent-pydantic",
        "arroyo",
    ]
    with pytest.raises(SystemExit):
        asked_for(["--only", "spark"])


def test_locks_pin_with_hashes_hold_no_address_and_store_with_the_platforms_versions():
    """The same marshmallow and pymongo on both sides, whatever else a framework brings."""
    base = pinned((ROOT / "requirements" / "base.txt").read_text())
    files = sorted(LOCKS.glob("*.txt"))
    assert {path.stem for path in files} == {peer.environment for peer in PEERS} == {p.stem for p in LOCKS.glob("*.in")}
    for path in files:
        text = path.read_text()
        pins = pinned(text)
        assert "://" not in text
        assert len(pins) == len(re.findall(r"^[^\s#]", text, flags=re.MULTILINE))
        assert all("--hash=sha256:" in part for part in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:])
        assert {pins[name] == base[name] for name in ("marshmallow", "pymongo")} == {True}


def test_what_runs_in_a_peers_environment_imports_nothing_of_the_platform():
    """The platform is not installed there."""
    folder = ROOT / "tests" / "bench" / "peers"
    waiting = {folder / "sides" / path.name for path in (folder / "sides").glob("*.py")} - {
        folder / "sides" / "the_platform.py"
    }
    seen = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            assert not [name for name in names if name.split(".")[0] in {"shared", "services"}], path
            found = {ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("tests.")}
            waiting |= {each for each in found if each.exists()} - seen
    assert {path.name for path in seen} > {"errand.py", "sink.py", "rules.py", "with_pydantic.py"}
    assert SIDES.endswith("sides")


def test_a_peer_is_a_value():
    """So that it can be a key."""
    assert isinstance(PEERS[0], Peer)
    assert len(set(PEERS)) == len(PEERS)
