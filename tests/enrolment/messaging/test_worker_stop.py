"""A worker that is told to stop finishes its step and gives its job back: the next worker goes on at once."""

from __future__ import annotations

import threading

from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.storage.files import read_file
from tests.enrolment.conftest import a_record, raw

ROWS = 1_200
TOLD_TO_STOP_AT = ROWS + 600
"""A file is gone through twice: the second time, in the second step of 500 rows."""


def test_p20_a_worker_told_to_stop_finishes_its_step_and_gives_the_job_back(house):
    """Nothing is half done, no lease is left to run out, and no row is checked twice."""
    house.open_course(capacity=5)
    record = a_record()
    columns = {name: name for name in record}
    house.good("PUT", "column-mapping", json={"format": "csv", "columns": columns})
    lines = [
        ",".join("" if value is None else str(value) for value in a_record(employee_ref=str(20_000 + number)).values())
        for number in range(ROWS)
    ]
    content = "\n".join([",".join(columns), *lines]).encode()
    job = house.good("POST", "enrolment-uploads", data=content, **raw("many.csv"))["id"]
    stop, seen = threading.Event(), []

    def interrupted(content, mapping):
        for row in read_file(content, mapping):
            seen.append(row)
            if len(seen) == TOLD_TO_STOP_AT:
                stop.set()
            yield row

    doors = house.opener
    organisations = ["brent"]
    first = UploadWorker(house.unit, organisations, open_books=doors.books, open_desk=doors.desk, read_file=interrupted)
    first.run(stop)
    uploads = house.unit.database("brent")["uploads"]
    left = uploads.find_one({"_id": job})
    assert (left["state"], left["done"], left["leased_until"]) == ("checking", 1_000, None)
    second = UploadWorker(house.unit, organisations, open_books=doors.books, open_desk=doors.desk, read_file=read_file)
    second.work_once()
    done = uploads.find_one({"_id": job})
    assert (done["state"], done["done"], done["epoch"]) == ("checked", ROWS, left["epoch"] + 1)
    assert house.unit.database("brent")["upload_rows"].count_documents({"upload_id": job}) == ROWS
