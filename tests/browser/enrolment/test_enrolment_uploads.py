"""HR sends files by the pages alone: an export that nobody has seen, errors, a snapshot that two people confirm.

Also with the keyboard only, on a telephone, and without JavaScript; axe looks at every page.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.enrolment.domain.records import FIELDS
from tests.enrolment.conftest import a_record

pytestmark = pytest.mark.browser

HR = "Made-up HR officer"
SECOND = "Second made-up HR officer"
UNSEEN = (
    "Staff Code;Worker;Contact E-Mail Addr;D.O.B.;Council Reg;Grade;Boss Code;Commenced;Weekly Hrs;Learning Event;"
    "Run Code;Study Choice;OK From Boss;Parking\n"
    "17;Example, Maya;maya@harrow.example;01/02/1985;sw 17;G7;9001;03/01/2018;36;Safeguard L7;Autumn 25;P;01/07/2025;\n"
    "18;Invented, Tom;tom@harrow.example;02/03/1990;SW18;G7;9001;04/02/2019;18;Safeguard L7;Autumn 25;P;02/07/2025;n\n"
    "19;Madeup, Ada;ada@harrow.example;03/04/1991;SW19;G9;9001;05/02/2019;36;Safeguard L7;Autumn 25;P+A;02/07/2025;n\n"
)
COLUMNS = {
    "Staff Code": "employee_ref",
    "Worker": "full_name",
    "Contact E-Mail Addr": "email",
    "D.O.B.": "date_of_birth",
    "Council Reg": "swe_number",
    "Grade": "pcf_level",
    "Boss Code": "line_manager_ref",
    "Commenced": "employment_start",
    "Weekly Hrs": "fte",
    "Learning Event": "course",
    "Run Code": "intake",
    "Study Choice": "route",
    "OK From Boss": "manager_approved_on",
    "Parking": "",
}
WORDS = {"G7": "SW", "G9": "ESW", "Safeguard L7": "SAR", "Autumn 25": "2025-09", "P": "practice_only"}
FOCUS = "(e => (e.innerText || '') + '|' + (e.value || '') + '|' + e.id)(document.activeElement)"
WORDS["P+A"] = "practice_and_academic"


def canonical(*records: dict) -> bytes:
    """Return a file under our own names."""
    lines = [",".join("" if one.get(name) is None else str(one[name]) for name in FIELDS) for one in records]
    return "\n".join([",".join(FIELDS), *lines, ""]).encode()


def people(*numbers: int, **changes: object) -> bytes:
    """Return a file with made-up people."""
    return canonical(
        *(
            a_record(employee_ref=f"{n:05d}", swe_number=f"SW{n}", email=f"p{n}@harrow.example", **changes)
            for n in numbers
        )
    )


def write(folder: Path, name: str, content: bytes) -> Path:
    """Return a file to choose."""
    path = folder / name
    path.write_bytes(content)
    return path


def send(somebody, path: Path, kind: str = "New and changed nominations only") -> None:
    """Choose a file, say what it is, and send it."""
    somebody.open("/uploads/new")
    somebody.page.set_input_files("input[type=file]", path)
    somebody.page.get_by_label(kind).check()
    somebody.page.get_by_role("button", name="Upload and check").click()


def look_again(somebody) -> None:
    """Let the worker come, and look again."""
    somebody.site.house.worker.work_once()
    somebody.page.get_by_role("button", name="Look again").click()


def choose(somebody, label: str, value: str) -> None:
    """Choose from the list with that label."""
    somebody.page.get_by_label(label, exact=True).select_option(value)


def go_on(somebody) -> None:
    """Go to the next step."""
    somebody.page.get_by_role("button", name="Continue", exact=True).click()


def heading(somebody) -> str:
    """Return what the page is about."""
    return somebody.page.locator("h1").inner_text()


def map_unseen(somebody, *, see=lambda _: None) -> None:
    """Say what every column and word of the unseen export means; `see` looks at each page."""
    see("unknown")
    assert "We do not know the columns" in heading(somebody)
    somebody.page.get_by_role("button", name="Match the columns of this file").click()
    see("columns")
    for label, field in COLUMNS.items():
        choose(somebody, label, field)
    go_on(somebody)
    see("values")
    somebody.page.get_by_label("01/02/1985 is 1 February 1985").check()
    somebody.page.get_by_label("Family name, comma, given name").check()
    somebody.page.get_by_label("Hours a week", exact=True).check()
    somebody.page.get_by_label("If in hours: how many hours a week are full time").fill("36")
    somebody.page.get_by_text("References that lost their leading zeros").click()
    somebody.page.get_by_label("Digits of the employee reference").fill("5")
    for text, word in WORDS.items():
        choose(somebody, f"‘{text}’", word)
    go_on(somebody)
    see("as-read")
    assert "3 of 3 rows" not in somebody.page.locator("main").inner_text()  # Ada lacks the prerequisite
    somebody.page.get_by_role("button", name="Save and check the file").click()


@pytest.mark.parametrize("kind", ["visitor", "plain", "phone"])
def test_an_unseen_export_is_mapped_and_loaded_by_pages_alone(request, kind, tmp_path):  # noqa: PLR0915  one person's way, step by step
    """At a desk, without JavaScript, on a telephone: headings nobody has seen end as enrolments."""
    somebody = request.getfixturevalue(kind)
    house = somebody.site.house
    house.open_course(level="ALL", capacity=5)

    def see(name: str) -> None:
        if kind == "phone":
            somebody.must_fit()
        if kind == "plain":
            somebody.shot(f"uploads-unseen-{name}-{kind}")
        else:
            somebody.must_be_accessible(f"uploads-unseen-{name}-{kind}")

    somebody.sign_in("harrow", HR)
    see("tasks-empty")
    send(somebody, write(tmp_path, "staff-export.csv", UNSEEN.encode("cp1252")))
    map_unseen(somebody, see=see)
    see("pending")
    look_again(somebody)
    see("summary")
    main = somebody.page.locator("main").inner_text()
    assert "2 nominations that can be added" in main
    assert "1 with errors" in main
    somebody.page.get_by_role("link", name="Review the row with errors").click()
    see("errors")
    assert "Enter the day the prerequisite was met." in somebody.page.locator("main").inner_text()
    somebody.page.get_by_role("link", name="Back to what we found").click()
    go_on(somebody)
    see("confirm")
    somebody.page.get_by_role("button", name="Confirm and add 2 nominations").click()
    see("adding")
    look_again(somebody)
    see("done")
    assert "2 nominations added" in heading(somebody)
    somebody.page.get_by_role("link", name="See every row of this file").click()
    see("rows")
    found = {one["employee_ref"]: one for one in house.pages("practitioners", "harrow")}
    assert set(found) == {"00017", "00018"}
    assert (found["00017"]["family_name"], found["00017"]["date_of_birth"]) == ("Example", "1985-02-01")
    assert (found["00017"]["fte"], found["00018"]["fte"]) == ("1", "0.5")
    assert len(house.pages("enrolments", "harrow")) == 2
    somebody.open("/uploads")
    see("list")
    again = write(tmp_path, "next.csv", UNSEEN.replace("Example, Maya", "Example, Mia").encode("cp1252"))
    send(somebody, again)
    assert "is being checked" in heading(somebody)


def test_start_guide_and_templates(visitor, tmp_path):
    """The steps, an example that loads, a sheet with drop-downs, and what each column may say."""
    visitor.site.house.open_course()
    visitor.sign_in("harrow", HR)
    visitor.page.get_by_role("button", name="Upload a file of nominations").click()
    visitor.must_be_accessible("uploads-start")
    with visitor.page.expect_download() as loaded:
        visitor.page.get_by_role("link", name="Empty sheet with drop-down lists (Excel)").click()
    assert loaded.value.suggested_filename == "nominations.xlsx"
    with visitor.page.expect_download() as loaded:
        visitor.page.get_by_role("link", name="Download this example (CSV)").click()
    example = tmp_path / "example.csv"
    loaded.value.save_as(example)
    visitor.page.get_by_role("link", name="What each column may say").click()
    visitor.must_be_accessible("uploads-guide")
    send(visitor, example)
    look_again(visitor)
    assert "1 nomination that can be added" in visitor.page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b" ", "The selected file is empty. Select a file with headings and rows"),
        ("people.csv", b"%PDF-1.4 x", "The file is a PDF, and a text file was expected."),
        ("double.csv", b"email,email\n1,2\n", "These headings stand twice: 'email'; delete or rename one."),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_page(visitor, tmp_path, name, content, sentence):
    """Title, summary with the focus, and the same words at the field."""
    visitor.site.house.open_course()
    visitor.sign_in("harrow", HR)
    send(visitor, write(tmp_path, name, content))
    assert visitor.page.title().startswith("Error: ")
    summary = visitor.page.locator(".govuk-error-summary")
    assert summary.evaluate("each => each === document.activeElement")
    assert sentence in summary.inner_text()
    assert sentence in visitor.page.locator("#file-error").inner_text()
    assert heading(visitor) == f"There is a problem with {name}" or "empty" in name
    summary.get_by_role("link").first.click()
    assert visitor.page.evaluate("location.hash") == "#file"
    visitor.must_be_accessible(f"uploads-refused-{name.partition('.')[0]}")


def test_errors_are_counted_by_kind_and_shown_in_the_cell(visitor, phone, tmp_path):
    """Only rows with errors, the message above what was written, and a file to correct."""
    visitor.site.house.open_course()
    rows = [a_record(employee_ref=f"{n:05d}", swe_number=f"SW{n}") for n in range(1, 5)]
    rows[1] |= {"date_of_birth": "31/31/1980"}
    rows[2] |= {"date_of_birth": "soon", "email": None}
    rows[3] |= {"intake": "2031-09"}
    for somebody, org in ((visitor, "harrow"), (phone, "harrow")):
        somebody.sign_in(org, HR)
    send(visitor, write(tmp_path, "people.csv", canonical(*rows)))
    look_again(visitor)
    visitor.must_be_accessible("uploads-summary")
    main = visitor.page.locator("main").inner_text()
    assert "fix 2 dates of birth" in main
    assert "add 1 e-mail address" in main
    assert "correct 1 intake that its course does not have" in main
    visitor.page.get_by_role("link", name="Review the rows with errors").click()
    visitor.must_be_accessible("uploads-errors")
    table = visitor.page.locator("#errors")
    assert table.locator("tbody th").all_inner_texts() == ["3", "4", "5"]
    bad = table.locator("tbody tr").first.locator("td", has_text="31/31/1980")
    assert re.search(r"Enter an existing day as .*\n?.*31/31/1980", bad.inner_text(), re.S)
    with visitor.page.expect_download() as loaded:
        visitor.page.get_by_role("button", name="Download the rows with errors (CSV)").click()
    assert loaded.value.suggested_filename == "errors.csv"
    phone.open(visitor.page.url.removeprefix(visitor.site.address))
    phone.must_fit()
    phone.must_be_accessible("uploads-errors-phone")


def test_a_snapshot_that_would_withdraw_many_waits_for_a_second_person(make_visitor, tmp_path):  # noqa: PLR0915  one person's way, step by step
    """The sender sees who would go and cannot confirm; somebody else finds it in their tasks and does."""
    first, second = make_visitor(), make_visitor()
    house = first.site.house
    house.open_course(capacity=20)
    first.sign_in("harrow", HR)
    second.sign_in("harrow", SECOND)
    send(first, write(tmp_path, "all.csv", people(*range(1, 7))))
    look_again(first)
    go_on(first)
    first.page.get_by_role("button", name="Confirm and add 6 nominations").click()
    look_again(first)
    house.settle()
    send(first, write(tmp_path, "fewer.csv", people(1, 2, 3)), "The complete list of our people on a course")
    look_again(first)
    first.must_be_accessible("uploads-held-sender")
    main = first.page.locator("main").inner_text()
    assert "3 of 6 current enrolments that will be withdrawn" in main
    assert "somebody else of your HR team must look at the list and confirm it" in main
    assert first.page.get_by_role("button", name="Continue").count() == 0
    second.open("/tasks")
    second.must_be_accessible("tasks-held")
    second.page.get_by_role("link", name="Snapshots that wait for a second person").click()
    second.page.get_by_role("link", name="fewer.csv").click()
    second.must_be_accessible("uploads-held-second")
    second.page.get_by_role("link", name="see who", exact=True).click()
    second.must_be_accessible("uploads-withdrawals")
    assert second.page.locator("#withdrawals tbody th").all_inner_texts() == ["00004", "00005", "00006"]
    second.page.get_by_role("link", name="Back").click()
    go_on(second)
    second.must_be_accessible("uploads-confirm-snapshot")
    second.page.get_by_role("button", name="Confirm and withdraw 3 enrolments").click()
    look_again(second)
    second.must_be_accessible("uploads-done-snapshot")
    statuses = {one["employee_ref"]: one["status"] for one in house.pages("enrolments", "harrow")}
    assert [statuses[f"{n:05d}"] for n in (4, 5, 6)] == ["withdrawn"] * 3
    assert "withdrawn" not in [statuses[f"{n:05d}"] for n in (1, 2, 3)]


def test_a_file_is_sent_and_confirmed_with_the_keyboard_only(visitor, tmp_path):  # noqa: PLR0915  one person's way, step by step
    """Tab, space, enter; the file itself is chosen in the system's own window."""
    visitor.site.house.open_course()
    visitor.sign_in("harrow", HR)
    visitor.open("/uploads/new")
    press = visitor.page.keyboard.press

    def tab_to(text: str) -> None:
        for _ in range(60):
            press("Tab")
            if text in visitor.page.evaluate(FOCUS):
                return
        raise AssertionError(f"the tab key does not reach {text}")

    tab_to("|file")
    visitor.page.set_input_files("input[type=file]", write(tmp_path, "people.csv", people(1)))
    tab_to("|mode")
    press("Space")
    tab_to("Upload and check")
    press("Enter")
    visitor.page.wait_for_url("**/uploads/0*")
    visitor.site.house.worker.work_once()
    tab_to("Look again")
    press("Enter")
    visitor.page.wait_for_selector("text=nomination that can be added")
    tab_to("Continue")
    press("Enter")
    visitor.page.wait_for_url("**/confirm")
    tab_to("Confirm and add 1 nomination")
    press("Enter")
    visitor.page.wait_for_selector("text=is being added")
    visitor.site.house.worker.work_once()
    tab_to("Look again")
    press("Enter")
    visitor.page.wait_for_selector("text=1 nomination added")
    assert len(visitor.site.house.pages("enrolments", "harrow")) == 1


def test_a_pending_page_looks_again_by_itself_if_asked_and_an_upload_can_be_cancelled(plain, tmp_path):
    """No script is needed for either."""
    plain.site.house.open_course()
    plain.sign_in("harrow", HR)
    send(plain, write(tmp_path, "people.csv", people(1, 2)))
    assert plain.page.locator("meta[http-equiv=refresh]").count() == 0
    plain.page.get_by_role("link", name="Look again by itself every 3 seconds").click()
    assert plain.page.locator("meta[http-equiv=refresh]").get_attribute("content") == "3"
    plain.site.house.worker.work_once()
    plain.page.wait_for_selector("text=2 nominations that can be added")
    plain.page.get_by_role("link", name="Cancel this upload").click()
    plain.shot("uploads-cancel")
    plain.page.get_by_role("button", name="Yes, forget this file").click()
    assert plain.site.house.pages("enrolment-uploads", "harrow") == []
