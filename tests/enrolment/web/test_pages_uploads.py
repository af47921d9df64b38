"""Pages of uploads without a browser: who may, forms that are sent once, and what belongs to somebody else."""

from __future__ import annotations

import io
import re

import pytest
import xlsxwriter

from services.enrolment.application import mapping_drafts, uploads
from services.enrolment.domain.records import FIELDS
from services.enrolment.domain.tasks import KINDS
from services.enrolment.domain.text_files import MOST_BYTES
from services.enrolment.web.task_pages import PLACES
from shared.testing.pages import browser_of, hidden_fields, send_form
from tests.enrolment.conftest import a_record

HTML = {"Accept": "text/html,application/xhtml+xml"}
UNSEEN = (
    b"Payroll No;Employee Name;Work E-Mail;DOB;SWE Reg No;Grade;Date Joined;WTE;Module;Cohort;Pathway;Date Authorised\n"
    b"00017;Example, Maya;maya@harrow.example;01/02/1985;SW17;G7;03/01/2018;36;Safeguarding;2025-09;P;01/07/2025\n"
    b"00018;Invented, Tom;tom@harrow.example;02/03/1990;SW18;G7;04/02/2019;18;Safeguarding;2025-09;P;02/07/2025\n"
)


def canonical(*records: dict) -> bytes:
    """Return a file under our own names."""
    lines = [",".join(FIELDS)]
    lines += [",".join("" if one.get(name) is None else str(one[name]) for name in FIELDS) for one in records]
    return "\n".join([*lines, ""]).encode()


def send_file(browser, content: bytes, filename: str = "people.csv", **fields: str):
    """Send a file as the form does."""
    given = {"mode": "delta", **fields, "file": (io.BytesIO(content), filename)}
    return send_form(browser, "/uploads/new", given)


def text_of(answer) -> str:
    """Return a page's text without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def job_of(answer) -> str:
    """Return where a form led to."""
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["Location"].partition("?")[0]


def test_a_file_is_sent_checked_confirmed_and_its_result_shown(house):
    """The steps as a person takes them; nothing is added before the last one."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    bad = a_record(employee_ref="10002", email=None, date_of_birth="soon")
    where = job_of(send_file(browser, canonical(a_record(), bad)))
    assert "is being checked" in text_of(browser.get(where))
    house.worker.work_once()
    summary = text_of(browser.get(where))
    assert "1 nomination that can be added" in summary
    assert "1 with errors" in summary
    assert "add 1 e-mail address" in summary
    assert "fix 1 date of birth" in summary
    errors = text_of(browser.get(f"{where}/errors"))
    assert "Enter an e-mail address." in errors
    assert browser.get(f"{where}/errors.csv").mimetype == "text/csv"
    assert house.pages("enrolments", "harrow") == []
    assert "Confirm and add 1 nomination" in text_of(browser.get(f"{where}/confirm"))
    assert job_of(send_form(browser, f"{where}/confirm", {})) == where
    house.worker.work_once()
    done = text_of(browser.get(where))
    assert "1 nomination added" in done
    assert len(house.pages("enrolments", "harrow")) == 1
    assert "Added" in text_of(browser.get(f"{where}/rows"))
    assert "Done" in text_of(browser.get("/uploads"))


@pytest.mark.parametrize("role", ["supervisor", "programme_lead", "practitioner", "auditor", "operator", "board"])
def test_only_hr_sees_uploads(house, role):
    """Every page of them, by reading and by sending."""
    browser = browser_of(house.app, "harrow", role)
    for path in ("", "/start", "/guide", "/template.csv", "/template.xlsx", "/example.csv", "/new", "/x", "/x/errors",
                 "/x/errors.csv", "/x/rows", "/x/withdrawals", "/x/confirm", "/x/cancel", "/x/columns", "/x/values",
                 "/x/as-read"):  # fmt: skip
        assert browser.get(f"/uploads{path}", headers=HTML).status_code == 403, path
    fields = hidden_fields(browser_of(house.app, "harrow", "hr").get("/uploads/new").get_data(as_text=True))
    for path in ("/new", "/x/confirm", "/x/cancel", "/x/columns", "/x/layout", "/x/values", "/x/as-read"):
        assert browser.post(f"/uploads{path}", data=fields).status_code == 403, path


def test_a_form_that_is_not_ours_changes_nothing(house):
    """Without this browser's token no file is taken, confirmed or forgotten."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    file = {"mode": "delta", "file": (io.BytesIO(canonical(a_record())), "x.csv"), "form_key": "k"}
    assert browser.post("/uploads/new", data=file).status_code == 403
    assert house.pages("enrolment-uploads", "harrow") == []
    where = job_of(send_file(browser, canonical(a_record())))
    house.worker.work_once()
    for act in ("confirm", "cancel"):
        assert browser.post(f"{where}/{act}", data={"form_key": "k", "form_token": "other"}).status_code == 403
    assert [job["state"] for job in house.pages("enrolment-uploads", "harrow")] == ["checked"]


def test_the_same_form_twice_is_one_file_and_one_confirmation(house):
    """A second click leads to the same page."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    given = {**hidden_fields(browser.get("/uploads/new").get_data(as_text=True)), "mode": "delta"}
    content = canonical(a_record())
    answers = [browser.post("/uploads/new", data={**given, "file": (io.BytesIO(content), "x.csv")}) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(house.pages("enrolment-uploads", "harrow")) == 1
    house.worker.work_once()
    where = job_of(answers[0])
    fields = hidden_fields(browser.get(f"{where}/confirm").get_data(as_text=True))
    assert [browser.post(f"{where}/confirm", data=fields).status_code for _ in range(2)] == [303, 303]
    house.worker.work_once()
    assert len(house.pages("enrolments", "harrow")) == 1


def test_another_organisations_file_is_not_there(house):
    """Not by any of its pages."""
    house.open_course()
    where = job_of(send_file(browser_of(house.app, "harrow", "hr"), UNSEEN))
    stranger = browser_of(house.app, "brent", "hr")
    for path in ("", "/errors", "/errors.csv", "/rows", "/withdrawals", "/confirm", "/cancel", "/columns", "/values",
                 "/as-read"):  # fmt: skip
        assert stranger.get(f"{where}{path}", headers=HTML).status_code == 404, path
    fields = hidden_fields(stranger.get("/uploads/new").get_data(as_text=True))
    for path in ("/confirm", "/cancel", "/columns", "/layout", "/values", "/as-read"):
        assert stranger.post(f"{where}{path}", data=fields).status_code == 404, path


@pytest.mark.parametrize(
    ("content", "filename", "sentence"),
    [(b"", "", "Select a file"), (b" \n", "x.csv", "The selected file is empty"),
     (b"a,b\n", "x.csv", "these headings are missing"), (b"PK\x03\x04", "x.csv", "a text file was expected"),
     (b"x", "x.pdf", "Use a file of type"), (b"Email,Email\n1,2\n", "x.csv", "delete or rename one"),
     (b"%PDF-1.4", "x.csv", "The file is a PDF"),
     (canonical(a_record())[:-5] + b',"x', "x.csv", "Row 2")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_words_at_its_field(house, content, filename, sentence):
    """The title begins with "Error:", and the same sentence stands on top and at the field."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    given = {"mode": "delta", "file": (io.BytesIO(content), filename)} if filename else {"mode": "delta"}
    answer = send_form(browser, "/uploads/new", given)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert page.lower().count(sentence.lower()) == 2
    assert house.pages("enrolment-uploads", "harrow") == []


def test_a_form_without_a_choice_says_what_to_choose(house):
    """Delta or snapshot is the sender's to say."""
    answer = send_form(browser_of(house.app, "harrow", "hr"), "/uploads/new", {"mode": ""})
    assert "Say whether the file is a complete list" in text_of(answer)
    assert "Select a file" in text_of(answer)


def test_the_same_file_again_is_recognised(house):
    """While it waits it is the same job; once it was added the page says when."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    where = job_of(send_file(browser, canonical(a_record())))
    house.worker.work_once()
    again = send_file(browser, canonical(a_record()))
    assert again.headers["Location"] == f"{where}?again=yes"
    assert "You uploaded this file on" in text_of(browser.get(again.headers["Location"]))
    house.confirm(where.rpartition("/")[2], "harrow")
    third = job_of(send_file(browser, canonical(a_record())))
    house.worker.work_once()
    shown = text_of(browser.get(third))
    assert "You uploaded this file on" in shown
    assert "There is nothing in this file to add" in shown


def test_an_unseen_export_is_mapped_through_pages(house):  # noqa: PLR0915  one person's way, step by step
    """Headings, whole names, coded words, hours, days that could be two: said once, and then it is a file as any."""
    house.open_course(level="ALL")
    browser = browser_of(house.app, "harrow", "hr")
    where = job_of(send_file(browser, UNSEEN, "export.csv"))
    assert "We do not know the columns of export.csv" in text_of(browser.get(where))
    assert "Files whose columns wait to be matched" in text_of(browser.get("/tasks"))
    shown = browser.get(f"{where}/columns").get_data(as_text=True)
    headings = re.findall(r'name="heading-[0-9]+" value="([^"]*)"', shown)
    given = {f"heading-{number}": heading for number, heading in enumerate(headings)}
    chosen = dict(re.findall(r'<select[^>]*name="(column-[0-9]+)".*?<option value="([^"]*)" selected', shown, re.S))
    grade = headings.index("Grade")
    refused = send_form(browser, f"{where}/columns", {**given, **dict.fromkeys(chosen, ""), f"column-{grade}": ""})
    assert "Choose a column for" in text_of(refused)
    selects = {f"column-{number}": chosen.get(f"column-{number}", "") for number in range(len(headings))}
    doubled = send_form(browser, f"{where}/columns", {**given, **selects, f"column-{grade}": "email"})
    assert "are both e-mail" in text_of(doubled)
    kept = send_form(browser, f"{where}/columns", {**given, **selects, f"column-{grade}": "pcf_level"})
    assert kept.headers["Location"] == f"{where}/values"
    values = browser.get(f"{where}/values").get_data(as_text=True)
    assert "01/02/1985 is 1 February 1985" in values
    assert "01/02/1985 is 2 January 1985" in values
    texts = dict(re.findall(r'name="(text-[a-z_0-9-]+)" value="([^"]*)"', values))
    said = {"value-pcf_level-0": "ESW", "value-route-0": "practice_only", "value-course-0": "SAR"}
    unsaid = send_form(browser, f"{where}/values", {**texts, **said, "order": "family, given", "share": "hours"})
    assert "Say how dates are written in this file" in text_of(unsaid)
    assert "Enter how many hours a week" in text_of(unsaid)
    kept = send_form(
        browser,
        f"{where}/values",
        {**texts, **said, "order": "family, given", "share": "hours", "hours": "36", "date_format": "%d/%m/%Y"},
    )
    assert kept.headers["Location"] == f"{where}/as-read", text_of(kept)
    read = text_of(browser.get(f"{where}/as-read"))
    assert "2 of 2 rows that we looked at can be read and added" in read
    assert "1 February 1985" in read
    assert job_of(send_form(browser, f"{where}/as-read", {"remember": "yes"})) == where
    house.worker.work_once()
    send_form(browser, f"{where}/confirm", {})
    house.worker.work_once()
    people = {one["employee_ref"]: one for one in house.pages("practitioners", "harrow")}
    assert (people["00017"]["given_name"], people["00017"]["date_of_birth"]) == ("Maya", "1985-02-01")
    assert (people["00017"]["fte"], people["00018"]["fte"]) == ("1", "0.5")
    again = job_of(send_file(browser, UNSEEN + b"\n", "export.csv"))
    assert "is being checked" in text_of(browser.get(again))


def test_a_file_that_nobody_maps_is_forgotten_after_a_day(house, monkeypatch):
    """Its rows hold people's details: the content goes, and the page says what to do."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    where = job_of(send_file(browser, UNSEEN))
    assert job_of(send_file(browser, UNSEEN)) == where
    house.worker.sweep()
    assert [job["state"] for job in house.pages("enrolment-uploads", "harrow")] == [uploads.MAPPING]
    monkeypatch.setattr(mapping_drafts, "KEPT_UNMAPPED", mapping_drafts.KEPT_UNMAPPED * 0)
    house.worker.sweep()
    assert [job["state"] for job in house.pages("enrolment-uploads", "harrow")] == [uploads.FAILED]
    assert "send it again" in text_of(browser.get(where))
    assert browser.get(f"{where}/columns").status_code == 303


def test_a_file_being_mapped_cannot_be_confirmed_and_can_be_cancelled(house):
    """Nothing of it is known yet."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    where = job_of(send_file(browser, UNSEEN))
    assert browser.get(f"{where}/confirm").status_code == 303
    assert send_form(browser, f"{where}/cancel", {}).headers["Location"] == "/uploads"
    house.worker.work_once()
    assert browser.get(where, headers=HTML).status_code == 404
    assert house.unit.database("harrow")["contents"].count_documents({}) == 0


def test_headings_in_another_row_and_sheet_are_said(house):
    """What was found at the old place is forgotten; a row that is none is refused."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    where = job_of(send_file(browser, b"Our;own;export\n" + UNSEEN))
    answer = send_form(browser, f"{where}/columns", {"heading-0": "other"})
    assert "read in another way meanwhile" in text_of(answer)
    fields = hidden_fields(browser.get(f"{where}/columns").get_data(as_text=True))
    refused = browser.post(f"{where}/layout", data={**fields, "heading_row": "x"})
    assert "Enter the number of a row" in text_of(refused)
    fields = hidden_fields(browser.get(f"{where}/columns").get_data(as_text=True))
    kept = browser.post(f"{where}/layout", data={**fields, "heading_row": "2"})
    assert kept.headers["Location"] == f"{where}/columns"
    assert "Payroll No" in text_of(browser.get(f"{where}/columns"))


def test_templates_guide_and_example_are_to_be_had(house):
    """The example loads as it is."""
    house.open_course("SAR")
    browser = browser_of(house.app, "harrow", "hr")
    assert "Social Work England number" in text_of(browser.get("/uploads/guide"))
    for name, kind in (("template.csv", "text/csv"), ("template.xlsx", "application/vnd.openxmlformats")):
        assert browser.get(f"/uploads/{name}").mimetype.startswith(kind)
    example = browser.get("/uploads/example.csv").get_data()
    where = job_of(send_file(browser, example))
    house.worker.work_once()
    assert "1 nomination that can be added" in text_of(browser.get(where))


def test_the_first_page_lists_what_waits_for_each_role(house):
    """HR sees a checked file with its age; a supervisor nothing of files; a practitioner has no list."""
    house.open_course()
    browser = browser_of(house.app, "harrow", "hr")
    assert "Nothing waits for you." in text_of(browser.get("/tasks"))
    send_file(browser, canonical(a_record()))
    house.worker.work_once()
    page = browser.get("/tasks").get_data(as_text=True)
    assert "Checked files that wait to be confirmed" in page
    assert 'href="/uploads?state=checked"' in page
    assert "Waiting since today" in page
    assert "Nothing waits for you." in text_of(browser_of(house.app, "harrow", "supervisor").get("/tasks"))
    assert "no task list" in text_of(browser_of(house.app, "harrow", "practitioner").get("/tasks"))


def test_every_kind_of_task_has_a_place(house):
    """A new kind is not forgotten on the first page, and every place is a page."""
    assert {kind.name for kind in KINDS} == set(PLACES)
    pages = house.app.url_map.bind("")
    assert all(pages.test(place.partition("?")[0], method="GET") for place in PLACES.values())


def test_a_workbook_with_a_cover_is_read_by_the_sheet_with_the_table(house):
    """The cover is no reason to refuse it; the sheet can be chosen."""
    house.open_course()
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.add_worksheet("Cover").write(0, 0, "Printed for HR")
    data, other = book.add_worksheet("Data"), book.add_worksheet("Other")
    data.write_row(0, 0, ["Staff No", "Forename", "Surname"])
    data.write_row(1, 0, ["1", "Maya", "Example"])
    other.write_row(0, 0, ["Badge", "Locker"])
    other.write_row(1, 0, ["7", "8"])
    book.close()
    browser = browser_of(house.app, "harrow", "hr")
    where = job_of(send_file(browser, stream.getvalue(), "export.xlsx"))
    assert "Staff No" in text_of(browser.get(f"{where}/columns"))
    fields = hidden_fields(browser.get(f"{where}/columns").get_data(as_text=True))
    kept = browser.post(f"{where}/layout", data={**fields, "sheet": "Other", "heading_row": "1"})
    assert job_of(kept) == f"{where}/columns"
    assert "Locker" in text_of(browser.get(f"{where}/columns"))


def test_a_file_that_is_too_large_is_refused_as_a_page(house):
    """Before any of it is read; nothing of it is kept."""
    browser = browser_of(house.app, "harrow", "hr")
    body = b"x" * (MOST_BYTES + 2**20)
    answer = browser.post("/uploads/new", data=body, content_type="multipart/form-data; boundary=b", headers=HTML)
    assert answer.status_code == 413
    assert "What you sent is too large" in text_of(answer)


def test_a_snapshot_of_one_intake_says_so_and_its_sender_cannot_confirm_it(house):
    """The brake: the sender is told, the form refuses the sender, a second person may."""
    house.open_course(capacity=20)
    first = browser_of(house.app, "harrow", "hr", subject="first")
    people = [a_record(employee_ref=f"{n:05d}", swe_number=f"SW{n}") for n in range(1, 7)]
    where = job_of(send_file(first, canonical(*people)))
    house.worker.work_once()
    send_form(first, f"{where}/confirm", {})
    house.worker.work_once()
    house.settle()
    said = {"mode": "snapshot", "cohort": "SAR|2025-09", "withdrawal_reason": "left_employer"}
    where = job_of(send_file(first, canonical(*people[:3]), **said))
    house.worker.work_once()
    shown = text_of(first.get(where))
    assert "The complete list of your people on SAR, intake 2025-09" in shown
    assert "somebody else of your HR team must look at the list" in shown
    assert first.get(f"{where}/confirm").status_code == 303
    fields = hidden_fields(first.get(f"{where}/cancel").get_data(as_text=True))
    assert first.post(f"{where}/confirm", data=fields).status_code == 422
    second = browser_of(house.app, "harrow", "hr", subject="second")
    asked = text_of(second.get(f"{where}/confirm"))
    assert "They left our employment" in asked
    assert "Confirm and withdraw 3 enrolments" in asked
    assert job_of(send_form(second, f"{where}/confirm", {})) == where
    house.worker.work_once()
    assert "3 enrolments were withdrawn" in text_of(second.get(where))
    unknown = send_file(first, canonical(*people), mode="snapshot", cohort="SAR|2031-09")
    assert "No such course and intake" in text_of(unknown)
