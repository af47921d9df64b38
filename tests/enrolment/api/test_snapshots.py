"""Snapshots and endings: who is left out is listed before, withdrawn after, and many need a second person."""

from __future__ import annotations

from services.enrolment.application import upload_handlers, uploads
from services.enrolment.domain.records import FIELDS
from tests.enrolment.domain.test_oneroster import archive, delta, with_line


def _row(number: int, **changes: str) -> str:
    values = {
        "employee_ref": f"E{number:04d}",
        "given_name": "José",
        "family_name": "Example",
        "email": "a@harrow.example",
        "date_of_birth": "1980-01-02",
        "swe_number": f"SW{number}",
        "pcf_level": "SW",
        "employment_start": "2018-01-03",
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "manager_approved_on": "2025-07-01",
    } | changes
    return ",".join(values.get(name, "") for name in FIELDS)


def _file(*rows: str) -> bytes:
    return "\r\n".join([",".join(FIELDS), *rows, ""]).encode()


def _people(*numbers: int) -> bytes:
    return _file(*map(_row, numbers))


def _send(house, content: bytes, subject: str = "first", filename: str = "x.csv", **query: str):
    return house.ask(
        "POST",
        "enrolment-uploads",
        org="harrow",
        subject=subject,
        data=content,
        content_type="application/octet-stream",
        query_string={"filename": filename, **query},
    )


def _checked(house, content: bytes, **query: str):
    sent = _send(house, content, **query)
    assert sent.status_code == 202, sent.get_data(as_text=True)
    house.worker.work_once()
    return house.good("GET", f"enrolment-uploads/{sent.json['id']}", org="harrow")


def _confirm(house, upload_id: str, subject: str):
    return house.ask("POST", f"enrolment-uploads/{upload_id}/confirm", org="harrow", subject=subject, json={})


def _started_with(house, count: int) -> None:
    house.open_course(capacity=100)
    job = _checked(house, _people(*range(1, count + 1)))
    assert _confirm(house, job["id"], "first").status_code == 202
    house.worker.work_once()
    house.settle()


def _statuses(house) -> dict[str, str]:
    return {found["employee_ref"]: found["status"] for found in house.pages("enrolments", "harrow")}


def test_a_snapshot_lists_whom_it_leaves_out_and_withdraws_them_when_it_is_confirmed(house):
    """Nothing before; afterwards the two only, with the reason that was declared, and one new person."""
    _started_with(house, 20)
    job = _checked(house, _people(*range(3, 22)), mode="snapshot", withdrawal_reason="left_employer")
    assert (job["state"], job["mode"], job["scope"]) == (
        "checked",
        "snapshot",
        [{"course": "SAR", "intake": "2025-09"}],
    )
    assert job["withdrawals"] == {"in_scope": 20, "to_withdraw": 2, "withdrawn": 0}
    listed = house.pages(f"enrolment-uploads/{job['id']}/withdrawals", "harrow")
    assert sorted((each["employee_ref"], each["status"]) for each in listed) == [
        ("E0001", "confirmed"),
        ("E0002", "confirmed"),
    ]
    assert set(_statuses(house).values()) == {"confirmed"}
    assert _confirm(house, job["id"], "first").status_code == 202
    house.worker.work_once()
    house.settle()
    job = house.good("GET", f"enrolment-uploads/{job['id']}", org="harrow")
    assert (job["state"], job["withdrawals"]["withdrawn"], job["counts"]["accepted"]) == ("completed", 2, 1)
    statuses = _statuses(house)
    assert {ref for ref, status in statuses.items() if status == "withdrawn"} == {"E0001", "E0002"}
    assert statuses["E0021"] == "confirmed"
    told = [event["data"] for event in house.events("harrow") if event["type"].startswith("enrolment.withdrawn.")]
    assert [data["reason"] for data in told] == ["employer", "employer"]


def test_a_delta_withdraws_nobody(house):
    """Who is not named stays."""
    _started_with(house, 3)
    job = _checked(house, _people(3))
    assert (job["mode"], job["withdrawals"]["to_withdraw"]) == ("delta", 0)
    _confirm(house, job["id"], "first")
    house.worker.work_once()
    assert set(_statuses(house).values()) == {"confirmed"}


def test_a_snapshot_that_would_withdraw_many_waits_for_a_second_person(house):
    """More than a tenth: the sender is told what to do, somebody else confirms; both twice are once."""
    _started_with(house, 10)
    job = _checked(house, _people(*range(1, 9)), mode="snapshot")
    assert (job["state"], job["withdrawals"]["to_withdraw"]) == ("held", 2)
    assert "somebody else" in job["brake"]
    refused = _confirm(house, job["id"], "first")
    assert (refused.status_code, "2 of 10" in refused.json["detail"]) == (409, True)
    house.worker.work_once()
    assert set(_statuses(house).values()) == {"confirmed"}
    assert [_confirm(house, job["id"], "second").status_code for _ in range(2)] == [202, 202]
    house.worker.work_once()
    assert list(_statuses(house).values()).count("withdrawn") == 2


def test_a_held_snapshot_can_be_forgotten(house):
    """Whoever sent the wrong file takes it back."""
    _started_with(house, 10)
    job = _checked(house, _people(1), mode="snapshot")
    assert job["state"] == "held"
    assert house.ask("DELETE", f"enrolment-uploads/{job['id']}", org="harrow").status_code == 204
    assert house.ask("GET", f"enrolment-uploads/{job['id']}", org="harrow").status_code == 404
    assert house.ask("GET", "enrolment-uploads", org="harrow").json["items"][-1]["state"] == "completed"
    house.worker.work_once()
    database = house.unit.database("harrow")
    assert database["upload_withdrawals"].count_documents({}) == 0
    assert database["upload_rows"].count_documents({"upload_id": job["id"]}) == 0


def test_who_stands_in_a_refused_row_is_not_left_out(house):
    """A wrong date, or another course's code, is no reason to withdraw somebody."""
    _started_with(house, 20)
    rows = [_row(1, date_of_birth="soon"), _row(2, course="SARX"), *map(_row, range(3, 21))]
    job = _checked(house, _file(*rows), mode="snapshot")
    assert (job["state"], job["counts"]["refused"], job["withdrawals"]["to_withdraw"]) == ("checked", 2, 0)


def test_a_snapshot_with_a_row_that_names_nobody_is_refused_as_a_whole(house):
    """Nobody can tell whom it leaves out; as a delta the same file is taken."""
    _started_with(house, 3)
    content = _file(_row(1), _row(2), _row(3, employee_ref=""))
    job = _checked(house, content, mode="snapshot")
    assert (job["state"], job["fault_row"]) == ("failed", 4)
    assert _confirm(house, job["id"], "second").status_code == 409
    assert _checked(house, content)["state"] == "checked"


def test_a_snapshot_speaks_for_its_cohorts_only(house):
    """One declared cohort, or all that the file names; others keep their people."""
    _started_with(house, 3)
    house.open_course(intake="2026-01", capacity=100)
    rows = [_row(number, intake="2026-01") for number in range(1, 31)]
    job = _checked(house, _file(*rows))
    _confirm(house, job["id"], "first")
    house.worker.work_once()
    job = _checked(house, _file(*rows[:-1]), mode="snapshot")
    assert (job["scope"], job["withdrawals"]["in_scope"]) == ([{"course": "SAR", "intake": "2026-01"}], 30)
    declared = {"mode": "snapshot", "course": "SAR", "intake": "2025-09"}
    job = _checked(house, _file(*rows[:-1]), **declared)
    assert (job["state"], job["withdrawals"]) == ("held", {"in_scope": 3, "to_withdraw": 3, "withdrawn": 0})


def test_a_scope_that_makes_no_sense_is_refused(house):
    """Half a cohort, one that nobody has heard of, one without a snapshot."""
    house.open_course()
    assert _send(house, _people(1), mode="snapshot", course="SAR").status_code == 422
    assert _send(house, _people(1), course="SAR", intake="2025-09").status_code == 422
    assert _send(house, _people(1), mode="snapshot", course="SAR", intake="1999-01").status_code == 404
    assert _send(house, _people(1), mode="everything").status_code in (400, 422)


def test_a_worker_that_died_while_withdrawing_is_followed_and_fenced(house):
    """The first hundred by one worker, the rest by the next; everybody is withdrawn once."""
    house.open_course(capacity=200)
    job = _checked(house, _people(*range(1, 151)))
    _confirm(house, job["id"], "first")
    house.worker.work_once()
    job = _checked(house, _people(150), mode="snapshot")
    assert job["withdrawals"]["to_withdraw"] == 149
    _confirm(house, job["id"], "second")

    def run(step):
        return house.unit.run("harrow", lambda work: step(house.opener.desk(work)))

    dead = run(lambda desk: upload_handlers.lease(desk, job["id"]))
    while dead.state == uploads.CONFIRMING:
        dead = run(lambda desk, held=dead: upload_handlers.import_step(desk, held))
    dead = run(lambda desk: upload_handlers.withdraw_step(desk, dead))
    assert (dead.state, dead.done) == (uploads.WITHDRAWING, uploads.WITHDRAWN_PER_STEP)
    house.unit.database("harrow")["uploads"].update_one({"_id": job["id"]}, {"$set": {"leased_until": None}})
    house.worker.work_once()
    job = house.good("GET", f"enrolment-uploads/{job['id']}", org="harrow")
    assert (job["state"], job["withdrawals"]["withdrawn"]) == ("completed", 149)
    told = [event["subject"] for event in house.events("harrow") if event["type"].startswith("enrolment.withdrawn.")]
    assert len(set(told)) == len(told) == 149


def test_the_same_file_as_a_snapshot_is_another_job(house):
    """What is declared belongs to the file: the same delta is recognised, a snapshot is something else."""
    house.open_course()
    first = _send(house, _people(1))
    assert (_send(house, _people(1)).status_code, _send(house, _people(1), subject="second").json["id"]) == (
        200,
        first.json["id"],
    )
    other = _send(house, _people(1), mode="snapshot")
    assert (other.status_code, other.json["id"] == first.json["id"]) == (202, False)


def test_a_oneroster_archive_is_taken_and_what_it_deletes_ends(house):
    """Two nominated by the first archive; the second ends one of them, listed before."""
    house.open_course(capacity=10)
    job = _checked(house, archive(), filename="roster.zip")
    assert (job["counts"]["accepted"], job["counts"]["refused"]) == (2, 0)
    _confirm(house, job["id"], "first")
    house.worker.work_once()
    house.settle()
    gone = with_line("enrollments", 1, "e1,tobedeleted,2026-01-01T00:00:00Z,k1,o1,u1,student,,,,,")
    refused = _send(house, archive(delta(gone)), filename="roster.zip", mode="snapshot")
    assert (refused.status_code, "delta" in refused.json["detail"]) == (422, True)
    job = _checked(house, archive(delta(gone)), filename="roster.zip")
    assert (job["state"], job["counts"]["ending"], job["withdrawals"]["to_withdraw"]) == ("checked", 1, 1)
    [listed] = house.pages(f"enrolment-uploads/{job['id']}/withdrawals", "harrow")
    assert (listed["employee_ref"], listed["line"]) == ("E001", 2)
    _confirm(house, job["id"], "first")
    house.worker.work_once()
    assert _statuses(house) == {"E001": "withdrawn", "E002": "confirmed"}
