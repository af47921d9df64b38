"""Files, rows and cells beyond any use (faults C4 and C5): refused with their row, early, and in little memory."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from services.enrolment.application import upload_handlers
from services.enrolment.domain.records import FIELDS
from services.enrolment.domain.text_files import MOST_BYTES, MOST_ROWS
from tests.enrolment.api.nomination_files import HEADINGS, a_file, a_line, rows_of, send

ROOT = Path(__file__).parents[3]
MOST_GROWTH_MIB = 64


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def readable(self) -> bool:
        """Say that it could be read."""
        return True

    def readinto(self, _buffer: object) -> int:
        """Fail."""
        raise AssertionError("the body was read")


def test_c4_a_hundred_megabytes_are_refused_before_a_byte_is_read(house):
    """The length says enough."""
    answer = house.ask(
        "POST",
        "enrolment-uploads",
        org="harrow",
        content_type="text/csv",
        environ_overrides={"CONTENT_LENGTH": str(100 * 2**20), "wsgi.input": Unread()},
    )
    assert answer.status_code == 413
    assert house.pages("enrolment-uploads", "harrow") == []


def test_c4_a_file_at_the_limit_is_taken_and_one_byte_more_is_not(house):
    """The limit is one that the database takes in one transaction."""
    content = b"\n" * (MOST_BYTES - 2) + b"x\n"
    sent = send(house, content)
    assert (sent.status_code, sent.json["state"]) == (202, "checking")
    assert house.unit.database("harrow")["contents"].count_documents({}) == MOST_BYTES // 2**20
    assert house.ask("DELETE", f"enrolment-uploads/{sent.json['id']}", org="harrow").status_code == 204
    house.worker.work_once()
    assert house.unit.database("harrow")["contents"].count_documents({}) == 0
    assert send(house, content + b"x").status_code == 413


def test_c4_cells_of_any_length_stay_small_in_the_report(house):
    """Fifty rows of a hundred thousand characters are refused row by row, and their report is short."""
    house.open_course()
    job = house.upload(a_file(*(a_line(number, team="x" * 100_000) for number in range(1, 51))), "x.csv", "harrow")
    assert (job["state"], job["counts"]["refused"]) == ("checked", 50)
    answer = house.ask("GET", f"enrolment-uploads/{job['id']}/errors.csv", org="harrow")
    assert len(answer.get_data()) < 100_000


def test_c4_more_rows_than_the_limit_are_refused_and_none_is_kept(house):
    """A small file of many rows is looked through before anything is decided."""
    house.open_course()
    line = ",".join(["x"] * len(FIELDS)) + "\n"
    content = (HEADINGS + "\n" + line * (MOST_ROWS + 1)).encode()
    assert upload_handlers.CHECKED_AT_THE_DOOR_BYTES < len(content) < MOST_BYTES
    job = house.upload(content, "x.csv", "harrow")
    assert (job["state"], str(MOST_ROWS) in job["fault"]) == ("failed", True)
    assert rows_of(house, job["id"]) == []
    assert house.unit.database("harrow")["contents"].count_documents({}) == 0
    assert house.ask("POST", f"enrolment-uploads/{job['id']}/confirm", org="harrow", json={}).status_code == 409


READ = """
    import sys
    from services.enrolment.domain.mapping import FileMapping
    from services.enrolment.domain.records import FIELDS
    from services.enrolment.domain.text_files import MOST_BYTES
    from services.enrolment.storage.files import read_file

    def peak():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    cell = b'"' + "José ".encode() * 4 + b'"'
    line = b",".join([cell] * len(FIELDS)) + b"\\r\\n"
    small = ",".join(FIELDS).encode() + b"\\r\\n" + line
    assert sum(1 for _ in read_file(small, FileMapping(format="csv"))) == 1
    before = peak()
    content = small + line * min(49_999, (MOST_BYTES - len(small)) // len(line))
    for _ in range(2):
        rows = sum(1 for _ in read_file(content, FileMapping(format="csv")))
    print(rows, len(content), peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured where the kernel says")
def test_c4_a_file_at_the_limit_is_read_in_less_than_64_mib():
    """A process that reads the largest file twice grows by little more than the file itself."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(READ)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows, size, growth_kib = map(int, done.stdout.split())
    assert rows > 30_000
    assert size > MOST_BYTES - 2**10
    assert growth_kib < MOST_GROWTH_MIB * 1024


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (a_file(a_line(1), a_line(2, team="x" * 131_073)), 3),
        (a_file(a_line(1), "," * 10_000), 3),
        ((HEADINGS + "\n" + "a" * 200_000).encode(), 2),
    ],
    ids=["field", "columns", "line"],
)
def test_c5_a_cell_or_row_beyond_any_use_is_refused_with_its_row(house, content, row):
    """At once, and nothing before it is kept."""
    answer = send(house, content)
    assert (answer.status_code, [fault["row"] for fault in answer.json["errors"]]) == (422, [row])


def test_c5_one_line_of_megabytes_fails_the_job_with_its_row(house):
    """A file too large for the door is refused by the worker, which lives on."""
    house.open_course()
    content = a_file(a_line(1)) + b"a," * 4_000_000
    job = house.upload(content, "x.csv", "harrow")
    assert (job["state"], job["fault_row"]) == ("failed", 3)
    assert house.upload(a_file(a_line(1)), "x.csv", "harrow")["state"] == "checked"
