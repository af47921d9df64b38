"""The sections of the partnership file, one reader each.

A reader gets its section (None where the file leaves it out) and returns what it says; faults are noted on the way.
Nothing that spans the whole file is decided here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from typing import TypeVar

from shared.partnership.located import Located, did_you_mean, is_slip_of
from shared.partnership.model import (
    ROLES,
    SERVICES,
    ColumnMapping,
    DatedPolicy,
    EvidenceSet,
    Framework,
    ItemRule,
    Organisation,
    SplitName,
    frozen,
)

Section = TypeVar("Section")

SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
SLUG_MEANING = "a name of small letters, digits and hyphens"
WORD = r"[a-z][a-z0-9_]*"
WORD_MEANING = "a word of small letters, digits and underscores"
KIND = r"[a-z][a-z0-9_-]*"
KIND_MEANING = "a word of small letters, digits, hyphens and underscores"
LONGEST_SLUG = 40  # topic and database names are made of it
HTTP_ADDRESS = r"https?://[^\s/]+\S*"

CANONICAL_COLUMNS = (
    "employee_ref",
    "given_name",
    "family_name",
    "email",
    "date_of_birth",
    "swe_number",
    "job_title",
    "team",
    "pcf_level",
    "line_manager_ref",
    "employment_start",
    "fte",
    "course",
    "intake",
    "route",
    "manager_approved_on",
    "prerequisite_on",
)
FORMATS = ("csv", "tsv", "xlsx", "xls", "ods", "ndjson")
NAME_ORDERS = ("family, given", "given family")
VERIFICATIONS = ("required", "optional", "none")
MAPPING_KEYS = tuple(field.name for field in fields(ColumnMapping))


def organisations(section: Located | None) -> dict[str, Organisation]:
    """Return the partners by slug, in file order."""
    return {slug: _organisation(slug, value) for slug, value in _named(section, SLUG, SLUG_MEANING)}


def frameworks(section: Located | None) -> dict[str, Framework]:
    """Return the capability frameworks by name."""
    return {name: _framework(value) for name, value in _named(section, SLUG, SLUG_MEANING)}


def evidence_sets(section: Located | None, known: Mapping[str, Framework]) -> dict[str, EvidenceSet]:
    """Return the evidence sets by name; each must name a framework of the file."""
    return {name: _evidence_set(value, known) for name, value in _named(section, SLUG, SLUG_MEANING)}


def column_mappings(section: Located | None, partners: Mapping[str, Organisation]) -> dict[str, ColumnMapping]:
    """Return how the employers' exports are read, by organisation."""
    return _by_organisation(section, partners, column_mapping)


def doors(section: Located | None, partners: Mapping[str, Organisation]) -> dict[str, Mapping[str, str]]:
    """Return the base address of each partner's services, by organisation and service."""
    return _by_organisation(section, partners, _doors)


def policies(section: Located | None) -> dict[str, tuple[DatedPolicy, ...]]:
    """Return the dated wordings of each policy, oldest first."""
    return {name: _policy(value) for name, value in _named(section, WORD, WORD_MEANING)}


def organisation_slug(value: Located, partners: Mapping[str, Organisation]) -> str:
    """Return a partner's slug, or an empty text after noting that there is no such partner."""
    slug = value.text()
    if slug and slug not in partners:
        value.fault("unknown_organisation", f"{slug!r} is not one of the organisations{did_you_mean(slug, partners)}")
        return ""
    return slug


def column_mapping(value: Located) -> ColumnMapping:
    """Return one employer's mapping. Source: partnership data rules, "How a row is decided"."""
    entries = value.record((), MAPPING_KEYS)
    columns = _columns(entries.get("columns"))
    ours = {*CANONICAL_COLUMNS, *columns}
    read_format = entries["format"].one_of(FORMATS) if "format" in entries else "csv"
    default = ColumnMapping()
    return ColumnMapping(
        format=read_format,
        encoding=_encoding(entries["encoding"]) if "encoding" in entries else default.encoding,
        delimiter=_delimiter(entries["delimiter"]) if "delimiter" in entries else "\t" if read_format == "tsv" else ",",
        sheet=entries["sheet"].text() if "sheet" in entries else None,
        heading_row=entries["heading_row"].whole(1, 10_000) if "heading_row" in entries else 1,
        date_format=_date_format(entries["date_format"]) if "date_format" in entries else None,
        columns=frozen(columns),
        values=frozen(_per_column(entries.get("values"), ours, _texts)),
        split_name=_split_name(entries["split_name"], ours) if "split_name" in entries else None,
        scale=frozen(_per_column(entries.get("scale"), ours, Located.decimal)),
        pad_left=frozen(_per_column(entries.get("pad_left"), ours, lambda width: width.whole(1, 50))),
    )


def _named(section: Located | None, pattern: str, meaning: str) -> list[tuple[str, Located]]:
    found = []
    for name, value in section.entries().items() if section is not None else ():
        if re.fullmatch(pattern, name) is None or len(name) > LONGEST_SLUG:
            value.fault("invalid_name", f"{name!r} is not {meaning}, at most {LONGEST_SLUG} long")
        found.append((name, value))
    return found


def _by_organisation(
    section: Located | None, partners: Mapping[str, Organisation], read: Callable[[Located], Section]
) -> dict[str, Section]:
    found = {}
    for slug, value in section.entries().items() if section is not None else ():
        if slug not in partners:
            value.fault("unknown_organisation", f"is not one of the organisations{did_you_mean(slug, partners)}")
        found[slug] = read(value)
    return found


def _organisation(slug: str, value: Located) -> Organisation:
    entries = value.known(("name", "kind", "roles"))
    roles = [_role(role) for role in entries["roles"].items()] if "roles" in entries else []
    return Organisation(
        slug=slug,
        name=entries["name"].text() if "name" in entries else "",
        kind=entries["kind"].text(KIND, KIND_MEANING) if "kind" in entries else "",
        roles=frozenset(roles),
    )


def _role(value: Located) -> str:
    """Return a role; words that we do not act on are taken as they are, unless they look like a slip of the pen."""
    role = value.text(KIND, KIND_MEANING)
    meant = next((known for known in ROLES if is_slip_of(role, known)), None) if role not in ROLES else None
    if meant:
        value.fault("unknown_role", f"{role!r} is not a role; did you mean {meant}?")
    return role


def _framework(value: Located) -> Framework:
    entries = value.record(("valid_from", "domains"))
    domains: list[str] = []
    for child in entries["domains"].items() if "domains" in entries else ():
        name = child.text(WORD, WORD_MEANING)
        if name in domains:
            child.fault("duplicate_domain", f"{name!r} stands twice")
        domains.append(name)
    if "domains" in entries and not domains:
        entries["domains"].fault("missing_value", "needs at least one domain")
    valid_from = entries["valid_from"].date() if "valid_from" in entries else date.min
    return Framework(valid_from=valid_from, domains=tuple(domains))


def _evidence_set(value: Located, known: Mapping[str, Framework]) -> EvidenceSet:
    entries = value.record(("framework", "items"), ("every_domain", "supervisor_verification"))
    verification = entries.get("supervisor_verification")
    return EvidenceSet(
        framework=entries["framework"].one_of(tuple(known)) if "framework" in entries else "",
        every_domain=entries["every_domain"].whole(0, 100) if "every_domain" in entries else 0,
        items=frozen({kind: _item_rule(rule) for kind, rule in _named(entries.get("items"), WORD, WORD_MEANING)}),
        supervisor_verification=verification.one_of(VERIFICATIONS) if verification else "required",
    )


def _item_rule(value: Located) -> ItemRule:
    entries = value.record(("at_least",), ("at_least_not_by_line_manager",))
    at_least = entries["at_least"].whole(0, 1000) if "at_least" in entries else 0
    independent = entries.get("at_least_not_by_line_manager")
    not_by_line_manager = independent.whole(0, 1000) if independent else 0
    if independent and not_by_line_manager > at_least:
        independent.fault("out_of_range", f"{not_by_line_manager} is more than at_least ({at_least})")
    return ItemRule(at_least=at_least, at_least_not_by_line_manager=not_by_line_manager)


def _columns(section: Located | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for ours, value in section.entries().items() if section is not None else ():
        if ours not in (*CANONICAL_COLUMNS, "full_name"):
            value.fault("unknown_column", f"is not one of our columns{did_you_mean(ours, CANONICAL_COLUMNS)}")
        theirs = value.text()
        if theirs and theirs in found.values():
            value.fault("duplicate_column", f"the heading {theirs!r} is used twice")
        found[ours] = theirs
    return found


def _per_column(section: Located | None, ours: set[str], read: Callable[[Located], Section]) -> dict[str, Section]:
    found = {}
    for name, value in section.entries().items() if section is not None else ():
        if name not in ours:
            value.fault("unknown_column", f"is not one of our columns{did_you_mean(name, sorted(ours))}")
        found[name] = read(value)
    return found


def _texts(value: Located) -> Mapping[str, str]:
    return frozen({theirs: ours.text() for theirs, ours in value.entries().items()})


def _split_name(value: Located, ours: set[str]) -> SplitName:
    entries = value.record(("column", "order"))
    return SplitName(
        column=entries["column"].one_of(sorted({*ours, "full_name"})) if "column" in entries else "",
        order=entries["order"].one_of(NAME_ORDERS) if "order" in entries else "",
    )


def _encoding(value: Located) -> str:
    name = value.text()
    try:
        known = codecs.lookup(name)._is_text_encoding if name else True  # noqa: SLF001 - rot13 and hex are codecs too
    except (LookupError, ValueError):
        known = False
    if not known:
        value.fault("unknown_encoding", f"{name!r} is not a text encoding")
    return name


def _delimiter(value: Located) -> str:
    delimiter = value.text()
    if len(delimiter) != 1 or delimiter in '"\r\n':
        value.fault("invalid_delimiter", "must be one character, such as a comma, a semicolon or a tab")
    return delimiter


def _date_format(value: Located) -> str:
    written = value.text()
    directives = re.findall(r"%(-?.)", written)
    if not {"Y", "y"} & set(directives) or "d" not in directives or not {"m", "b", "B"} & set(directives):
        value.fault("invalid_date_format", f"{written!r} needs a year, a month and a day, such as %d/%m/%Y")
    return written


def _doors(value: Located) -> Mapping[str, str]:
    entries = value.record((), SERVICES)
    return frozen({name: door.text(HTTP_ADDRESS, "an http(s) address") for name, door in entries.items()})


def _policy(value: Located) -> tuple[DatedPolicy, ...]:
    wordings: list[DatedPolicy] = []
    for child in value.items():
        entries = child.entries()
        valid_from = entries.pop("valid_from", None)
        if valid_from is None:
            child.fault("missing_key", "valid_from is missing")
            continue
        wording = DatedPolicy(valid_from.date(), frozen({name: entry.text() for name, entry in entries.items()}))
        if wordings and wording.valid_from <= wordings[-1].valid_from:
            valid_from.fault("not_in_order", "wordings stand oldest first, each with its own valid_from")
        wordings.append(wording)
    return tuple(wordings)
