"""Writes down the fingerprint of each new contract (`make contracts`). Never changes one that is written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from shared.events.compatibility import fingerprint
from shared.events.contracts import CONTRACTS, ContractBook

RELEASED = "released.json"


def release(folder: Path = CONTRACTS) -> tuple[list[str], list[str]]:
    """Return (types newly written down, types whose shape differs from what was released and stays as it was)."""
    book = ContractBook(folder)
    path = folder / RELEASED
    released: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = {event_type: fingerprint(book.schema(event_type)) for event_type in book.types()}
    added = [event_type for event_type in found if event_type not in released]
    changed = [event_type for event_type, mark in found.items() if released.get(event_type, mark) != mark]
    kept = {**found, **released}
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")
    return added, changed


def main() -> int:
    """Write the new fingerprints; return 1 when a released contract was changed."""
    added, changed = release()
    for event_type in added:
        sys.stdout.write(f"released {event_type}\n")
    for event_type in changed:
        sys.stdout.write(f"{event_type} was released with another shape: make it a new version\n")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
