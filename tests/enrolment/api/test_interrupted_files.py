"""Files whose worker died, or that two workers took (fault C12): each row is checked and imported once."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.enrolment.application import upload_handlers, uploads
from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.storage.files import read_file
from shared.errors import ConcurrentChange, Unavailable
from tests.enrolment.api.nomination_files import a_file, a_line, rows_of, send


def _step(house, step):
    return house.unit.run("harrow", lambda work: step(house.opener.desk(work)))


def _expire(house, upload_id: str, **when: object) -> None:
    jobs = house.unit.database("harrow")["uploads"]
    jobs.update_one({"_id": upload_id, **when}, {"$set": {"leased_until": None}})


def test_c12_an_import_that_died_is_resumed_and_its_first_worker_writes_nothing_more(house):
    """250 of 600 rows by one worker, the rest by the next; the first one wakes up fenced; each person once."""
    house.open_course(capacity=1000)
    upload_id = house.upload(a_file(*map(a_line, range(1, 601))), "x.csv", "harrow")["id"]
    house.good("POST", f"enrolment-uploads/{upload_id}/confirm", org="harrow", json={})
    dead = _step(house, lambda desk: upload_handlers.lease(desk, upload_id))
    dead = _step(house, lambda desk: upload_handlers.import_step(desk, dead))
    assert (dead.done, dead.state) == (uploads.IMPORTED_PER_STEP, uploads.CONFIRMING)
    _expire(house, upload_id)
    living = _step(house, lambda desk: upload_handlers.lease(desk, upload_id))
    with pytest.raises(ConcurrentChange):
        _step(house, lambda desk: upload_handlers.import_step(desk, dead))
    _step(house, lambda desk: upload_handlers.import_step(desk, living))
    _expire(house, upload_id)
    house.worker.work_once()
    _each_person_once(house, upload_id, 600)


def test_c12_two_workers_at_one_job_check_and_import_each_row_once(house):
    """Both run at the same time, again and again, while leases run out under them.

    Not before a first row is known: a job that nobody gets on with is given up after three leases.
    """
    house.open_course(capacity=1000)
    upload_id = send(house, a_file(*map(a_line, range(1, 701)))).json["id"]
    pair = [
        UploadWorker(
            house.unit, ["harrow"], open_books=house.opener.books, open_desk=house.opener.desk, read_file=read_file
        )
        for _ in range(2)
    ]

    def work(worker: UploadWorker) -> None:
        for _ in range(4):
            _expire(house, upload_id, done={"$gt": 0})
            with contextlib.suppress(Unavailable):  # they blocked each other too long; the worker's loop tries again
                worker.work_once()

    for state in ("checked", "completed"):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, pair))
        _expire(house, upload_id)
        house.worker.work_once()
        job = house.good("GET", f"enrolment-uploads/{upload_id}", org="harrow")
        assert (job["state"], job["counts"]["accepted"]) == (state, 700)
        if state == "checked":
            house.good("POST", f"enrolment-uploads/{upload_id}/confirm", org="harrow", json={})
    _each_person_once(house, upload_id, 700)


def test_c12_rows_that_were_checked_already_are_not_checked_again(house):
    """A commit whose answer was lost is not made twice."""
    house.open_course()
    upload_id = send(house, a_file(*map(a_line, range(1, 601)))).json["id"]
    held = _step(house, lambda desk: upload_handlers.lease(desk, upload_id))
    rows = upload_handlers.read_part(read_file(a_file(*map(a_line, range(1, 601))), held.mapping), held.mapping)
    _step(house, lambda desk: upload_handlers.check_step(desk, held, rows[:500], 600))
    with pytest.raises(ConcurrentChange):
        _step(house, lambda desk: upload_handlers.check_step(desk, held, rows[:500], 600))
    assert house.unit.database("harrow")["upload_rows"].count_documents({}) == 500


def _each_person_once(house, upload_id: str, count: int) -> None:
    job = house.good("GET", f"enrolment-uploads/{upload_id}", org="harrow")
    assert (job["state"], job["counts"]["accepted"]) == ("completed", count)
    assert [row["line"] for row in rows_of(house, upload_id)] == list(range(2, count + 2))
    people = [found["employee_ref"] for found in house.pages("enrolments", "harrow")]
    assert len(set(people)) == len(people) == count
    asked = [event["subject"] for event in house.events("harrow") if event["type"] == "enrolment.requested.v1"]
    assert len(set(asked)) == len(asked) == count
