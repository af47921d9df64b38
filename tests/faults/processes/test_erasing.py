"""An erasure whose worker is killed in its steps, on a platform of its own: the erased cannot be asked about later."""

from __future__ import annotations

import pytest

from shared.local.play.doors import Doors
from tests.faults.processes.dying import COMMIT, COMMITTED, Order
from tests.faults.processes.load import INTAKES, a_record, open_cohorts
from tests.faults.processes.stage import CLOCK, a_stage, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
EMPLOYER = "hazel-house"
NUMBER = 700_001
MOST_DEATHS = 3
"""After the first; a program that dies more than five times within a minute is not started again."""


@pytest.mark.parametrize("point", [COMMIT, COMMITTED])
def test_p7_worker_killed_in_the_steps_of_an_erasure_ends_it(tmp_path, figures, point):
    """However often it dies, in or after its transactions, the person is gone in the end and everybody has answered."""
    with a_stage(tmp_path) as stage, stage.client() as client:
        open_cohorts(stage)
        doors = Doors(stage.platform, CLOCK)
        hr, operator = (doors.as_("enrolment", EMPLOYER, role) for role in ("hr", "operator"))
        hr.post(hr.path("enrolments"), a_record(f"E{NUMBER}", NUMBER, INTAKES[0]))
        stage.quiet()
        person = hr.get(hr.path(f"practitioners/E{NUMBER}"))["practitioner_id"]
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
        database = client[f"enrolment__{EMPLOYER}"]
        said = f"person{NUMBER}@load.example"
        holding = [
            name
            for name in database.list_collection_names()
            if any(said in repr(document) for document in database[name].find({}))
        ]
        assert holding == []
        doors.close()


def is_over(operator, path: str) -> bool:
    """Return whether an erasure is done and everybody has answered."""
    found = operator.get(path)
    return found["state"] == "done" and not found["missing"]
