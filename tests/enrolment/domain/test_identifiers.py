"""Numbers from elsewhere: forms, check digits, one spelling each. The vectors are the domain report's."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from services.enrolment.domain import identifiers
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.identifiers import HcpcNumber

DIGITS = "0123456789"
HUSIDS = ("9911560000120", "1811560098335", "2011560093001")
ULN = "9276308686"


def a_sid(stem: str = "2210007777000001") -> str:
    """Return a SID with its check digit."""
    return stem + identifiers.weighted_check_digit(stem)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("SW53380", "SW53380"),
        ("sw00136973", "SW136973"),
        (" SW 000123 ", "SW123"),
        ("Sw1", "SW1"),
        ("SW999999", "SW999999"),
        ("SW0", None),
        ("SW1234567", None),
        ("53380", None),
        ("SW12X", None),
        ("SW١٢٣", None),
        ("", None),
    ],
)
def test_swe_number_has_one_spelling(told, kept):
    """Zeros, case and blanks make no difference; anything else is no number."""
    assert identifiers.swe_number(told) == kept


def test_hcpc_numbers_keep_their_zeros_and_their_days():
    """The former register's numbers stay as history, oldest first."""
    history = (HcpcNumber("sw 012345", date(2016, 1, 1), date(2019, 12, 1)), HcpcNumber("SW000999"))
    assert identifiers.hcpc_history(history) == (
        HcpcNumber("SW000999"),
        HcpcNumber("SW012345", date(2016, 1, 1), date(2019, 12, 1)),
    )
    for wrong in (HcpcNumber("SW000"), HcpcNumber("OT12345"), HcpcNumber("SW1", date(2019, 1, 1), date(2018, 1, 1))):
        with pytest.raises(RuleSaysNo):
            identifiers.hcpc_history((wrong,))


def test_uln_of_the_report_is_one_and_the_placeholder_is_none():
    """The vector passes, 9999999999 does not, and a leading zero never does."""
    assert identifiers.is_uln(ULN)
    for wrong in (identifiers.NO_ULN_YET, "0276308686", "927630868", "92763086866", "927630868X", "٩276308686"):
        assert not identifiers.is_uln(wrong)
    with pytest.raises(RuleSaysNo, match="leave it empty"):
        identifiers.checked(identifiers.NO_ULN_YET, None, None)


@given(place=some.integers(0, 9), digit=some.sampled_from(DIGITS))
def test_uln_with_one_changed_digit_is_found(place, digit):
    """Eleven is a prime, so no single digit can change without the check noticing."""
    assume(ULN[place] != digit)
    assert not identifiers.is_uln(ULN[:place] + digit + ULN[place + 1 :])


@given(some.integers(100000000, 999999999))
def test_one_uln_stem_in_eleven_has_no_number(stem):
    """Exactly one check digit fits a stem, or none where it would be ten."""
    fitting = [digit for digit in DIGITS if identifiers.is_uln(f"{stem}{digit}")]
    total = sum(int(digit) * weight for digit, weight in zip(str(stem), range(10, 1, -1), strict=True))
    check = (10 - total) % 11
    assert fitting == ([] if check == 10 else [str(check)])


@pytest.mark.parametrize("number", HUSIDS)
def test_husids_of_the_report_are_some(number):
    """The three vectors pass; as a returner's SID too."""
    assert identifiers.is_husid(number)
    assert identifiers.is_sid(number)


@given(number=some.sampled_from(HUSIDS), place=some.integers(0, 12), digit=some.sampled_from(DIGITS))
def test_husid_with_one_changed_digit_is_found(number, place, digit):
    """No weight shares a factor with ten: one changed digit never passes."""
    assume(number[place] != digit)
    assert not identifiers.is_husid(number[:place] + digit + number[place + 1 :])


@given(serial=some.integers(0, 999999), place=some.integers(0, 16), digit=some.sampled_from(DIGITS))
def test_sid_with_one_changed_digit_is_found(serial, place, digit):
    """Seventeen digits with the provider's number inside; one changed digit never passes."""
    number = a_sid(f"2210007777{serial:06d}")
    assert identifiers.is_sid(number)
    assume(number[place] != digit)
    assert not identifiers.is_sid(number[:place] + digit + number[place + 1 :])


def test_sid_has_a_provider_inside():
    """A check digit alone makes no SID: the middle eight digits are a UKPRN."""
    assert not identifiers.is_sid(a_sid("2290007777000001"))
    assert not identifiers.is_sid("1" * 15)


def test_ukprn_has_a_form_and_no_check_digit():
    """Eight digits that begin with a one."""
    assert identifiers.is_ukprn("10007777")
    assert not any(map(identifiers.is_ukprn, ("20007777", "1000777", "100077777", "1000777X", "")))


@given(some.text(max_size=30))
def test_no_text_breaks_a_check(text):
    """Whatever is sent is a number or it is none."""
    for check in (identifiers.is_uln, identifiers.is_husid, identifiers.is_sid, identifiers.is_ukprn):
        assert check(text) in (True, False)
    number = identifiers.swe_number(text)
    assert number is None or identifiers.swe_number(number) == number
