"""The operator's commands on a real database: which feeds there are, a walk over one, what is parked."""

import json
from pathlib import Path

import pytest

import shared
from shared.clock import SystemClock
from shared.errors import Malformed, NotFound
from shared.events.envelope import Outgoing
from shared.identifiers import new_identifier
from shared.local.operations import Address, Operations, address_of
from shared.storage.unit_of_work import UnitOfWork

FILE = Path(shared.__file__).parent.parent / "scenarios" / "north-west-london" / "partnership.yaml"


@pytest.fixture
def platform(mongo_client, mongodb_uri, database_prefix) -> Operations:
    """The commands on the North West London partnership, with databases of this test's own."""
    address = Address(
        partnership_file=FILE,
        mongodb_uri=mongodb_uri,
        database_prefix=database_prefix,
        kafka_bootstrap_servers="127.0.0.1:1",
    )
    return Operations(address, mongo_client, SystemClock(), new_identifier)


def test_feeds_are_those_of_the_partnership(platform):
    """An employer has its bus feed and its private answers; the university and the board one each."""
    assert [name.topic for name in platform.feeds("ealing")] == [
        "org.ealing.enrolment.v1",
        "out.ealing.enrolment.v1",
        "org.ealing.assessment.v1",
    ]
    assert [name.topic for name in platform.feeds("goldsmiths")] == ["org.goldsmiths.accreditation.v1"]
    assert [name.topic for name in platform.feeds("nwl-board")] == ["org.nwl-board.reporting.v1"]
    assert len(platform.feeds()) == 23


@pytest.mark.parametrize(("organisation", "service"), [("camden", None), ("goldsmiths", "assessment")])
def test_a_feed_that_nobody_owns_is_not_found(platform, organisation, service):
    """Neither a stranger's nor a service that the partner has no rows in."""
    with pytest.raises(NotFound):
        platform.feeds(organisation, service)


def test_a_walk_counts_what_waits_for_a_number(platform, mongo_client, database_prefix):
    """An event that no relay has numbered is unnumbered, not lost: the feed is sound."""
    unit = UnitOfWork(
        client=mongo_client,
        service="enrolment",
        clock=SystemClock(),
        new_identifier=new_identifier,
        prefix=database_prefix,
    )
    event = Outgoing(type="enrolment.cohort-closed.v1", key="SAR/2025-09", version=1, data=b"{}")
    unit.run("brent", lambda work: work.emit(event))
    verdicts = {name.topic: verdict for name, verdict in platform.verify("brent", "enrolment")}
    assert verdicts["org.brent.enrolment.v1"].unnumbered == 1
    assert all(verdict.is_sound for verdict in verdicts.values())


def test_nothing_is_sent_again_that_was_never_sent(platform):
    """A feed without a relay has nothing to republish, and that is no fault."""
    assert list(platform.republish("ealing", None)) == []


def test_addresses_are_those_of_the_running_platform_or_of_the_environment(tmp_path, monkeypatch):
    """`running.json` first; without it, an environment that says too little is refused."""
    told = {"PARTNERSHIP_FILE": "p.yaml", "MONGODB_URI": "mongodb://x", "KAFKA_BOOTSTRAP_SERVERS": "y:1"}
    (tmp_path / "running.json").write_text(json.dumps({"environment": told}))
    assert address_of(tmp_path).kafka_bootstrap_servers == "y:1"
    monkeypatch.delenv("MONGODB_URI", raising=False)
    with pytest.raises(Malformed, match="MONGODB_URI"):
        address_of(tmp_path / "nowhere")
