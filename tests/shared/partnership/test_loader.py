"""The partnership file: what a good one says, and every fault of a bad one with its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared
from shared.errors import Malformed
from shared.partnership import ItemRule, SplitName, load, parse
from shared.partnership.located import is_slip_of

FILE = Path(shared.__file__).parent.parent / "scenarios" / "north-west-london" / "partnership.yaml"
GOOD = FILE.read_text(encoding="utf-8")


def refused(text: str) -> list[tuple[int, str]]:
    """Return line and detail of every fault of `text`."""
    with pytest.raises(Malformed) as caught:
        parse(text.encode())
    assert all(f"line {fault.row}: {fault.detail}" in caught.value.detail for fault in caught.value.faults)
    return [(fault.row, fault.detail) for fault in caught.value.faults]


def changed(*changes: tuple[str, str]) -> str:
    """Return the good file with each first text replaced by its second, once."""
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, fragment: str) -> int:
    """Return the number of the line that holds `fragment` first."""
    return text[: text.index(fragment)].count("\n") + 1


def test_the_scenario_file_is_read_as_it_stands():
    """Organisations in file order, evidence in file order, mappings with their number formats."""
    partnership = load(FILE)
    assert (partnership.slug, partnership.version, partnership.programme_lead) == ("north-west-london", 1, "brent")
    assert partnership.with_role("employer")[:2] == ("brent", "hillingdon")
    assert partnership.with_role("awarding_hei") == ("goldsmiths",)
    assert partnership.frameworks["pcf-2018"].valid_from == date(2018, 6, 1)
    assert len(partnership.frameworks["pcf-2018"].domains) == 9
    evidence = partnership.evidence_sets["cpd-portfolio"]
    assert next(iter(evidence.items)) == "observation"
    assert evidence.items["observation"] == ItemRule(at_least=2, at_least_not_by_line_manager=1)
    assert partnership.column_mapping("hillingdon").scale == {"fte": Decimal("0.01")}
    assert partnership.column_mapping("hillingdon").split_name == SplitName("full_name", "family, given")
    assert partnership.column_mapping("brent").values["route"] == {"Y": "practice_and_academic", "N": "practice_only"}
    assert partnership.column_mapping("kensington-and-chelsea").delimiter == "\t"
    assert partnership.column_mapping("westminster").heading_row == 4
    assert partnership.column_mapping("harrow").format == "csv"


def test_all_faults_are_reported_at_once_with_their_lines():
    """Four slips in four places are four faults in one message, in the order of the file."""
    text = changed(
        ("version: 1", "version: one"),
        ("board: nwl-board", "board: nwl-bord"),
        ("framework: pcf-2018", "framework: pcf-2019"),
        ("      family_name: Surname", "      famly_name: Surname"),
    )
    faults = refused(text)
    assert [line for line, _ in faults] == [
        line_of(text, "version: one"),
        line_of(text, "nwl-bord"),
        line_of(text, "pcf-2019"),
        line_of(text, "famly_name"),
    ]
    assert "did you mean nwl-board?" in faults[1][1]
    assert "did you mean family_name?" in faults[3][1]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (("title: North West London\n", ""), "title is missing"),
        (("version: 1", "version: 1\nversion: 2"), "stands twice"),
        (("version: 1", "version: 1\ncolour: red"), "colour: is not a key"),
        (("programme_lead: brent", "programme_lead: ealing"), "does not have the role programme_lead"),
        (("    - awarding_hei", "    - awarding_hie"), "did you mean awarding_hei?"),
        (("  goldsmiths:", "  Goldsmiths College:"), "is not a name of small letters"),
        (("'2018-06-01'", "'2018-06-31'"), "there is no day 2018-06-31"),
        (("    - professionalism", "    - values_and_ethics"), "stands twice"),
        (("at_least_not_by_line_manager: 1", "at_least_not_by_line_manager: 3"), "more than at_least (2)"),
        (("supervisor_verification: required", "supervisor_verification: perhaps"), "is none of required"),
        (("encoding: cp1252", "encoding: cp1525"), "is not a text encoding"),
        (("encoding: cp1252", "encoding: rot13"), "is not a text encoding"),
        (("delimiter: ;", "delimiter: ;;"), "must be one character"),
        (("'%d.%m.%Y'", "'%d.%m'"), "needs a year, a month and a day"),
        (("heading_row: 4", "heading_row: 0"), "is not between 1"),
        (("fte: 0.01", "fte: -1"), "is not a number above zero"),
        (("order: family, given", "order: given, family"), "is none of family, given"),
        (("format: ndjson", "format: parquet"), "is none of csv"),
        (("course: Course code", "course: Cohort"), "the heading 'Cohort' is used twice"),
        (("  westminster:\n    format", "  westmister:\n    format"), "did you mean westminster?"),
    ],
)
def test_a_fault_is_named(change, detail):
    """Each kind of fault says what is wrong."""
    assert any(detail in found for _, found in refused(changed(change)))


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the file is empty"),
        (b"a: [", "not YAML"),
        (b"a: b\n\xff", "not UTF-8"),
        (b"a: \x00", "not YAML"),
        (b"- a", "must be a mapping"),
        (b"[" * 5000, "not YAML"),
        (b"x" * 2_000_000, "more than"),
    ],
)
def test_a_file_that_is_no_partnership_file_is_refused(content, detail):
    """Whatever the bytes are, the answer is one sentence with a line."""
    with pytest.raises(Malformed, match=detail):
        parse(content)


def test_a_missing_file_is_refused(tmp_path):
    """A file that is not there is a fault, not a crash."""
    with pytest.raises(Malformed, match="cannot be read"):
        load(tmp_path / "partnership.yaml")


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(content):
    """Random bytes are refused, never anything else."""
    with pytest.raises(Malformed):
        parse(content)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 40))
def test_a_file_with_a_piece_cut_out_is_read_or_refused(start, length):
    """Any damage ends in a partnership or in faults that all have lines."""
    faults = ()
    try:
        parse((GOOD[:start] + GOOD[start + length :]).encode())
    except Malformed as error:
        faults = error.faults or (None,)
    assert all(fault.row for fault in faults)


def test_words_that_yaml_would_guess_at_are_taken_as_written():
    """`No` stays the text No, a bare date stays that date."""
    text = changed(
        ("Y: practice_and_academic", "Yes: practice_and_academic"), ("N: practice_only", "No: practice_only")
    )
    partnership = parse(text.replace("'2018-06-01'", "2018-06-01").encode())
    assert list(partnership.column_mapping("brent").values["route"]) == ["Yes", "No"]
    assert partnership.frameworks["pcf-2018"].valid_from == date(2018, 6, 1)


def test_doors_and_dated_policies_may_be_added():
    """Optional keys: where partners' services are, and policies by date."""
    text = GOOD + (
        "doors:\n  goldsmiths:\n    accreditation: https://accreditation.goldsmiths.example\n"
        "policies:\n  late_work:\n  - valid_from: '2024-09-01'\n    cap: '50'\n"
        "  - valid_from: '2025-09-01'\n    cap: '40'\n"
    )
    partnership = parse(text.encode())
    assert partnership.doors["goldsmiths"]["accreditation"] == "https://accreditation.goldsmiths.example"
    assert partnership.policy("late_work", date(2025, 8, 31)).settings == {"cap": "50"}
    assert partnership.policy("late_work", date(2025, 9, 1)).settings == {"cap": "40"}
    assert partnership.policy("late_work", date(2024, 1, 1)) is None


def test_the_hash_follows_the_meaning_and_not_the_spelling():
    """Comments and quotes do not change the hash; another order of evidence does."""
    same = parse(("# more words\n" + GOOD.replace("title: North West London", 'title: "North West London"')).encode())
    other = parse(
        changed(
            ("      testimonial:\n        at_least: 1\n", ""),
            ("      reflection:\n", "      testimonial:\n        at_least: 1\n      reflection:\n"),
        ).encode()
    )
    assert same.hash == parse(GOOD.encode()).hash
    assert other.hash != same.hash


EMPLOYER, LEAD, HEI, BOARD, STRANGER = "hillingdon", "brent", "goldsmiths", "nwl-board", "camden"


@pytest.mark.parametrize(
    ("owner", "service", "reader", "may"),
    [
        (EMPLOYER, "enrolment", EMPLOYER, True),
        (EMPLOYER, "enrolment", LEAD, True),
        (EMPLOYER, "enrolment", HEI, True),
        (EMPLOYER, "enrolment", BOARD, True),
        (EMPLOYER, "enrolment", "ealing", False),
        (LEAD, "enrolment", EMPLOYER, True),
        (EMPLOYER, "assessment", EMPLOYER, True),
        (EMPLOYER, "assessment", HEI, True),
        (EMPLOYER, "assessment", BOARD, True),
        (EMPLOYER, "assessment", LEAD, False),
        (EMPLOYER, "assessment", "ealing", False),
        (HEI, "accreditation", EMPLOYER, True),
        (HEI, "accreditation", LEAD, True),
        (HEI, "accreditation", BOARD, True),
        (BOARD, "reporting", EMPLOYER, True),
        (BOARD, "reporting", HEI, True),
        (EMPLOYER, "enrolment", STRANGER, False),
        (STRANGER, "enrolment", BOARD, False),
        (HEI, "payroll", BOARD, False),
    ],
)
def test_feeds_are_read_by_whom_the_terms_let(owner, service, reader, may):
    """One cell of the table of topics and readers."""
    assert load(FILE).reads(owner, service, reader) is may


def test_feeds_belong_to_the_organisations_that_own_rows():
    """Each service's owners, in file order."""
    partnership = load(FILE)
    assert partnership.owners("enrolment") == partnership.with_role("employer")
    assert partnership.owners("accreditation") == (HEI,)
    assert partnership.owners("reporting") == (BOARD,)
    assert partnership.owners("payroll") == ()


@pytest.mark.parametrize(
    "change",
    [
        ("    - awarding_hei", "    - awarding_hei\n    - delivering_hei\n    - academic_partner"),
        ("    kind: hei", "    kind: voluntary-sector"),
        ("    kind: hei", "    kind: hei\n    ukprn: '10007771'\n    notes: joined later"),
    ],
)
def test_words_of_other_partnerships_are_taken_as_they_are(change):
    """Roles and kinds that we do not act on, and further facts about an organisation, refuse no file."""
    assert parse(changed(change).encode()).with_role("awarding_hei") == ("goldsmiths",)


@pytest.mark.parametrize(
    ("word", "known", "is_slip"),
    [
        ("employr", "employer", True),
        ("emplyoer", "employer", True),
        ("employerr", "employer", True),
        ("employor", "employer", True),
        ("employer", "employer", False),
        ("voluntary_employer", "employer", False),
        ("delivering_hei", "awarding_hei", False),
    ],
)
def test_slips_of_the_pen_are_told_from_other_words(word, known, is_slip):
    """One letter too many, too few, wrong or swapped is a slip; anything else is another word."""
    assert is_slip_of(word, known) is is_slip
