"""OneRoster 1.1 and 1.2 CSV (1EdTech) as canonical rows: each student's enrolment in a class is a nomination.

Tables come opened, as numbered rows under their headings; archives are opened in `storage`. What each field is taken
from stands in `SOURCES`, and an employer's column mapping may name another place ("users.metadata.startDate").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.enrolment.domain.errors import UnreadableFile
from services.enrolment.domain.mapping import Cell, FileMapping
from services.enrolment.domain.text_files import FileRow, Table

MANIFEST: Final = "manifest"
ENROLLMENTS: Final = "enrollments"
USERS: Final = "users"
CLASSES: Final = "classes"
COURSES: Final = "courses"
NEEDED: Final = (USERS, COURSES, CLASSES, ENROLLMENTS)
OPTIONAL: Final = ("orgs", "academicSessions", "demographics", "roles")
VERSIONS: Final = ("1.1", "1.2")
BULK: Final = "bulk"
DELTA: Final = "delta"
ABSENT: Final = "absent"
ENDED: Final = "tobedeleted"
STUDENT: Final = "student"
_MONTH = re.compile(r"([0-9]{4}-[0-9]{2})-[0-9]{2}")
_USER_ID = re.compile(r"\{([^:{}]+):([^{}]*)\}")

SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "employee_ref": ("users.metadata.employee_ref", "users.identifier", "users.sourcedId"),
    "given_name": ("users.preferredGivenName", "users.givenName"),
    "family_name": ("users.preferredFamilyName", "users.familyName"),
    "email": ("users.email",),
    "date_of_birth": ("demographics.birthDate", "users.metadata.date_of_birth"),
    "swe_number": ("users.metadata.swe_number", "users.userIds.SWE"),
    "job_title": ("users.metadata.job_title", "roles.metadata.job_title"),
    "team": ("users.metadata.team", "orgs.name"),
    "pcf_level": ("users.metadata.pcf_level", "enrollments.metadata.pcf_level"),
    "line_manager_ref": ("users.metadata.line_manager_ref",),
    "employment_start": ("users.metadata.employment_start", "roles.beginDate"),
    "fte": ("users.metadata.fte",),
    "course": ("courses.courseCode",),
    "intake": ("classes.metadata.intake", "academicSessions.metadata.intake", "academicSessions.startDate"),
    "route": ("enrollments.metadata.route", "classes.metadata.route"),
    "manager_approved_on": ("enrollments.metadata.manager_approved_on",),
    "prerequisite_on": ("enrollments.metadata.prerequisite_on",),
}
"""Where each field comes from: the first of these that is not empty. The start of a term gives its year and month."""

_KEYS: Final = {
    USERS: ("sourcedId", "status", "primaryOrgSourcedId", "orgSourcedIds"),
    CLASSES: ("sourcedId", "status", "courseSourcedId", "termSourcedIds"),
    COURSES: ("sourcedId", "status"),
    "orgs": ("sourcedId",),
    "academicSessions": ("sourcedId",),
    "demographics": ("sourcedId", "userSourcedId"),
    "roles": ("sourcedId", "userSourcedId", "roleType", "status"),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says that it holds: bulk, delta or absent, by table."""

    tables: Mapping[str, str]

    @property
    def is_bulk(self) -> bool:
        """Return whether the enrolments are all there are; only such an archive can be a snapshot."""
        return self.tables.get(ENROLLMENTS) == BULK


def read_manifest(table: Table) -> Manifest:
    """Return the manifest.

    Raises:
        UnreadableFile: It is of another version, or a table that is needed is absent.
    """
    said = {_text(cells, 0): _text(cells, 1) for _, cells in table}
    version = said.get("oneroster.version", "")
    if version not in VERSIONS:
        raise UnreadableFile(f"manifest.csv: oneroster.version is not one of {', '.join(VERSIONS)}")
    tables = {name[5:]: value.lower() for name, value in said.items() if name.startswith("file.")}
    for name, kind in tables.items():
        if kind not in (BULK, DELTA, ABSENT):
            raise UnreadableFile(f"manifest.csv: file.{name[:40]} is neither bulk, delta nor absent")
    missing = [name for name in NEEDED if tables.get(name, ABSENT) == ABSENT]
    if missing:
        raise UnreadableFile(f"manifest.csv: {', '.join(missing)} may not be absent")
    return Manifest(tables)


def read_rows(tables: Mapping[str, Table], mapping: FileMapping) -> Iterator[FileRow]:
    """Yield one row for each student in `enrollments.csv`, with its line there; other roles are left out.

    Raises:
        UnreadableFile: A table has no headings, or an enrolment names a class that is not there.
    """
    sources = _sources(mapping)
    known = {
        name: _by_id(name, table, sources) for name, table in tables.items() if name not in (MANIFEST, ENROLLMENTS)
    }
    headings, rows = _opened(ENROLLMENTS, tables[ENROLLMENTS])
    for line, cells in rows:
        enrolment = _row(headings, cells)
        if enrolment.get("role", "").lower() != STUDENT:
            continue
        joined = _joined(enrolment, known, line)
        ended = any(joined[name].get("status", "").lower() == ENDED for name in (ENROLLMENTS, USERS, CLASSES, COURSES))
        values: dict[str, Cell] = {name: _first(joined, places) for name, places in sources.items()}
        yield FileRow(line, values, is_ended=ended)


def _sources(mapping: FileMapping) -> dict[str, tuple[str, ...]]:
    own = {name: (place,) for name, place in mapping.columns.items()}
    return {name: own.get(name, places) for name, places in SOURCES.items()}


Row = Mapping[str, str]


def _joined(enrolment: Row, known: Mapping[str, Mapping[str, Row]], line: int) -> dict[str, Row]:
    """Return the rows that tell of one enrolment, by table; who is not in the file has no values."""

    def find(table: str, row: Row, key: str) -> Row:
        return known.get(table, {}).get(row.get(key, "").split(",")[0].strip(), {})

    taken = find(CLASSES, enrolment, "classSourcedId")
    if not taken:
        raise UnreadableFile(f"enrollments.csv: row {line} names a class that is not in classes.csv")
    user = find(USERS, enrolment, "userSourcedId")
    person = enrolment.get("userSourcedId", "")
    return {
        ENROLLMENTS: enrolment,
        CLASSES: taken,
        COURSES: find(COURSES, taken, "courseSourcedId"),
        "academicSessions": find("academicSessions", taken, "termSourcedIds"),
        USERS: user,
        "demographics": known.get("demographics", {}).get(person, {}),
        "roles": known.get("roles", {}).get(person, {}),
        "orgs": find("orgs", user, "primaryOrgSourcedId") or find("orgs", user, "orgSourcedIds"),
    }


def _first(joined: Mapping[str, Row], places: Sequence[str]) -> str | None:
    for place in places:
        table, _, column = place.partition(".")
        value = _value(joined.get(table, {}), column)
        if value and place == "academicSessions.startDate":
            found = _MONTH.fullmatch(value)
            value = found[1] if found else value
        if value:
            return value
    return None


def _value(row: Row, column: str) -> str:
    """Return a cell; `userIds.SWE` is the one of that type among {type:value} pairs."""
    name, _, kind = column.partition(".")
    if name == "userIds" and kind:
        pairs = _USER_ID.findall(row.get("userIds", ""))
        return next((value for given, value in pairs if given.strip().upper() == kind.upper()), "").strip()
    return row.get(column, "")


def _by_id(name: str, table: Table, sources: Mapping[str, tuple[str, ...]]) -> dict[str, Row]:
    """Return a table's rows by the id that others name them by, with no more columns than are needed."""
    headings, rows = _opened(name, table)
    places = [place.partition(".")[2] for each in sources.values() for place in each if place.startswith(f"{name}.")]
    wanted = {
        *_KEYS.get(name, ("sourcedId",)),
        *(place.split(".")[0] if "userIds" in place else place for place in places),
    }
    found: dict[str, Row] = {}
    for _, cells in rows:
        row = {heading: value for heading, value in _row(headings, cells).items() if heading in wanted and value}
        key = _key(name, row)
        if name == "roles" and key in found and row.get("roleType", "").lower() != "primary":
            continue
        found[key] = row
    return found


def _key(name: str, row: Row) -> str:
    if name == "roles":
        return row.get("userSourcedId", "")
    if name == "demographics":
        return row.get("userSourcedId") or row.get("sourcedId", "")
    return row.get("sourcedId", "")


def _opened(name: str, table: Table) -> tuple[list[str], Table]:
    _, cells = next(table, (0, []))
    headings = [str(cell or "").strip() for cell in cells]
    if "sourcedId" not in headings:
        raise UnreadableFile(f"{name}.csv has no column sourcedId in its first row")
    if len(set(headings)) != len(headings):
        raise UnreadableFile(f"{name}.csv has a heading twice")
    return headings, table


def _row(headings: Sequence[str], cells: Sequence[Cell]) -> dict[str, str]:
    return {heading: str(cell).strip() for heading, cell in zip(headings, cells, strict=False) if cell is not None}


def _text(cells: Sequence[Cell], place: int) -> str:
    return str(cells[place]).strip() if place < len(cells) and cells[place] is not None else ""
