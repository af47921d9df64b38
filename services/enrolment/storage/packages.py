"""Zip packages taken apart with care, and their XML fed to a reader piece by piece. What the XML says is elsewhere.

Whatever is wrong inside a file that a stranger sent ends in one refusal: the errors that reading one can bring stand in
`FAULTS`, and nothing here trusts a number in a file.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, TypeVar
from xml.parsers import expat

from services.enrolment.domain.errors import FileTooLarge, UnreadableFile, WrongFileType

T = TypeVar("T")

FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    ArithmeticError,
    RuntimeError,
    expat.ExpatError,
)
"""What reading a damaged or hostile file raises; RuntimeError has NotImplementedError and RecursionError in it."""
NOT_A_SHEET = "the file is not a spreadsheet that can be read"
LAST_ROW = 1_048_576
MOST_SHEETS = 300
_MOST_PARTS = 2000
_MOST_DEPTH = 100
_PIECE_BYTES = 64 * 1024
_PART_OF_LIST = b"PK\x01\x02"
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def refusing(rows: Iterable[T], sentence: str) -> Iterator[T]:
    """Yield the rows again.

    Raises:
        WrongFileType: What reads them failed on the file, in whatever way.
    """
    try:
        yield from rows
    except FAULTS as error:
        raise WrongFileType(sentence) from error


def open_package(content: bytes, sentence: str) -> zipfile.ZipFile:
    """Return an opened zip file, of no more parts than any spreadsheet or archive has.

    Raises:
        WrongFileType: It is none, or packed in a way that no spreadsheet program and no exporter uses.
        FileTooLarge: Its list alone is longer than may be read.
    """
    if content.count(_PART_OF_LIST) > _MOST_PARTS:
        raise FileTooLarge("the file is packed from more parts than may be read")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except FAULTS as error:
        raise WrongFileType(sentence) from error
    if any(entry.compress_type not in _PLAIN for entry in archive.infolist()):
        raise WrongFileType("the file is packed in a way that is not read: save it again")
    return archive


class Reader:
    """What is done at an element's begin and end, and with its text."""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """Come to an element."""

    def end(self, name: str) -> None:
        """Leave it."""

    def text(self, text: str) -> None:
        """Meet text."""


def parse(archive: zipfile.ZipFile, part: str, reader: Reader) -> None:
    """Feed all of a part to its reader."""
    with archive.open(part) as stream:
        for _ in fed(stream, reader):
            pass


def fed(stream: IO[bytes], reader: Reader) -> Iterator[None]:
    """Feed a part to its reader, and yield after every piece. Names are given without their prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MOST_DEPTH:
            raise WrongFileType(NOT_A_SHEET)
        reader.begin(name.rpartition(":")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        reader.end(name.rpartition(":")[2])

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _no_document_type
    try:
        while piece := stream.read(_PIECE_BYTES):
            parser.Parse(piece, False)  # noqa: FBT003  the parser's own signature
            yield
        parser.Parse(b"", True)  # noqa: FBT003
    finally:
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
    yield


def _no_document_type(*_: object) -> None:
    raise WrongFileType(NOT_A_SHEET)


def whole(raw: str) -> int:
    """Return a number that a file gives, a plain one of at most nine digits.

    Raises:
        WrongFileType: It is none.
    """
    raw = raw.strip()
    if not (raw.isascii() and raw.isdecimal() and len(raw) <= 9):
        raise WrongFileType(NOT_A_SHEET)
    return int(raw)


def row_number(number: int) -> int:
    """Return the number of a row, if a sheet can have one of that number.

    Raises:
        WrongFileType: It cannot.
    """
    if not 1 <= number <= LAST_ROW:
        raise WrongFileType(NOT_A_SHEET)
    return number


def refuse_too_many(what: str, found: int, most: int) -> None:
    """Raise `UnreadableFile` when a file has more of something than any use needs."""
    if found > most:
        raise UnreadableFile(f"the spreadsheet has more than {most} {what}")
