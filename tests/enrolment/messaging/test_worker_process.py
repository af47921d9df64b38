"""The worker as an operating system's process of its own: files go through, and what is over lapses."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest

from services.enrolment import bootstrap
from shared.clock import SystemClock
from tests.enrolment.conftest import a_record, raw
from tests.enrolment.messaging.test_processes import _until


class Earlier(SystemClock):
    """The machine's clock, forty days ago."""

    def now(self):
        """Return an earlier instant."""
        return super().now() - timedelta(days=40)


@contextmanager
def worker_process(log):
    """Run `python -m services.enrolment worker` with this test's settings; it must end well when it is told to."""
    with log.open("wb") as written:
        command = [sys.executable, "-m", "services.enrolment", "worker"]
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
        try:
            yield process
            assert process.poll() is None, log.read_text()
        finally:
            process.terminate()
            ended = process.wait(30)
    assert ended == 0, log.read_text()


@pytest.mark.timeout(150)
def test_real_worker_lets_offers_lapse_and_brings_files_through(house, enrolment_settings, tmp_path, monkeypatch):
    """An offer that is over goes back and its reason is on the history; a file is checked, confirmed and taken."""
    bootstrap.prepare(enrolment_settings)
    house.open_course(capacity=5)
    settings = house.ask("GET", "enrolment-settings")
    body = {**settings.json, "accepts_offers": "by_hand", "offer_days": 14}
    house.good("PUT", "enrolment-settings", json=body, headers={"If-Match": settings.headers["ETag"]})
    offered = house.good("POST", "enrolments", json=a_record())["enrolment_id"]
    with monkeypatch.context() as earlier:
        earlier.setattr(house.unit, "clock", Earlier())
        house.settle()
    assert house.good("GET", f"enrolments/{offered}")["status"] == "offered"
    record = a_record(employee_ref="20002", email="b@brent.example", swe_number="SW20002")
    columns = {name: name for name in record}
    house.good("PUT", "column-mapping", json={"format": "csv", "columns": columns})
    line = ",".join("" if value is None else str(value) for value in record.values())
    content = f"{','.join(columns)}\n{line}".encode()

    def state_of(job):
        return house.good("GET", f"enrolment-uploads/{job}")["state"]

    with worker_process(tmp_path / "worker.log"):
        _until(lambda: house.good("GET", f"enrolments/{offered}")["status"] == "withdrawn")
        job = house.good("POST", "enrolment-uploads", data=content, **raw("one.csv"))["id"]
        _until(lambda: state_of(job) == "checked")
        house.good("POST", f"enrolment-uploads/{job}/confirm", json={})
        _until(lambda: state_of(job) == "completed")
    assert house.good("GET", f"enrolments/{offered}")["reason"] == "offer_lapsed"
    assert {one["employee_ref"] for one in house.pages("enrolments")} == {"10001", "20002"}
