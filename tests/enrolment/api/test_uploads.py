"""Files through the door: checked, confirmed, imported; recognised, refused, resumed."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from services.enrolment.application import upload_handlers, uploads
from services.enrolment.domain.records import FIELDS
from services.enrolment.domain.text_files import MOST_BYTES
from services.enrolment.storage.files import read_file
from shared.errors import ConcurrentChange
from tests.enrolment.api.nomination_files import HEADINGS, a_file, a_line, send


def test_a_file_is_checked_then_taken_and_nothing_before(house):
    """202, checked by the worker, nothing taken until it is confirmed; both twice are once."""
    house.open_course()
    sent = send(house, a_file(a_line(1), a_line(2, date_of_birth="1985-02-31"), a_line(1)))
    assert (sent.status_code, sent.json["state"]) == (202, "checking")
    early = house.ask("POST", f"enrolment-uploads/{sent.json['id']}/confirm", org="harrow", json={})
    assert early.status_code == 409
    house.worker.work_once()
    job = house.good("GET", f"enrolment-uploads/{sent.json['id']}", org="harrow")
    assert (job["state"], job["counts"]) == ("checked", {"accepted": 1, "duplicate": 1, "refused": 1})
    assert house.pages("enrolments", "harrow") == []
    for _ in range(2):
        assert house.confirm(job["id"], "harrow")["state"] == "completed"
    assert [found["status"] for found in house.pages("enrolments", "harrow")] == ["requested"]
    assert len(house.unit.database("harrow")["org_entries"].distinct("_id")) == 1


def test_c10_the_same_file_twice_is_recognised_and_has_no_second_effect(house):
    """While it is worked on it is the same job; afterwards its rows are duplicates."""
    house.open_course()
    content = a_file(a_line(1))
    first = send(house, content)
    again = send(house, content)
    assert (again.status_code, again.json["id"], again.json["seen_before"]) == (200, first.json["id"], True)
    house.worker.work_once()
    house.confirm(first.json["id"], "harrow")
    later = house.upload(content, "other-name.csv", "harrow")
    assert (later["same_as"], later["counts"]["duplicate"]) == (first.json["id"], 1)
    house.confirm(later["id"], "harrow")
    assert len(house.pages("enrolments", "harrow")) == 1


def test_c11_good_rows_are_not_held_back_by_bad_ones(house):
    """Each row for itself; the bad ones come back with the message in the cell, defused."""
    house.open_course()
    job = house.upload(
        a_file(a_line(1), a_line(2, swe_number="SW-12", team="=cmd()"), a_line(3)), "../../etc/passwd.csv", "harrow"
    )
    assert job["counts"] == {"accepted": 2, "duplicate": 0, "refused": 1}
    answer = house.ask("GET", f"enrolment-uploads/{job['id']}/errors.csv", org="harrow")
    lines = answer.get_data().decode("utf-8-sig").splitlines()
    assert lines[0] == HEADINGS
    text = "\n".join(lines[1:])
    assert "00002" in text
    assert "00001" not in text
    assert "enter the registration number as SW and up to six digits" in text
    assert "'=cmd()" in text
    only = house.pages(f"enrolment-uploads/{job['id']}/rows", "harrow")
    assert [(row["line"], row["decision"], row["codes"]) for row in only] == [
        (2, "accepted", []),
        (3, "refused", ["invalid_registration_number"]),
        (4, "accepted", []),
    ]


def test_c12_a_worker_that_died_is_followed_where_its_last_commit_stopped(house):
    """600 rows: the first 500 are checked by one worker, the rest by the next; no row stands twice."""
    house.open_course(capacity=1000)
    sent = send(house, a_file(*[a_line(number) for number in range(1, 601)]))
    upload_id = sent.json["id"]

    def run(step):
        return house.unit.run("harrow", lambda work: step(house.opener.desk(work)))

    held = run(lambda desk: upload_handlers.lease(desk, upload_id))
    rows = upload_handlers.read_part(read_file(house.worker._content("harrow", held), held.mapping), held.mapping)
    held = run(lambda desk: upload_handlers.check_step(desk, held, rows[:500], 600))
    assert (held.done, held.state) == (500, uploads.CHECKING)
    assert run(lambda desk: upload_handlers.lease(desk, upload_id)) is None
    jobs = house.unit.database("harrow")["uploads"]
    jobs.update_one({"_id": upload_id}, {"$set": {"leased_until": None}})
    house.worker.work_once()
    with pytest.raises(ConcurrentChange):
        run(lambda desk: upload_handlers.check_step(desk, held, rows[500:], 600))
    job = house.confirm(upload_id, "harrow")
    assert (job["state"], job["counts"]["accepted"]) == ("completed", 600)
    lines = [row["line"] for row in house.pages(f"enrolment-uploads/{upload_id}/rows", "harrow")]
    assert lines == list(range(2, 602))
    asked = [event for event in house.events("harrow") if event["type"] == "enrolment.requested.v1"]
    assert len({event["subject"] for event in asked}) == len(asked) == 600
    assert timedelta(0) < upload_handlers.LEASE


@pytest.mark.parametrize(
    ("content", "filename", "status"),
    [
        (b"PK\x03\x04nothing", "x.csv", 415),
        (b"PK\x03\x04nothing", "x.xlsx", 415),
        (b"<html>", "x.csv", 415),
        (b"anything", "x.exe", 415),
        (b"  ", "x.csv", 422),
        (b"a;b\n1;2\n", "x.csv", 422),
        ("employee_ref,José".encode("cp1252"), "x.csv", 422),
        (b"x" * (MOST_BYTES + 1), "x.csv", 413),
    ],
)
def test_c13_c2_c8_c4_a_file_that_cannot_be_read_is_refused_at_the_door(house, content, filename, status):
    """The status says which kind of fault, the sentence what to do; no job is left behind."""
    answer = send(house, content, filename)
    assert answer.status_code == status
    assert house.pages("enrolment-uploads", "harrow") == []


def test_c13_names_are_never_paths_and_long_ones_are_refused(house):
    """A name is for its ending and for showing, nothing else."""
    house.open_course()
    assert send(house, a_file(a_line(1)), "x" * 300 + ".csv").status_code == 400
    job = house.upload(a_file(a_line(1)), "../../../x.csv", "harrow")
    assert job["state"] == "checked"


def test_a_declared_charset_is_read(house):
    """`?charset=` says what the mapping does not."""
    house.open_course()
    content = a_file(a_line(1)).decode().encode("cp1252")
    assert send(house, content).status_code == 422
    assert send(house, content, charset="cp1252").status_code == 202


def test_a_form_upload_is_the_same_as_a_raw_one(house):
    """Browsers send a form."""
    house.open_course()
    answer = house.ask(
        "POST", "enrolment-uploads", org="harrow", data={"file": (io.BytesIO(a_file(a_line(1))), "nominations.csv")}
    )
    assert answer.status_code == 202


def test_an_upload_can_be_forgotten_until_it_is_confirmed(house):
    """DELETE before confirm; afterwards it stays."""
    house.open_course()
    job = house.upload(a_file(a_line(1)), "x.csv", "harrow")
    assert house.ask("DELETE", f"enrolment-uploads/{job['id']}", org="harrow").status_code == 204
    assert house.ask("GET", f"enrolment-uploads/{job['id']}", org="harrow").status_code == 404
    job = house.upload(a_file(a_line(1)), "x.csv", "harrow")
    house.confirm(job["id"], "harrow")
    assert house.ask("DELETE", f"enrolment-uploads/{job['id']}", org="harrow").status_code == 409


def test_i7_an_upload_of_another_employer_is_not_there(house):
    """Another organisation's job is the same 404 as none."""
    house.open_course()
    job = house.upload(a_file(a_line(1)), "x.csv", "harrow")
    assert house.ask("GET", f"enrolment-uploads/{job['id']}", org="ealing").status_code == 404
    assert house.ask("GET", f"enrolment-uploads/{job['id']}", org="ealing", at="harrow").status_code == 404


def test_templates_can_be_filled_in_and_sent_back(house):
    """A template has one's own headings where the mapping expects them."""
    house.open_course()
    template = house.ask("GET", "enrolment-uploads/template.csv", org="harrow").get_data().decode("utf-8-sig")
    job = house.upload((template + a_line(1) + "\r\n").encode(), "x.csv", "harrow")
    assert job["counts"]["accepted"] == 1
    sheet = house.ask("GET", "enrolment-uploads/template.xlsx", org="westminster")
    assert sheet.status_code == 200
    sent = send(house, sheet.get_data(), "x.xlsx", "westminster")
    assert (sent.status_code, sent.json["detail"]) == (422, "the file has no rows below its headings")


def test_a_column_mapping_that_was_never_set_is_set_with_the_etag_that_was_read(house):
    """What reads as a default has an ETag: it may be sent back, with or without it the first time, and no other."""
    read = house.ask("GET", "column-mapping", org="harrow").headers["ETag"]
    mapping = {"format": "csv", "delimiter": ";"}
    assert (
        house.ask("PUT", "column-mapping", org="harrow", json=mapping, headers={"If-Match": '"7"'}).status_code == 412
    )
    first = house.ask("PUT", "column-mapping", org="harrow", json=mapping, headers={"If-Match": read})
    assert first.status_code == 200, first.json
    assert house.ask("PUT", "column-mapping", org="harrow", json=mapping, headers={"If-Match": read}).status_code == 412


def test_a_column_mapping_that_was_set_is_used_from_the_next_file_on(house):
    """Own headings, own words, own dates."""
    house.open_course()
    mapping = {
        "format": "csv",
        "delimiter": ";",
        "columns": {name: name.upper() for name in FIELDS},
        "values": {"route": {"P": "practice_only"}},
    }
    assert house.good("PUT", "column-mapping", org="harrow", json=mapping)["delimiter"] == ";"
    assert house.ask("PUT", "column-mapping", org="harrow", json=mapping).status_code == 428
    content = (
        a_file(a_line(1, route="P"))
        .decode()
        .replace(",", ";")
        .replace(HEADINGS.replace(",", ";"), HEADINGS.upper().replace(",", ";"))
    )
    assert house.upload(content.encode(), "x.csv", "harrow")["counts"]["accepted"] == 1
