"""The board's projections are built anew beside the running ones, under load and with the reader killed on the way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from shared.local.play.doors import Doors
from tests.faults.processes.load import Load
from tests.faults.processes.stage import BOARD, CLOCK, Stage, on_board, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
TABLE = "nominations"
PARTNERSHIP = str(Path(sys.executable).with_name("partnership"))


class Looking(threading.Thread):
    """Somebody who looks at a table again and again; `seen` counts how many rows there were."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.seen: Counter[int] = Counter()
        self.faults: list[BaseException] = []
        self.ending = threading.Event()
        self._doors = Doors(stage.platform, CLOCK)

    def run(self) -> None:
        """Look until told to end; whatever is no answer is kept."""
        operator = self._doors.as_("reporting", BOARD, "operator")
        try:
            while not self.ending.wait(0.05):
                self.seen[len(operator.get(f"/v1/projections/{TABLE}")["rows"])] += 1
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.faults.append(error)
        finally:
            self._doors.close()


def test_rebuild_under_load_whose_reader_is_killed_mends_the_figures_and_leaves_nobody_without_them(stage):
    """What was wrong on purpose is named; whoever looks sees a table all the time.

    That it is right afterwards, with all that came meanwhile, is what the check after this test looks at.
    """
    with Load(stage, stage.history, per_second=8, gives_up_every=9, awards=True).running() as load:
        until(lambda: load.acknowledged() > 40, "clients to be served")
        with stage.client() as client:
            rows = on_board(client, "rollups")
            until(lambda: rows.find_one({"nominated": {"$gt": 0}}), "a figure")
            assert rows.update_one({"nominated": {"$gt": 0}}, {"$inc": {"nominated": 5}}).modified_count
        before = stage.said("reporting-consume").count("rebuild.begun")
        looking = Looking(stage)
        looking.start()
        words = [PARTNERSHIP, "rebuild", "--state", str(stage.platform.place.directory), "reporting"]
        asked = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(
            lambda: stage.said("reporting-consume").count("rebuild.begun") > before, "the rebuild to begin", pause=0.02
        )
        was = stage.kill("reporting-consume")
        stage.restarted("reporting-consume", was)
        began = CLOCK.monotonic()
        said, _ = asked.communicate(timeout=240)
        stage.figure("6", f"rebuild under load, its reader killed: over after {CLOCK.monotonic() - began:.1f} s more")
        looking.ending.set()
        looking.join()
    assert stage.said("reporting-consume").count("rebuild.begun") > before + 1, "it was over before its builder died"
    assert "DIFFERS" in said, said
    assert "swapped" in said or "done" in said, said
    assert looking.faults == []
    assert looking.seen
    assert 0 not in looking.seen, "somebody saw an empty table"
