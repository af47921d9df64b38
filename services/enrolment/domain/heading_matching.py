"""What an unknown file's headings and values probably mean: suggestions for a person to look at, never more.

Nothing is read by what stands here: a file is read by the column mapping that somebody has set.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher

from services.enrolment.domain.field_list import FIELD_LIST, WORDS_ELSEWHERE
from services.enrolment.domain.mapping import Cell

EXACT = "exact"
KNOWN = "known"
SIMILAR = "similar"
NAME_COLUMN = "full_name"
FULL_NAMES = frozenset(
    {"name", "full name", "employee name", "person", "staff name", "worker", "worker name", "surname first name",
     "surname forename", "nominee", "candidate", "candidate name", "person name", "learner", "learner name"}
)  # fmt: skip
DATE_FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %B %Y",
    "%Y%m%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
)
_LEAST_ALIKE = 0.84
_LEAST_READ = 0.6
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Which field a heading probably is, and how sure that is: exact, known or similar."""

    heading: str
    field: str
    confidence: str


@dataclass(frozen=True, slots=True)
class DateReading:
    """How a column's dates can be read. `formats` are all that read the most; more than one is for a person to say."""

    formats: tuple[str, ...]
    unread: int
    example: str | None = None

    @property
    def is_ambiguous(self) -> bool:
        """Return whether the same values are different days in more than one format."""
        return len(self.formats) > 1


def plain(text: str) -> str:
    """Return a heading or word without case, accents, punctuation and doubled spaces."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    bare = "".join(char for char in unicodedata.normalize("NFKD", parts) if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", " ", bare.casefold()).strip()


def suggest(headings: Sequence[str]) -> list[Suggestion]:
    """Return a field for as many headings as have one, each field once: exact names first, then known words."""
    found: dict[str, Suggestion] = {}
    used: set[str] = set()
    for confidence, score in ((EXACT, _is_name), (KNOWN, _is_known), (SIMILAR, _likeness)):
        scored = [
            (score(plain(heading), number), heading, entry.name)
            for heading in headings
            if heading and heading not in found
            for number, entry in enumerate(FIELD_LIST)
            if entry.name not in used
        ]
        for value, heading, field in sorted(scored, key=lambda each: -each[0]):
            if value >= _LEAST_ALIKE and heading not in found and field not in used:
                found[heading] = Suggestion(heading, field, confidence)
                used.add(field)
    return [found[heading] for heading in dict.fromkeys(headings) if heading in found]


def _is_name(heading: str, number: int) -> float:
    entry = FIELD_LIST[number]
    return float(heading in (plain(entry.name), plain(entry.title)))


def _is_known(heading: str, number: int) -> float:
    return float(heading in FIELD_LIST[number].also)


def _likeness(heading: str, number: int) -> float:
    entry = FIELD_LIST[number]
    if heading in FULL_NAMES:
        return 0.0
    words = (plain(entry.name), plain(entry.title), *entry.also)
    return max(SequenceMatcher(None, heading, word).ratio() for word in words)


def looks_like_headings(cells: Sequence[Cell]) -> int:
    """Return how many cells of a row are words that some field goes by."""
    words = [plain(cell) for cell in cells if isinstance(cell, str)]
    known = {plain(word) for entry in FIELD_LIST for word in (entry.name, entry.title, *entry.also)} | FULL_NAMES
    return len({word for word in words if word in known})


def read_dates(values: Iterable[Cell]) -> DateReading:
    """Return the formats that read the most of a column's texts; cells that are dates need none."""
    texts = Counter(value.strip() for value in values if isinstance(value, str) and value.strip())
    scores = {form: sum(count for text, count in texts.items() if _reads(text, form)) for form in DATE_FORMATS}
    best = max(scores.values(), default=0)
    total = sum(texts.values())
    if not total or best < _LEAST_READ * total:
        return DateReading((), total, next(iter(texts), None))
    formats = tuple(form for form, score in scores.items() if score == best)
    doubt = next((text for text in texts if len({_day(text, form) for form in formats} - {None}) > 1), None)
    if doubt is None:
        formats = formats[:1]
    return DateReading(formats, total - best, doubt or next(iter(texts)))


def _reads(text: str, form: str) -> bool:
    return _day(text, form) is not None


def _day(text: str, form: str) -> str | None:
    try:
        return datetime.strptime(text, form).date().isoformat() if text.isascii() else None  # noqa: DTZ007
    except ValueError:
        return None


def suggest_words(field: str, values: Iterable[str], titles: Mapping[str, str]) -> dict[str, str]:
    """Return theirs -> ours for values that plainly mean one of our words; `titles` are courses by plain title."""
    elsewhere = WORDS_ELSEWHERE.get(field, {})
    words = {plain(word): word for entry in FIELD_LIST if entry.name == field for word in entry.words}
    known = {**elsewhere, **words, **(titles if field == "course" else {})}
    return {value: known[plain(value)] for value in values if plain(value) in known and known[plain(value)] != value}


def name_order(values: Iterable[Cell]) -> str:
    """Return how a combined name is probably written: with a comma the family name comes first."""
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    with_comma = sum("," in text for text in texts)
    return "family, given" if with_comma * 2 > len(texts) else "given family"


def looks_like_percent(values: Iterable[Cell]) -> bool:
    """Return whether a working-time column is probably in percent: some are 100, none is more."""
    numbers = [number for number in map(_number, values) if number is not None]
    return bool(numbers) and max(numbers) == _PERCENT


def _number(value: Cell) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None
