"""`partnership export`, `import` and `erase` as they are typed, on real databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import shared
from shared.clock import SystemClock
from shared.events.envelope import Outgoing
from shared.events.feed import FeedName
from shared.identifiers import new_identifier
from shared.local.cli import main
from shared.local.issuer import LocalIssuer
from shared.storage.unit_of_work import UnitOfWork
from tests.shared.storage.test_dump import number_all

FILE = Path(shared.__file__).parent.parent / "scenarios" / "north-west-london" / "partnership.yaml"
EVENT = Outgoing(type="enrolment.cohort-closed.v1", key="SAR/2025-09", version=1, data=b"{}")


@pytest.fixture
def old(mongo_client, database_prefix):
    """Brent's enrolment at the old place: one row, one event with its number."""
    prefix = f"o{database_prefix[-8:]}"
    clock = SystemClock()
    unit = UnitOfWork(
        client=mongo_client, service="enrolment", clock=clock, new_identifier=new_identifier, prefix=prefix
    )

    def change(work):
        work.rows("enrolments").insert_one({"_id": "e-1", "course": "SAR"})
        work.emit(EVENT)

    unit.run("brent", change)
    number_all(unit, FeedName("org", "brent", "enrolment"))
    return unit, prefix


@pytest.fixture
def typed(tmp_path, mongodb_uri):
    """Type a command on an instance that is named by its environment."""
    issuer = LocalIssuer(tmp_path / "keys", "local", SystemClock(), new_identifier)
    issuer.prepare(("brent",))

    def run(prefix, *arguments):
        environment = {
            "PROFILE": "local",
            "PARTNERSHIP_FILE": str(FILE),
            "MONGODB_URI": mongodb_uri,
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "DATABASE_PREFIX": prefix,
            "TRUSTED_ISSUERS_FILE": str(issuer.trusted_issuers_file),
            "ORGANISATION_KEYS_DIR": str(issuer.keys_dir),
        }
        command, *rest = [str(argument) for argument in arguments]
        return CliRunner().invoke(main, [command, "--state", str(tmp_path / "state"), *rest], env=environment)

    return run


def test_organisation_moves_by_export_and_import(old, typed, tmp_path, database_prefix, mongo_client):
    """The old place writes the feed no more; the new one has the rows, and the same feed with the same hash."""
    unit, prefix = old
    taken = typed(prefix, "export", "--organisation", "brent", "--move", tmp_path / "dump")
    assert taken.exit_code == 0, taken.output
    assert "keys are not among them" in taken.output
    assert unit.database("brent")["org_state"].find_one({"_id": "head"})["holder"] == "moved to another instance"
    manifest = json.loads((tmp_path / "dump" / "manifest.json").read_text())
    there = f"n{database_prefix[-8:]}"
    loaded = typed(there, "import", tmp_path / "dump")
    assert loaded.exit_code == 0, loaded.output
    line = next(line for line in loaded.output.splitlines() if line.startswith("org.brent.enrolment.v1"))
    assert "1 events" in line
    assert line.endswith("sound")
    assert manifest["heads"]["enrolment/org"][1].startswith(line.split(",")[1].strip())
    moved = UnitOfWork(
        client=mongo_client, service="enrolment", clock=SystemClock(), new_identifier=new_identifier, prefix=there
    )
    assert moved.database("brent")["enrolments"].find_one({"_id": "e-1"})["course"] == "SAR"
    again = typed(there, "export", "--organisation", "nobody", tmp_path / "other")
    assert (again.exit_code, "none of the partners" in again.stderr) == (1, True)


def test_import_does_not_load_over_data_or_half_a_dump(old, typed, tmp_path):
    """Each with exit code 1 and a sentence; nothing is changed."""
    _, prefix = old
    assert typed(prefix, "export", "--organisation", "brent", tmp_path / "dump").exit_code == 0
    over = typed(prefix, "import", tmp_path / "dump")
    assert over.exit_code == 1
    assert over.stderr.startswith("partnership: ")
    (tmp_path / "dump" / "manifest.json").unlink()
    half = typed(f"h{prefix[-8:]}", "import", tmp_path / "dump")
    assert half.exit_code == 1


def test_erase_where_nothing_runs_says_which_http_routes_do_it(typed):
    """An installation that is not a local run has no `running.json`: its operator is told what to ask."""
    told = typed("x", "erase", "--organisation", "brent", "--practitioner", new_identifier())
    assert told.exit_code == 1
    assert "POST /v1/organisations/ORG/practitioners/ID/erase" in told.stderr
    assert "GET /v1/organisations/ORG/erasures/ERASURE" in told.stderr
