"""The forms by which a person says what a file's columns and words mean: read, and held against what a file needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from services.enrolment.application.column_preview import Preview
from services.enrolment.application.mapping_drafts import NAMES, ORDERS, WHOLE_NAME, Meanings, with_columns
from services.enrolment.application.mapping_drafts import missing as missing_fields
from services.enrolment.domain.field_list import BY_NAME, COURSE, FIELD_LIST, INTAKE, MANDATORY, WORD
from services.enrolment.domain.heading_matching import DATE_FORMATS
from services.enrolment.domain.mapping import FileMapping, spelled
from services.enrolment.web import upload_wording as wording
from shared.web import Form
from shared.web.wording import day

PADDED: Final = ("employee_ref", "line_manager_ref")
ONE, PERCENT, HOURS = "one", "percent", "hours"
SHARES: Final = {ONE: "1 is full time", PERCENT: "100 is full time (percent)", HOURS: "Hours a week"}
LONGEST_PADDED: Final = 40
_MOST_HOURS: Final = 168
_PER_CENT: Final = Decimal("0.01")
_PLACES: Final = 6
_ORDER_WORDS: Final = {
    "family, given": "Family name, comma, given name",
    "given family": "Given name, then family name",
    "family given": "Family name, then given name, without a comma",
}


@dataclass(frozen=True, slots=True)
class ValueAsked:
    """One word of the file that has to mean one of ours: where it stands in the form, and what it says."""

    name: str
    text_name: str
    text: str
    chosen: str


def column_options() -> list[tuple[str, str]]:
    """Return what a column may be read as."""
    fields = [
        (entry.name, f"{entry.title} (needed)" if entry.need == MANDATORY else entry.title) for entry in FIELD_LIST
    ]
    return [("", "Leave this column out"), (WHOLE_NAME, "Whole name (given and family name together)"), *fields]


def columns_shown(found: Preview) -> dict[str, str]:
    """Return what stands in the form of columns: each heading and the field it is read as."""
    typed: dict[str, str] = {}
    for number, each in enumerate(found.headings):
        typed |= {f"heading-{number}": each.heading, f"column-{number}": each.field or ""}
    return typed


def columns_read(form: Form, found: Preview) -> tuple[Form, FileMapping]:
    """Return the form with what is wrong with it, and the draft that it makes."""
    known = {value for value, _ in column_options()}
    chosen: dict[str, str] = {}
    taken: dict[str, str] = {}
    for number, each in enumerate(found.headings):
        name = f"column-{number}"
        field = form.get(name)
        if form.get(f"heading-{number}") != each.heading or field not in known:
            return form.with_error("columns", "This file was read in another way meanwhile. Look at it again"), (
                found.mapping
            )
        if field and field in taken:
            both = wording.listed([taken[field], each.heading])
            form = form.with_error(name, f"{both} are both {wording.lower_title(field)}. Choose one of them")
            field = ""
        chosen[each.heading] = field
        if field:
            taken[field] = each.heading
    draft = with_columns(found, chosen)
    if WHOLE_NAME in taken and any(name in taken for name in NAMES):
        form = form.with_error("columns", "Choose either the whole name or given and family name")
    lacking = [wording.lower_title(name) for name in missing_fields(draft)]
    if lacking:
        form = form.with_error("columns", f"Choose a column for {_and(lacking)}")
    return form, draft


def date_options(found: Preview) -> list[tuple[str, str]]:
    """Return how the file's dates can be read, each said with one of them; all ways where none reads them."""
    possible = [set(each.reading.formats) for each in found.dates if each.reading.formats]
    common = set.intersection(*possible) if possible else set()
    formats = [form for form in DATE_FORMATS if form in common] or list(DATE_FORMATS)
    example = date_example(found)
    return [(form, _date_words(form, example)) for form in formats]


def date_example(found: Preview) -> str:
    """Return a date of the file, one that could be two days where there is one."""
    ordered = sorted(found.dates, key=lambda each: not each.reading.is_ambiguous)
    return next((each.reading.example for each in ordered if each.reading.example), "")


def _date_words(form: str, example: str) -> str:
    read = _read_day(example, form)
    return f"{spelled(form)}: {example} is {day(read)}" if read else spelled(form)


def _read_day(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date() if text.isascii() else None  # noqa: DTZ007 - civil day
    except ValueError:
        return None


def order_options() -> list[tuple[str, str]]:
    """Return how a whole name may be written."""
    return [(order, _ORDER_WORDS[order]) for order in ORDERS]


def values_asked(found: Preview) -> dict[str, list[ValueAsked]]:
    """Return the words to choose for, by field: those that mean nothing yet, then those that a word was found for."""
    asked: dict[str, list[ValueAsked]] = {}
    for name in found.mapping.columns:
        if name not in BY_NAME or BY_NAME[name].kind not in (WORD, COURSE, INTAKE):
            continue
        chosen = dict(found.mapping.values.get(name, {}))
        unknown = [each.value for each in found.unknown_values if each.field == name]
        texts = list(dict.fromkeys((*unknown, *chosen)))
        listed = [
            ValueAsked(f"value-{name}-{number}", f"text-{name}-{number}", text, chosen.get(text, ""))
            for number, text in enumerate(texts)
        ]
        if listed:
            asked[name] = listed
    return asked


def meanings_shown(found: Preview) -> dict[str, str]:
    """Return what stands in the form of meanings before anybody typed; a doubt is left for the person."""
    draft, options = found.mapping, date_options(found)
    typed = {each.name: each.chosen for listed in values_asked(found).values() for each in listed}
    if len(options) == 1:
        typed["date_format"] = options[0][0]
    if draft.split_name:
        typed["order"] = draft.split_name.order
    scale = draft.scale.get("fte")
    if scale is None:
        typed["share"] = ONE if _looks_like_shares(found) else ""
    elif scale == _PER_CENT:
        typed["share"] = PERCENT
    else:
        typed |= {"share": HOURS, "hours": f"{round(1 / scale, 2).normalize():f}"}
    return typed | {f"pad-{name}": str(width) for name, width in draft.pad_left.items()}


def _looks_like_shares(found: Preview) -> bool:
    """Return whether working time is written so that 1 is full time, as far as the first rows show."""
    heading = found.mapping.columns.get("fte", "")
    texts = [cells.get(heading, "") for _, cells in found.rows]
    return all(text in ("", "1") or text.startswith(("0.", "1.0")) for text in texts)


def meanings_read(form: Form, found: Preview, words: Mapping[str, Sequence[tuple[str, str]]]) -> tuple[Form, Meanings]:
    """Return the form with what is wrong with it, and what it says; `words` are those of ours that may be chosen."""
    said = Meanings(date_format=found.mapping.date_format)
    if found.dates:
        form, said = _dates_read(form, found, said)
    if found.mapping.split_name:
        order = form.get("order")
        said = replace(said, order=order)
        if order not in ORDERS:
            form = form.with_error("order", "Say how the whole name is written")
    if "fte" in found.mapping.columns:
        form, said = _share_read(form, said)
    form, said = _padding_read(form, found, said)
    values: dict[str, dict[str, str]] = {}
    for field, listed in values_asked(found).items():
        allowed = {value for value, _ in words.get(field, ())}
        texts = {form.get(each.text_name): form.get(each.name) for each in listed if form.get(each.text_name)}
        values[field] = {text: word for text, word in texts.items() if word in allowed}
    return form, replace(said, values=values)


def _dates_read(form: Form, found: Preview, said: Meanings) -> tuple[Form, Meanings]:
    wanted = form.get("date_format")
    if wanted not in {value for value, _ in date_options(found)}:
        return form.with_error("date_format", "Say how dates are written in this file"), said
    return form, replace(said, date_format=wanted)


def _share_read(form: Form, said: Meanings) -> tuple[Form, Meanings]:
    share = form.get("share")
    if share == ONE:
        return form, said
    if share == PERCENT:
        return form, replace(said, scale={"fte": _PER_CENT})
    if share != HOURS:
        return form.with_error("share", "Say how working time is written"), said
    try:
        hours = Decimal(form.get("hours").strip())
    except InvalidOperation:
        hours = Decimal(0)
    if not (hours.is_finite() and 1 <= hours <= _MOST_HOURS):
        return form.with_error("hours", "Enter how many hours a week are full time, for example 36"), said
    return form, replace(said, scale={"fte": round(1 / hours, _PLACES)})


def _padding_read(form: Form, found: Preview, said: Meanings) -> tuple[Form, Meanings]:
    widths: dict[str, int] = {}
    for name in PADDED:
        text = form.get(f"pad-{name}").strip()
        if not text or name not in found.mapping.columns:
            continue
        if text.isascii() and text.isdigit() and len(text) <= len(str(LONGEST_PADDED)) and int(text) <= LONGEST_PADDED:
            if int(text):
                widths[name] = int(text)
            continue
        form = form.with_error(f"pad-{name}", f"Enter a number of digits, {LONGEST_PADDED} at most, or nothing")
    return form, replace(said, pad_left=widths)


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
