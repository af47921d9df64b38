"""YAML whose every value knows its line, so that a fault can say where it is.

Only reading of shapes lives here (mapping, list, text, number, date); what the keys mean is `loader.py`. Nothing here
raises: each fault is noted, and the caller gets a neutral value and reads on, so that all faults are found at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal, InvalidOperation

import yaml

from shared.errors import Fault

NULL = "tag:yaml.org,2002:null"


class Located:
    """One value of the file and where it stands."""

    __slots__ = ("faults", "node", "path")

    def __init__(self, node: yaml.Node, path: str, faults: list[Fault]) -> None:
        self.node = node
        self.path = path
        self.faults = faults

    @property
    def line(self) -> int:
        """The line of the file, counted from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written here."""
        return self.node.tag == NULL

    def fault(self, code: str, detail: str) -> None:
        """Note that this value is wrong."""
        where = f"{self.path}: " if self.path else ""
        self.faults.append(Fault(code=code, detail=where + detail, row=self.line))

    def entries(self) -> dict[str, Located]:
        """Return the mapping's values by key, in file order; a key that stands twice is a fault."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fault("not_a_mapping", "must be a mapping (key: value)")
            return {}
        found: dict[str, Located] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fault("not_a_key", "keys must be plain text")
                continue
            name = str(key.value)
            child = Located(value, f"{self.path}.{name}" if self.path else name, self.faults)
            if name in found:
                Located(key, child.path, self.faults).fault(
                    "duplicate_key", f"stands twice (first on line {found[name].line})"
                )
                continue
            found[name] = child
        return found

    def known(self, required: Collection[str]) -> dict[str, Located]:
        """Return the entries asked for; missing ones are faults, others are for somebody else and left alone."""
        entries = self.entries()
        for name in required if isinstance(self.node, yaml.MappingNode) else ():
            if name not in entries or entries[name].is_empty:
                self.fault("missing_key", f"{name} is missing")
        return {name: value for name, value in entries.items() if name in required and not value.is_empty}

    def record(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Located]:
        """Return the entries that are known and not empty; missing and unknown keys are faults."""
        if not isinstance(self.node, yaml.MappingNode):
            self.entries()
            return {}
        entries = self.entries()
        known = [*required, *optional]
        for name, value in entries.items():
            if name not in known and not name.startswith("x-"):
                value.fault("unknown_key", f"is not a key of this format{did_you_mean(name, known)}")
        for name in required:
            if name not in entries or entries[name].is_empty:
                self.fault("missing_key", f"{name} is missing")
        return {name: value for name, value in entries.items() if name in known and not value.is_empty}

    def items(self) -> list[Located]:
        """Return the values of a list, in order."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fault("not_a_list", "must be a list")
            return []
        return [Located(child, f"{self.path}[{index}]", self.faults) for index, child in enumerate(self.node.value)]

    def text(self, pattern: str | None = None, meaning: str = "text") -> str:
        """Return the text exactly as written, or an empty one after noting a fault."""
        if not isinstance(self.node, yaml.ScalarNode) or self.is_empty:
            self.fault("not_text", f"must be {meaning}")
            return ""
        written = str(self.node.value)
        if pattern is not None and re.fullmatch(pattern, written) is None:
            self.fault("invalid_value", f"{written!r} is not {meaning}")
            return ""
        return written

    def whole(self, at_least: int, at_most: int = 2**31) -> int:
        """Return a whole number within the bounds, or `at_least` after noting a fault."""
        written = self.text(r"[+-]?\d{1,12}", "a whole number")
        if not written:
            return at_least
        number = int(written)
        if not at_least <= number <= at_most:
            self.fault("out_of_range", f"{number} is not between {at_least} and {at_most}")
            return at_least
        return number

    def decimal(self) -> Decimal:
        """Return a number above zero, or 1 after noting a fault."""
        written = self.text(meaning="a number")
        try:
            number = Decimal(written) if written else Decimal(1)
        except InvalidOperation:
            number = Decimal(0)
        if not number.is_finite() or number <= 0:
            self.fault("invalid_value", f"{written!r} is not a number above zero")
            return Decimal(1)
        return number

    def date(self) -> date:
        """Return an ISO date, or the first one there is after noting a fault."""
        written = self.text(r"\d{4}-\d{2}-\d{2}", "a date (YYYY-MM-DD)")
        try:
            return date.fromisoformat(written) if written else date.min
        except ValueError:
            self.fault("invalid_date", f"there is no day {written}")
            return date.min

    def one_of(self, choices: Collection[str]) -> str:
        """Return one of `choices`, or an empty text after noting a fault."""
        written = self.text()
        if written and written not in choices:
            self.fault("invalid_value", f"{written!r} is none of {', '.join(choices)}{did_you_mean(written, choices)}")
            return ""
        return written


def did_you_mean(written: str, known: Collection[str]) -> str:
    """Return the ending `; did you mean ...?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(written, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def is_slip_of(word: str, known: str) -> bool:
    """Return whether `word` is `known` with one letter too many, too few, wrong or swapped, as typing slips are."""
    if word == known or abs(len(word) - len(known)) > 1:
        return False
    alike = 0
    while alike < min(len(word), len(known)) and word[alike] == known[alike]:
        alike += 1
    left, right = word[alike:], known[alike:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]
