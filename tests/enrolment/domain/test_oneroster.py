"""OneRoster archives: read as nominations, refused in words, and what a sender ends is a row of its own."""

from __future__ import annotations

import io
import zipfile

import pytest

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.storage import archives
from services.enrolment.storage.files import read_file, says_delta

ONEROSTER = FileMapping(format="oneroster")
ROSTER = {
    "manifest": [
        "propertyName,value",
        "manifest.version,1.0",
        "oneroster.version,1.2",
        *(f"file.{name},bulk" for name in ("users", "orgs", "courses", "classes", "enrollments", "academicSessions")),
        "file.roles,bulk",
        "file.demographics,bulk",
        "file.results,absent",
        "source.systemName,Example HR",
    ],
    "users": [
        "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,identifier,email,"
        "primaryOrgSourcedId,metadata.pcf_level,metadata.line_manager_ref,metadata.fte,metadata.job_title",
        'u1,,,true,u1,"{SWE:SW000123},{HR:7}",Maya,Example,E001,maya@harrow.example,o1,SW,E900,0.8,Social Worker',
        "u2,,,true,u2,{SWE:sw124},Tomás,Invented,E002,t@harrow.example,o1,SW,,,",
        "t1,,,true,t1,,Tess,Teacher,E003,t3@harrow.example,o1,,,,",
    ],
    "orgs": ["sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId", "o1,,,North Team,department,,"],
    "courses": [
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId",
        "c1,,,,Safeguarding,SAR,,o1",
    ],
    "classes": [
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds",
        "k1,,,Safeguarding autumn,,c1,SAR-1,scheduled,,o1,a1",
    ],
    "academicSessions": [
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
        "a1,,,Autumn,term,2025-09-01,2025-12-19,,2026",
    ],
    "demographics": ["sourcedId,status,dateLastModified,birthDate,sex", "u1,,,1985-04-30,", "u2,,,1990-01-02,"],
    "roles": [
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId",
        "r0,,,u1,secondary,aide,2001-01-01,,o1",
        "r1,,,u1,primary,student,2018-01-03,,o1",
        "r2,,,u2,primary,student,2019-02-04,,o1",
    ],
    "enrollments": [
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate,"
        "metadata.route,metadata.manager_approved_on",
        "e1,,,k1,o1,u1,student,,,,practice_only,2025-07-01",
        "e2,,,k1,o1,t1,teacher,,,,,",
        "e3,,,k1,o1,u2,student,,,,practice_only,2025-07-02",
    ],
}


def archive(changes: dict[str, list[str] | None] | None = None, **names: bytes) -> bytes:
    """Return a OneRoster archive with some tables changed (None: left out) and other files added."""
    tables = {**ROSTER, **(changes or {})}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, lines in tables.items():
            if lines is not None:
                packed.writestr(f"{name}.csv", "\r\n".join([*lines, ""]).encode())
        for name, content in names.items():
            packed.writestr(name, content)
    return stream.getvalue()


def with_line(table: str, number: int, line: str) -> dict[str, list[str] | None]:
    """Return the change that replaces one line of a table."""
    lines = list(ROSTER[table])
    lines[number] = line
    return {table: lines}


def delta(changes: dict[str, list[str] | None] | None = None) -> dict[str, list[str] | None]:
    """Return the change that makes an archive one of changes."""
    return {"manifest": [line.replace("bulk", "delta") for line in ROSTER["manifest"]], **(changes or {})}


def test_students_are_nominations_under_the_canonical_fields():
    """Names, birth day, level, team, course and intake come from where OneRoster has them; teachers are left out."""
    rows = list(read_file(archive(), ONEROSTER))
    assert [row.line for row in rows] == [2, 4]
    read = [read_row(row.line, row.cells, ONEROSTER) for row in rows]
    assert [each.faults for each in read] == [(), ()]
    first = read[0].record
    assert (first.employee_ref, first.given_name, first.family_name) == ("E001", "Maya", "Example")
    assert (first.swe_number, first.team, first.fte, first.line_manager_ref) == ("SW123", "North Team", "0.8", "E900")
    assert (first.course, first.intake, first.route) == ("SAR", "2025-09", "practice_only")
    assert (str(first.date_of_birth), str(first.employment_start)) == ("1985-04-30", "2018-01-03")
    assert [row.is_ended for row in rows] == [False, False]


def test_a_mapping_names_another_place():
    """An employer that keeps its number elsewhere says where."""
    mapping = FileMapping(format="oneroster", columns={"employee_ref": "users.username"})
    assert [row.cells["employee_ref"] for row in read_file(archive(), mapping)] == ["u1", "u2"]


@pytest.mark.parametrize(
    "changes",
    [
        with_line("enrollments", 1, "e1,tobedeleted,2026-01-01T00:00:00Z,k1,o1,u1,student,,,,,"),
        with_line("users", 1, "u1,tobedeleted,2026-01-01T00:00:00Z,true,u1,,Maya,Example,E001,,o1,,,,"),
    ],
    ids=["enrolment", "user"],
)
def test_what_is_to_be_deleted_ends(changes):
    """The enrolment's own status, or that of its person."""
    assert [row.is_ended for row in read_file(archive(delta(changes)), ONEROSTER)] == [True, False]


def test_an_archive_of_changes_says_so():
    """Only a bulk export can be a snapshot."""
    assert says_delta(archive(delta()), ONEROSTER)
    assert not says_delta(archive(), ONEROSTER)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive({"manifest": None}), "no manifest.csv"),
        (archive({"users": None}), "not in the archive: users"),
        (archive(with_line("manifest", 2, "oneroster.version,2.0")), "oneroster.version"),
        (archive(with_line("manifest", 3, "file.users,absent")), "users may not be absent"),
        (archive(with_line("manifest", 3, "file.users,some")), "neither bulk, delta nor absent"),
        (archive(with_line("users", 0, "id,status")), "users.csv has no column sourcedId"),
        (archive(with_line("enrollments", 1, "e1,,,k9,o1,u1,student,,,,,")), "row 2 names a class"),
        (archive(with_line("users", 1, 'u1,"never closed')), "users.csv: row 2"),
        (archive({"enrollments": ROSTER["enrollments"][:1]}), "no rows"),
        (archive(**{"../evil.csv": b"x"}), "has folders"),
        (archive(**{"more/users.csv": b"x"}), "has folders"),
        (archive()[:200], "not a zip archive"),
        (b"", "empty"),
        (b"PK\x03\x04 and nothing more", "not a zip archive"),
    ],
    ids=["no-manifest", "missing", "version", "absent", "odd", "headings", "class", "quote", "no-rows", "path",
         "folder", "cut", "empty", "no-zip"],
)  # fmt: skip
def test_c13_an_archive_that_cannot_be_read_is_refused_in_words(content, words):
    """As a whole, naming the table and its row."""
    with pytest.raises(UnreadableFile) as refused:
        list(read_file(content, ONEROSTER))
    assert words in refused.value.detail


def test_c4_an_archive_that_unpacks_to_more_than_may_be_read_is_refused_unread():
    """A hundred megabytes of nothing pack into little."""
    with pytest.raises(FileTooLarge):
        list(read_file(archive(**{"bomb.csv": b" " * (archives.MOST_UNPACKED_BYTES + 1)}), ONEROSTER))


def test_an_archive_that_lies_about_a_size_is_damaged():
    """What comes out is held against the archive's own list."""
    content = bytearray(archive())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"enrollments.csv"))
    content[place + 24 : place + 28] = (5).to_bytes(4, "little")
    with pytest.raises(UnreadableFile):
        list(read_file(bytes(content), ONEROSTER))


def test_bytes_that_are_not_utf_8_are_named_with_their_table():
    """OneRoster is UTF-8."""
    stream = io.BytesIO(archive({"users": None}))
    with zipfile.ZipFile(stream, "a") as packed:
        packed.writestr("users.csv", "\r\n".join(ROSTER["users"]).encode("cp1252"))
    with pytest.raises(UnreadableFile, match=r"users\.csv is not UTF-8"):
        list(read_file(stream.getvalue(), ONEROSTER))
