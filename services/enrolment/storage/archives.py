"""OneRoster archives: a zip of plain CSV files, opened without ever writing one to disk. Meaning is in `oneroster`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from services.enrolment.domain import oneroster
from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.oneroster import MANIFEST, Manifest
from services.enrolment.domain.text_files import FileRow, Table, limited, separated
from services.enrolment.storage.packages import FAULTS, open_package

MOST_UNPACKED_BYTES = 100 * 1024 * 1024
MOST_UNPACKED_RATIO = 100
SMALL_UNPACKED_BYTES = 1024 * 1024
MOST_ENTRIES = 100
_ENCRYPTED = 0x1


def read_archive(content: bytes, mapping: FileMapping) -> Iterator[FileRow]:
    """Yield the rows of a OneRoster archive.

    Raises:
        UnreadableFile: It is no such archive; the sentence says why.
    """
    archive, manifest = _opened(content)
    names = [name for name in (*oneroster.NEEDED, *oneroster.OPTIONAL) if _is_there(manifest, name)]
    tables = {name: _table(archive, name) for name in names}
    yield from limited(oneroster.read_rows(tables, mapping))


def manifest_of(content: bytes) -> Manifest:
    """Return what an archive says that it holds.

    Raises:
        UnreadableFile: It is no such archive.
    """
    return _opened(content)[1]


def _opened(content: bytes) -> tuple[zipfile.ZipFile, Manifest]:
    if not content:
        raise UnreadableFile("the file is empty")
    archive = open_package(content, "the file is not a zip archive")
    entries = archive.infolist()
    _refuse_odd(entries, len(content))
    names = {entry.filename for entry in entries}
    if f"{MANIFEST}.csv" not in names:
        raise UnreadableFile("the archive has no manifest.csv: send a OneRoster archive")
    manifest = oneroster.read_manifest(_table(archive, MANIFEST))
    missing = [name for name in manifest.tables if _is_there(manifest, name) and f"{name}.csv" not in names]
    if missing:
        raise UnreadableFile(f"manifest.csv names files that are not in the archive: {', '.join(missing)[:300]}")
    return archive, manifest


def _is_there(manifest: Manifest, name: str) -> bool:
    return manifest.tables.get(name, oneroster.ABSENT) != oneroster.ABSENT


def _refuse_odd(entries: list[zipfile.ZipInfo], size: int) -> None:
    names = [entry.filename for entry in entries]
    if len(entries) > MOST_ENTRIES or len(set(names)) != len(names):
        raise UnreadableFile("the archive has too many files, or two of one name")
    if any("/" in name or "\\" in name or ".." in name for name in names):
        raise UnreadableFile("the archive has folders: pack the CSV files themselves")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnreadableFile("the archive is encrypted: pack it without a password")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(SMALL_UNPACKED_BYTES, min(MOST_UNPACKED_BYTES, MOST_UNPACKED_RATIO * size)):
        raise FileTooLarge("the archive unpacks to more than may be read")


def _table(archive: zipfile.ZipFile, name: str) -> Table:
    """Yield a table's rows. No more is unpacked than the archive's list says: the size was checked by that."""
    try:
        with archive.open(f"{name}.csv") as packed:
            yield from separated(io.TextIOWrapper(packed, encoding="utf-8-sig", newline=""), ",")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{name}.csv is not UTF-8; save it as UTF-8") from error
    except UnreadableFile as error:
        raise UnreadableFile(f"{name}.csv: {error.detail}", faults=error.faults) from error
    except FAULTS as error:
        raise WrongFileType("the archive is damaged") from error
