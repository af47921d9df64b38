"""Runs one side as a process, bounded in time, and holds what it wrote against what was published."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count

import msgspec
from kafka import KafkaConsumer, TopicPartition

from shared.local.platform import ROOT
from shared.storage.mongo import Client, MongoDatabase, database_name
from tests.bench.peers.catalogue import ENVIRONMENTS, SIDES, Peer
from tests.bench.peers.events import sum_of_serials
from tests.bench.peers.null_sink import EFFECTS
from tests.bench.peers.publishing import FEED, PLAIN, READER

NULL, SEC = "NULL", "SEC"
RUN_SECONDS = 60.0
"""How long one run may take, its start included."""
MOST_SAID = 200
_NUMBERS = count(1)


class DidNotRun(Exception):
    """A side gave no figure; the message says why, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one side. `committed` is the offset that the broker (for the platform: its database) holds."""

    events: int
    seconds: float
    cpu_seconds: float
    peak_mebibytes: float
    committed: int | None = None

    @property
    def per_second(self) -> float:
        """Return the events done per second."""
        return self.events / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """Return the side's own CPU microseconds per event, all its threads."""
        return self.cpu_seconds / self.events * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a side runs on: the broker, and the sink with its name."""

    servers: str
    sink: str
    uri: str
    client: Client
    events: int
    seconds: float = RUN_SECONDS


def run_peer(place: Place, peer: Peer) -> Run:
    """Run a peer once.

    Raises:
        DidNotRun: it is not installed, takes too long, fails, or did not write what was published.
    """
    why = ENVIRONMENTS / f"{peer.environment}.why"
    if not (ENVIRONMENTS / peer.environment / ".ready").exists():
        raise DidNotRun(reason_in(why.read_text(encoding="utf-8") if why.exists() else "its environment is not made"))
    name = f"peer{next(_NUMBERS)}"
    line = _run(place, [str(peer.python), "-m", peer.module, *peer.arguments], PLAIN, name, name)
    committed = committed_offset(place.servers, name)
    found = checked(place, place.client[name], line)
    if peer.commits and committed != place.events:
        raise DidNotRun(f"committed offset {committed} of {place.events}")
    return replace(found, committed=committed)


def run_platform(place: Place) -> Run:
    """Run the platform's side once.

    Raises:
        DidNotRun: it takes too long, fails, or did not write what was published.
    """
    prefix = f"p{next(_NUMBERS)}-"
    line = _run(place, [sys.executable, "-m", f"{SIDES}.the_platform"], FEED.topic, "none", prefix)
    name = database_name(READER, FEED.organisation, prefix)
    found = checked(place, place.client[name], line)
    position = place.client[name]["positions"].find_one({"_id": FEED.topic})
    if position is None or position["number"] != place.events:
        raise DidNotRun("its position is not at the feed's end")
    return replace(found, committed=position["number"])


def _run(place: Place, command: Sequence[str], topic: str, group: str, database: str) -> Run:
    """Run a command with the errand as its arguments, alone in its process group, and return what it said."""
    errand = {
        "servers": place.servers,
        "topic": topic,
        "group": group,
        "mongodb-uri": place.uri,
        "database": database,
        "collection": EFFECTS,
        "events": str(place.events),
    }
    arguments = [word for name, value in errand.items() for word in (f"--{name}", value)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-peer-") as directory,
        subprocess.Popen(
            [*command, *arguments],
            cwd=directory,
            env={"PATH": "/usr/bin:/bin", "HOME": directory, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            out, err = process.communicate(timeout=place.seconds)
        except subprocess.TimeoutExpired:
            raise DidNotRun(f"not done after {place.seconds:.0f} s") from None
        finally:
            end_group(process)
    return told(out, err, process.returncode)


def end_group(process: subprocess.Popen[str]) -> None:
    """End a side and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def told(out: str, err: str, code: int) -> Run:
    """Return the figures of the last line that a side printed.

    Raises:
        DidNotRun: there is none.
    """
    try:
        return msgspec.json.decode(out.strip().splitlines()[-1], type=Run)
    except (IndexError, msgspec.DecodeError, msgspec.ValidationError):
        raise DidNotRun(f"exit code {code}: {reason_in(err)}") from None


def reason_in(text: str) -> str:
    """Return what an error's output comes to: its last line that says something, with no path and no address."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wheels = [line for line in lines if "no wheels" in line or "no matching" in line.lower()]
    line = (wheels or lines or ["it said nothing"])[-1]
    return re.sub(r"(\w+://|/)\S+", "...", line)[:MOST_SAID]


def checked(place: Place, database: MongoDatabase, run: Run) -> Run:
    """Hold the sink against what was published.

    Raises:
        DidNotRun: count or sum differ.
    """
    rows, total = tally(place, database)
    if (run.events, rows, total) != (place.events, place.events, sum_of_serials(place.events)):
        raise DidNotRun(
            f"{run.events} told, {rows} rows with sum {total} in the sink, published were {place.events} "
            f"with sum {sum_of_serials(place.events)}"
        )
    return run


def tally(place: Place, database: MongoDatabase) -> tuple[int, int]:
    """Return how many rows the sink has and what their serials add up to."""
    if place.sink == NULL:
        said = database.command("tally")
        return said["count"], said["sum"]
    serials = [row["serial"] for row in database[EFFECTS].find({}, {"serial": 1})]
    return len(serials), sum(serials)


def committed_offset(servers: str, group: str) -> int | None:
    """Return the offset that the broker holds for a group, None where it holds none."""
    consumer = KafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    try:
        offset = consumer.committed(TopicPartition(PLAIN, 0))
    finally:
        consumer.close(autocommit=False)
    return offset
