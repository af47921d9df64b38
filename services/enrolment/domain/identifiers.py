"""The numbers that people and organisations carry from elsewhere: their forms, their check digits, one spelling each.

All are optional facts about a person whom this employer knows already; none of them is ever on the bus.
Source: domain report, "Identifiers" and "Regulator".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.enrolment.domain.errors import RuleSaysNo

_SWE = re.compile(r"\s*SW\s*0*([1-9][0-9]{0,5})\s*", re.IGNORECASE)
_HCPC = re.compile(r"\s*SW\s*([0-9]{1,6})\s*", re.IGNORECASE)
_ULN = re.compile(r"[1-9][0-9]{9}")
_UKPRN = re.compile(r"1[0-9]{7}")
_HUSID = re.compile(r"[0-9]{13}")
_SID = re.compile(r"[0-9]{17}")
_WEIGHTS = (1, 3, 7, 9)
MOST_HCPC_TOLD = 100
NO_ULN_YET = "9999999999"
"""What returns hold for somebody without a ULN; it fails the check digit and is never one."""


@dataclass(frozen=True, slots=True)
class HcpcNumber:
    """A number on the register that the regulator before Social Work England kept, with its days where known.

    Each is one telling of that number; `stands`: false says that the number was never theirs.
    """

    number: str
    from_on: date | None = None
    until_on: date | None = None
    stands: bool = True
    recorded_at: datetime | None = None


def swe_number(text: str) -> str | None:
    """Return Social Work England's number as "SW" and digits without leading zeros; None when it is none.

    There is no check digit: only the form can be wrong.
    """
    found = _SWE.fullmatch(text)
    return f"SW{found[1]}" if found else None


def hcpc_number(text: str) -> str | None:
    """Return an HCPC number of a social worker, upper case without blanks; its zeros are kept: they were part of it."""
    found = _HCPC.fullmatch(text)
    return f"SW{found[1]}" if found and found[1].strip("0") else None


def hcpc_history(numbers: tuple[HcpcNumber, ...]) -> tuple[HcpcNumber, ...]:
    """Return the numbers in one spelling, oldest first.

    Raises:
        RuleSaysNo: One is no HCPC number, or ends before it begins.
    """
    found = []
    for known in numbers:
        number = hcpc_number(known.number)
        if number is None:
            raise RuleSaysNo("an HCPC number of a social worker is SW and up to six digits")
        if known.from_on and known.until_on and known.until_on < known.from_on:
            raise RuleSaysNo("an HCPC registration does not end before it begins")
        found.append(replace(known, number=number))
    return tuple(sorted(found, key=lambda known: (known.from_on or date.min, known.number)))


def hcpc_told(known: tuple[HcpcNumber, ...], told: tuple[HcpcNumber, ...], at: datetime) -> tuple[HcpcNumber, ...]:
    """Return everything that was ever told of a person's HCPC numbers, in order, with what is news in `told`.

    Nothing is dropped: a number that is not told again stays, one told again without a day keeps that day.

    Raises:
        RuleSaysNo: One is no HCPC number, ends before it begins, or they are more than one person can have had.
    """
    found = list(known)
    for new in hcpc_history(told):
        last = next((one for one in reversed(found) if one.number == new.number), None)
        before = last if last is not None and last.stands else HcpcNumber(new.number)
        days = HcpcNumber(new.number, new.from_on or before.from_on, new.until_on or before.until_on, new.stands)
        if (last is None and not new.stands) or (last is not None and replace(last, recorded_at=None) == days):
            continue
        if not new.stands and last is not None and not last.stands:
            continue
        found.append(replace(hcpc_history((days,))[0], recorded_at=at))
    if len(found) > MOST_HCPC_TOLD:
        raise RuleSaysNo(f"of one person at most {MOST_HCPC_TOLD} tellings of HCPC numbers are kept")
    return tuple(found)


def hcpc_standing(told: tuple[HcpcNumber, ...]) -> tuple[HcpcNumber, ...]:
    """Return the numbers that are a person's, as last told of each, oldest first."""
    last = {one.number: one for one in told}
    return hcpc_history(tuple(one for one in last.values() if one.stands))


def is_uln(text: str) -> bool:
    """Return whether this is a unique learner number: ten digits, the weighted sum leaves 10 when divided by 11."""
    if not _ULN.fullmatch(text):
        return False
    return sum(int(digit) * weight for digit, weight in zip(text, range(10, 0, -1), strict=True)) % 11 == 10


def is_husid(text: str) -> bool:
    """Return whether this is a HUSID: 13 digits, the last a check digit."""
    return bool(_HUSID.fullmatch(text)) and text[-1] == weighted_check_digit(text[:-1])


def is_sid(text: str) -> bool:
    """Return whether this is a student's SID: 17 digits with the provider's UKPRN inside, or a returner's HUSID."""
    if is_husid(text):
        return True
    return bool(_SID.fullmatch(text)) and is_ukprn(text[2:10]) and text[-1] == weighted_check_digit(text[:-1])


def is_ukprn(text: str) -> bool:
    """Return whether this has the form of a provider's number: eight digits, the first a 1. There is no check digit."""
    return bool(_UKPRN.fullmatch(text))


def weighted_check_digit(digits: str) -> str:
    """Return the check digit of HUSID and SID: weights 1, 3, 7, 9 in turn, what is missing to the next ten.

    Every weight has no factor in common with 10, so one changed digit always changes the check digit.
    """
    total = sum(int(digit) * _WEIGHTS[place % 4] for place, digit in enumerate(digits))
    return str((10 - total % 10) % 10)


def checked(uln: str | None, husid: str | None, sid: str | None) -> None:
    """Refuse numbers whose form or check digit is wrong.

    Raises:
        RuleSaysNo: Naming the number that is none, and what is to be done.
    """
    if uln is not None and not is_uln(uln):
        placeholder = " (it is what returns say for nobody's: leave it empty)" if uln == NO_ULN_YET else ""
        raise RuleSaysNo(f"this is no unique learner number: ten digits with a check digit{placeholder}")
    if husid is not None and not is_husid(husid):
        raise RuleSaysNo("this is no HUSID: thirteen digits with a check digit")
    if sid is not None and not is_sid(sid):
        raise RuleSaysNo("this is no SID: seventeen digits with a check digit, or a returner's HUSID of thirteen")
