"""One organisation's databases as files, and back: JSON Lines in canonical extended JSON, a manifest with hashes.

    manifest.json                     format, organisation, per file: service, collection, documents, bytes, sha256
    enrolment/org_entries.jsonl       one document per line, in the order of the collection's ids

What is carried: every document as it is, feed entries byte for byte, numbers, hashes, and how far feeds were read.
What is left out (`LEFT_OUT`): who holds a feed just now and which database session moves a position. Those are claims
of processes that run here; carried over, a new instance would wait for them or try to end another's sessions. Epochs
are carried: whoever takes a feed raises them, so that a writer who comes later always has the higher one.

Everything is read twice: what changed in between, also where nothing was counted up, makes the dump invalid. Folders
and files are for whoever made them alone (0700, 0600): names of people are in them, and no keys.

Bounded memory: a part of each collection at a time. A dump that was broken off has no manifest and is made again; a
load that was broken off goes on with the same dump, file by file. Nothing is ever loaded over data.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from bson.json_util import CANONICAL_JSON_OPTIONS, JSONOptions, dumps, loads

from shared.errors import Conflict, Malformed
from shared.storage.mongo import Document, MongoDatabase

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
LOADING: Final = "loading"
"""The collection that marks a database into which a dump is being loaded; gone when it is whole."""
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
PART_DOCUMENTS: Final = 200
PART_BYTES: Final = 512 * 1024
OPTIONS: Final[JSONOptions] = CANONICAL_JSON_OPTIONS.with_options(tz_aware=True)
LEFT_OUT: Final[Mapping[str, Mapping[str, object]]] = {
    "_state": {"holder": None, "session": None, "until": None},
    "positions": {"session": None},
}
"""Fields that are emptied, by the end of the collection's name."""
RESTED: Final = frozenset({LOADING})

Say = Callable[[str], None]


class Dumped(msgspec.Struct, frozen=True, kw_only=True):
    """One collection's file."""

    service: str
    collection: str
    documents: int
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Return where the file is, from the manifest's folder."""
        return f"{self.service}/{self.collection}.jsonl"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a dump holds. `heads` is, per feed, the number and hash at which it stood."""

    format: int
    organisation: str
    partnership_hash: str
    files: list[Dumped]
    heads: dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Source:
    """One service's database of the organisation."""

    service: str
    database: MongoDatabase


def dump(sources: Sequence[Source], folder: Path, *, organisation: str, partnership_hash: str, say: Say) -> Manifest:
    """Write the databases into `folder` and return the manifest, which is written last.

    Raises:
        Conflict: A dump is there already, or something moved while it was written: stop what writes, and try again.
    """
    if (folder / MANIFEST).exists():
        raise Conflict(f"{folder} holds a dump already: choose another folder")
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    before = {source.service: _moving(source.database) for source in sources}
    files = [one for source in sources for one in _dump_database(source, folder, say)]
    if before != {source.service: _moving(source.database) for source in sources} or _changed(sources, files):
        raise Conflict("the organisation is at work: stop what writes for it, then export again")
    manifest = Manifest(
        format=FORMAT,
        organisation=organisation,
        partnership_hash=partnership_hash,
        files=files,
        heads={name: head for source in sources for name, head in heads_of(source).items()},
    )
    _write(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Return what a dump says that it holds.

    Raises:
        Malformed: There is no dump, it is of another format, or a file's name leads elsewhere.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise Malformed(f"{folder} holds no whole dump: its manifest cannot be read") from error
    if manifest.format != FORMAT:
        raise Malformed(f"this dump has format {manifest.format}, and this program reads format {FORMAT}")
    for one in manifest.files:
        if not (one.service.isidentifier() and one.collection.isidentifier()):
            raise Malformed("the manifest names a file that no dump has")
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Hold every file against the manifest, before anything is loaded.

    Raises:
        Malformed: A file is missing or is not the one that was written.
    """
    for one in manifest.files:
        try:
            with (folder / one.name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Malformed(f"{one.name} is missing") from error
        if found != one.sha256:
            raise Malformed(f"{one.name} is not the file that was written: its hash differs")


def restore(sources: Sequence[Source], folder: Path, manifest: Manifest, *, say: Say) -> None:
    """Load a dump into empty databases, or go on with the same one where it was broken off.

    Raises:
        Conflict: A database holds data that is not of this dump, or the dump has a service that is not given.
        Malformed: A file is not the one that was written.
    """
    check_files(folder, manifest)
    by_service = {source.service: source.database for source in sources}
    unknown = {one.service for one in manifest.files} - by_service.keys()
    if unknown:
        raise Conflict(f"no database is given for {', '.join(sorted(unknown))}")
    mark = hashlib.sha256(msgspec.json.encode(manifest)).hexdigest()
    for database in by_service.values():
        _must_be_free(database, mark)
    for database in by_service.values():
        database[LOADING].replace_one({"_id": mark}, {"_id": mark}, upsert=True)
    for one in manifest.files:
        _load(by_service[one.service], folder, one, say)
    for database in by_service.values():
        database.drop_collection(LOADING)


def heads_of(source: Source) -> dict[str, tuple[int, str]]:
    """Return where each feed of a database stands: `enrolment/org` -> number and hash."""
    found: dict[str, tuple[int, str]] = {}
    for name in _collections(source.database):
        if name.endswith("_state") and (head := source.database[name].find_one({"_id": "head"})):
            found[f"{source.service}/{name.removesuffix('_state')}"] = (int(head["number"]), str(head["hash"]))
    return found


def _dump_database(source: Source, folder: Path, say: Say) -> Iterator[Dumped]:
    (folder / source.service).mkdir(mode=FOLDER_MODE, exist_ok=True)
    for collection in _collections(source.database):
        one = _dump_collection(source, collection, folder)
        say(f"{one.name}: {one.documents} documents, {one.bytes} bytes")
        yield one


def _dump_collection(source: Source, collection: str, folder: Path) -> Dumped:
    digest, documents, size = hashlib.sha256(), 0, 0
    path = folder / source.service / f"{collection}.jsonl"
    with open(path.with_suffix(".part"), "wb", opener=_private) as file:
        for line in _lines(source, collection):
            digest.update(line)
            file.write(line)
            documents, size = documents + 1, size + len(line)
    path.with_suffix(".part").replace(path)
    return Dumped(
        service=source.service, collection=collection, documents=documents, bytes=size, sha256=digest.hexdigest()
    )


def _lines(source: Source, collection: str) -> Iterator[bytes]:
    for document in in_order(source.database, collection):
        yield (dumps(_rested(collection, document), json_options=OPTIONS) + "\n").encode()


def _changed(sources: Sequence[Source], files: Sequence[Dumped]) -> bool:
    """Return whether any collection reads otherwise than it was written: the second look begins after the first."""
    by_service = {source.service: source for source in sources}
    for one in files:
        digest = hashlib.sha256()
        for line in _lines(by_service[one.service], one.collection):
            digest.update(line)
        if digest.hexdigest() != one.sha256:
            return True
    return False


def in_order(database: MongoDatabase, collection: str) -> Iterator[Document]:
    """Yield every document in the order of ids, a part at a time: no cursor stays open between parts."""
    wanted: dict[str, Any] = {}
    while part := list(database[collection].find(wanted, sort=[("_id", 1)], limit=PART_DOCUMENTS)):
        yield from part
        wanted = {"_id": {"$gt": part[-1]["_id"]}}


def _rested(collection: str, document: Document) -> Document:
    """Return the document without the claims of processes that run here."""
    for end, emptied in LEFT_OUT.items():
        if collection.endswith(end):
            return {**document, **{name: value for name, value in emptied.items() if name in document}}
    return document


def _load(database: MongoDatabase, folder: Path, one: Dumped, say: Say) -> None:
    """Load one file; one of which only a part was loaded before is begun again."""
    rows = database[one.collection]
    held = rows.count_documents({})
    if held == one.documents:
        return
    if held:
        rows.delete_many({})
    with (folder / one.name).open("rb") as file:
        for part in _parts(file):
            rows.insert_many(part)
    say(f"{one.name}: {one.documents} documents")


def _parts(lines: Iterator[bytes]) -> Iterator[list[Document]]:
    part: list[Document] = []
    size = 0
    for line in lines:
        part.append(loads(line, json_options=OPTIONS))
        size += len(line)
        if len(part) >= PART_DOCUMENTS or size >= PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _must_be_free(database: MongoDatabase, mark: str) -> None:
    if database[LOADING].find_one({"_id": mark}) is not None:
        return
    for name in _collections(database):
        if database[name].find_one({}, {"_id": 1}) is not None:
            raise Conflict(f"{database.name} holds data already ({name}): a dump is never loaded over data")


def _moving(database: MongoDatabase) -> dict[str, object]:
    """Return what changes whenever anything of consequence does: feeds, positions and how much there is of all."""
    found: dict[str, object] = {name: database[name].count_documents({}) for name in _collections(database)}
    for position in database["positions"].find({}):
        found[f"position {position['_id']}"] = (position["number"], position["next"], position["decisions"])
    return found


def _collections(database: MongoDatabase) -> list[str]:
    return sorted(
        name for name in database.list_collection_names() if not name.startswith("system.") and name not in RESTED
    )


def _write(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with open(part, "wb", opener=_private) as file:
        file.write(content)
    part.replace(path)


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read, one that was left behind too."""
    descriptor = os.open(path, flags, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor
