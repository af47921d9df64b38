"""The process that reads one XLS spreadsheet and ends: run by `old_workbooks`, with limits that it sets itself.

Calamine lays out whole sheets, and what it cannot have ends its process without a word. So it is not ours. In: a line
of JSON with the wanted sheet's name, then the file. Out: a line of JSON about the sheets, then one for each row.
"""

from __future__ import annotations

import io
import json
import resource
import sys

from python_calamine import CalamineWorkbook

_MOST_MEMORY = 512 * 1024 * 1024
_MOST_SECONDS = 60
_MOST_WRITTEN = 64 * 1024 * 1024


def main() -> None:
    """Read standard input, and write the sheets' names, the wanted one's size and its first rows."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold what people are called
    asked = json.loads(sys.stdin.buffer.readline())
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    names = book.sheet_names
    sheet = book.get_sheet_by_name(asked["sheet"] if asked["sheet"] in names else names[0])
    is_read = sheet.total_height <= asked["rows"] and sheet.total_width <= asked["columns"]
    _write({"names": names, "rows": sheet.total_height, "columns": sheet.total_width})
    left = _MOST_WRITTEN
    for row in sheet.iter_rows() if is_read else ():
        left -= _write([_plain(value) for value in row])
        if left < 0:
            raise MemoryError
    sys.stdout.buffer.flush()


def _write(found: object) -> int:
    return sys.stdout.buffer.write(json.dumps(found).encode() + b"\n")


def _plain(value: object) -> object:
    """Return a cell as JSON; a day as an object, so that it is told from a text."""
    if isinstance(value, str | bool | int | float):
        return value
    return {"day": value.isoformat()} if hasattr(value, "isoformat") else str(value)


if __name__ == "__main__":
    main()
