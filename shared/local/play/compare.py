"""Holding what was seen against `expected.json`. Pure: no door is opened here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PARTS = ("files", "seats", "promotions", "outcomes", "reports")
_ROW_FIELDS = ("line", "employee_ref", "course", "intake", "route", "decision", "codes", "record_ref")


@dataclass(slots=True)
class Observed:
    """What the play saw through the public doors, in the shapes of `expected.json`.

    `published` holds the board's tables of the last publication, `reports` the operator's projections.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    seats: dict[str, dict[str, list[list[str]]]] = field(default_factory=dict)
    promotions: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    published: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def differences(expected: Mapping[str, Any], observed: Observed) -> dict[str, list[str]]:
    """Return one sentence per difference, by part, parts in the order of `PARTS`; empty lists where all is equal."""
    return {
        "files": list(_files(expected["files"], observed.files)),
        "seats": list(_seats(expected["seats"], observed.seats)),
        "promotions": list(_in_order("promotion", expected["promotions"], observed.promotions)),
        "outcomes": list(_keyed("outcome", expected["outcomes"], observed.outcomes)),
        "reports": [
            *_reports(expected["reports"], observed.reports),
            *_published(expected["reports"], observed.published),
        ],
    }


def _files(expected: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[str]:
    for name, file in expected.items():
        found = observed.get(name)
        if found is None:
            yield f"{name}: never played"
            continue
        if file["counts"] != found["counts"]:
            yield f"{name}: counts {found['counts']}, expected {file['counts']}"
        seen = {row["line"]: _row(row) for row in found["rows"]}
        for row in file["rows"]:
            if seen.pop(row["line"], None) != _row(row):
                yield f"{name} line {row['line']}: {_seen(found['rows'], row['line'])}, expected {_row(row)}"
        for line in seen:
            yield f"{name} line {line}: decided, but the scenario has no such row"


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _ROW_FIELDS if row.get(name) not in (None, [])}


def _seen(rows: Iterable[Mapping[str, Any]], line: int) -> dict[str, Any]:
    return next((_row(row) for row in rows if row["line"] == line), {})


def _seats(expected: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[str]:
    for state, courses in expected.items():
        for course, people in courses.items():
            found = observed.get(state, {}).get(course, [])
            yield from _in_order(f"{state} in {course}", people, found)


def _in_order(what: str, expected: Sequence[Any], observed: Sequence[Any]) -> Iterator[str]:
    if len(expected) != len(observed):
        yield f"{what}: {len(observed)}, expected {len(expected)}"
    for place, (want, have) in enumerate(zip(expected, observed, strict=False), start=1):
        if want != have:
            yield f"{what} no. {place}: {have}, expected {want}"


def _keyed(what: str, expected: Sequence[Mapping[str, Any]], observed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen = {_key(row): row for row in observed}
    for row in expected:
        found = seen.pop(_key(row), None)
        if found != row:
            yield f"{what} {'/'.join(_key(row))}: {found}, expected {dict(row)}"
    for key in seen:
        yield f"{what} {'/'.join(key)}: the scenario has none"


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(row[name]) for name in ("organisation", "employee_ref", "course", "intake", "route") if name in row
    )


def _reports(expected: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[str]:
    for name, rows in expected.items():
        found = [row for row in observed.get(name, []) if not (name == "nominations" and _is_nothing(row, rows))]
        yield from _keyed(f"report {name}", rows, found)


def _is_nothing(row: Mapping[str, Any], expected: Sequence[Mapping[str, Any]]) -> bool:
    """An employer that sent no file has a row of zeros on the board's table and none in the scenario."""
    known = {_key(wanted) for wanted in expected}
    return _key(row) not in known and not row["nominated_raw"] and not row["confirmed_raw"]


def _published(expected: Mapping[str, Any], observed: Mapping[str, Any]) -> Iterator[str]:
    for name, rows in expected.items():
        wanted = [_without_raw(row) for row in rows]
        known = {_key(row): row for row in wanted}
        found = [_asked(row, known) for row in observed.get(name, []) if name != "nominations" or _key(row) in known]
        yield from _keyed(f"published {name}", wanted, found)


def _asked(row: Mapping[str, Any], known: Mapping[tuple[str, ...], Mapping[str, Any]]) -> dict[str, Any]:
    """Leave out cells that are empty because the column is about other courses' domains."""
    wanted = known.get(_key(row), {})
    return {name: value for name, value in row.items() if value is not None or name in wanted}


def _without_raw(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an expected row as the board sees it: flat, one column per domain, no true counts."""
    kept: dict[str, Any] = dict(row.get("published", {}))
    kept |= {f"mean_change_{domain}": change for domain, change in row.get("mean_change", {}).items()}
    left_out = {"raw", "published", "mean_change"}
    return kept | {name: value for name, value in row.items() if name not in left_out and not name.endswith("_raw")}
