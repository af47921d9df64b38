"""Becomes a service's part of the release that is chosen now; standard library only, for it runs before every part.

    python -m tests.faults.processes.choosing CHOSEN ORDERS NAME services.enrolment relay

is `python -m tests.faults.processes.dying ORDERS NAME services.enrolment relay` with the services' code found in the
folder that the file CHOSEN names. Who chooses is `releasing.py`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def environment_of(folder: Path) -> dict[str, str]:
    """Return what lets Python find a folder's code first, the tests in the checkout, and nothing where it runs."""
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys((str(folder), str(ROOT)))), "PYTHONSAFEPATH": "1"}


def main(chosen: str, *arguments: str) -> None:
    """Become it."""
    folder = Path(Path(chosen).read_text(encoding="utf-8"))
    environment = {**os.environ, **environment_of(folder)}  # noqa: TID251 - handed on, not read
    command = [sys.executable, "-m", "tests.faults.processes.dying", *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 - the same interpreter


if __name__ == "__main__":
    main(*sys.argv[1:])
