"""An erasure whose worker is killed in its steps, on a platform of its own: the erased cannot be asked about later."""

from __future__ import annotations

import pytest

from shared.identifiers import new_identifier
from shared.local.play.doors import Doors
from shared.testing.history import Operation, Outcome
from tests.faults.processes.dying import COMMIT, COMMITTED, Order
from tests.faults.processes.load import INTAKES, NOMINATE, Load, a_record, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import CLOCK, Stage, a_stage, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
EMPLOYER = "hazel-house"
NUMBER = 700_001
MOST_DEATHS = 3
"""After the first; a program that dies more than five times within a minute is not started again."""


@pytest.mark.parametrize("point", [COMMIT, COMMITTED])
def test_p7_worker_killed_in_the_steps_of_an_erasure_ends_it(tmp_path, figures, point):
    """However often it dies, in or after its transactions, the person is gone in the end and everybody has answered.

    Of everybody else nothing is lost, doubled or stale, and the erased one still counts where they counted.
    """
    with a_stage(tmp_path) as stage:
        open_cohorts(stage)
        doors = Doors(stage.platform, CLOCK)
        hr, operator = (doors.as_("enrolment", EMPLOYER, role) for role in ("hr", "operator"))
        asking = nominated(stage, hr)
        person = hr.get(hr.path(f"practitioners/{asking.label}"))["practitioner_id"]
        died = stage.die("enrolment-worker", Order(point, touches=f"{EMPLOYER}/erasures"))
        asked = operator.post(operator.path(f"practitioners/{person}/erase"), {"basis": "person_asked"})
        path, deaths = operator.path(f"erasures/{asked['id']}"), 0
        began = CLOCK.monotonic()
        until(died.exists, "the worker to die in a step of the erasure")
        while died.exists() and deaths < MOST_DEATHS:
            deaths += 1
            died = stage.die("enrolment-worker", Order(point, touches=f"{EMPLOYER}/erasures"))
            until(lambda died=died: died.exists() or is_over(operator, path), "the next step")
        (stage.orders / "enrolment-worker").unlink(missing_ok=True)
        until(lambda: is_over(operator, path), "the erasure to end")
        took = CLOCK.monotonic() - began
        figures.append(f"P7: erasure, its worker killed {deaths} times at '{point}': done after {took:.1f} s")
        doors.close()
        assert holding(stage, f"person{NUMBER}@load.example") == []
        asking.label = "erased"  # what stands in the place of the employer's own number, and in no other row here
        stage.quiet()
        findings(stage, stage.history).require_none()


def nominated(stage: Stage, hr) -> Operation:
    """Nominate the person who will be erased, and others, and let everybody hear of them; return the request."""
    asking = stage.history.invoke(kind=NOMINATE, label=f"E{NUMBER}", key=new_identifier())
    made = hr.post(hr.path("enrolments"), a_record(asking.label, NUMBER, INTAKES[0]))["enrolment_id"]
    stage.history.ended(asking, Outcome.OK, made)
    with Load(stage, stage.history, per_second=8, gives_up_every=9, awards=True, pieces_each=1).running() as load:
        until(lambda: load.acknowledged() > 60, "clients to be served")
    stage.quiet()
    return asking


def holding(stage: Stage, said: str) -> list[str]:
    """Return the collections of the employer in which something stands."""
    with stage.client() as client:
        database = client[f"enrolment__{EMPLOYER}"]
        names = database.list_collection_names()
        return [name for name in names if any(said in repr(document) for document in database[name].find({}))]


def is_over(operator, path: str) -> bool:
    """Return whether an erasure is done and everybody has answered."""
    found = operator.get(path)
    return found["state"] == "done" and not found["missing"]
