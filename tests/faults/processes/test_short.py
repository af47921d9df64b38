"""Faults on real processes, in short: what `make test` runs of it. The rest has the marker `faults`."""

import pytest

from shared.testing.history import History, Kind
from tests.faults.processes.load import WORDS_OF_PAYLOADS, Load, open_cohorts
from tests.faults.processes.observing import findings, nominations, own, seen_on
from tests.faults.processes.stage import EMPLOYERS, Stage, a_stage, until

pytestmark = pytest.mark.timeout(900)
WRONG_ON_PURPOSE = {
    "portfolios",
    "evidence in portfolios",
    "the owner's places",
    "the report's figures",
    "the ledger",
    "credits issued and awarded",
}


def test_p1_p3_p5_kill_9_under_load_loses_doubles_and_delays_nothing_for_good(tmp_path):
    """While clients write, API, relay and two readers are killed: each answer holds, everywhere, once."""
    with a_stage(tmp_path, dying=False) as stage:
        history = killed_one_after_the_other(stage)
        assert Kind.LOST in of_a_confirmation_that_nobody_made(stage, history)
        spoil(stage)
        found = findings(stage, history, topics=False)
        assert {violation.where for violation in found.violations} >= WRONG_ON_PURPOSE
        assert min(found.lost, found.doubled, found.stale) > 0, "the check sees what is wrong on purpose"


def killed_one_after_the_other(stage: Stage) -> History:
    """Kill an API, a relay and two readers under load, check everything, and return what was asked.

    No log holds a word of what was sent, whoever was killed on the way.
    """
    open_cohorts(stage)
    history = History()
    with Load(stage, history, per_second=14, gives_up_every=9, awards=True, pieces_each=1).running() as load:
        for program in ("enrolment-api", "enrolment-relay", "enrolment-consume", "reporting-consume"):
            before = load.acknowledged()
            was = stage.kill(program)
            stage.restarted(program, was)
            until(lambda load=load, before=before: load.acknowledged() > before + 5, "clients to be served again")
    stage.quiet()
    assert history.counts()["failed"] == load.turned_away > 0, "somebody was nominated for what nobody offers"
    findings(stage, history).require_none()
    said = {
        log.name: log.read_text(encoding="utf-8", errors="replace") for log in stage.platform.place.logs.glob("*.log")
    }
    assert "event.taken" in said["reporting-consume.log"]
    assert [(name, word) for name, text in said.items() for word in WORDS_OF_PAYLOADS if word in text] == []
    return history


def of_a_confirmation_that_nobody_made(stage: Stage, history: History) -> set[Kind]:
    """Return what is said of the confirmations when an employer has taken a seat's event and told nobody of it."""
    with stage.client() as client:
        seen = seen_on(stage, client, history)
        for topic in own("enrolment", *EMPLOYERS):
            told = [event for event, _ in seen.feeds[topic] if event.type == "enrolment.withdrawn.v1"]
            gone = {event.subject for event in told}
            for one in seen.feeds[topic]:
                if one[0].type == "enrolment.confirmed.v1" and one[0].subject not in gone:
                    seen.feeds[topic].remove(one)
                    found = nominations(client, seen, history)
                    return {violation.kind for violation in found if violation.where == "confirmations"}
    return set()


def spoil(stage: Stage) -> None:
    """Lose one effect, one piece and one credit, make an effect that nobody asked for, and make one figure stale."""
    with stage.client() as client:
        assert client["accreditation__westbridge"]["credits"].delete_one({}).deleted_count == 1
        assert client["assessment__vale"]["portfolios"].delete_one({}).deleted_count == 1
        lose = {"$pull": {"evidence": {"ref": "w1"}}}
        assert client["assessment__marchland"]["portfolios"].update_one({"evidence.ref": "w1"}, lose).modified_count
        place = client["enrolment__marchland"]["places"].find_one({})
        client["enrolment__marchland"]["places"].insert_one({**place, "_id": "nobody"})
        client["reporting__marchland-board"]["rollups"].update_one({}, {"$inc": {"nominated": 1}})
